#include <xxhash.h>

#include <string>

#include "larder/shared_words.hpp"

namespace larder {

std::uint64_t fingerprint_of(const std::vector<std::string_view>& texts) {
  std::string all;
  for (const std::string_view text : texts) {
    all += std::to_string(text.size());
    all += ':';
    all += text;
  }
  return XXH3_64bits(all.data(), all.size());
}

}  // namespace larder
