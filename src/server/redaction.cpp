#include "server/redaction.hpp"

#include <algorithm>

#include "server/commands/commands.hpp"

namespace larder {

std::vector<std::string_view> redacted(const Command& command, Arguments words) {
  std::vector<std::string_view> shown{words.begin(), words.end()};
  if ((command.flags & kSecret) == 0) return shown;
  // HELLO may carry a login as AUTH does, behind that word.
  auto first = shown.begin() + 1;
  if (command.run != commands::auth) {
    first = std::find_if(first, shown.end(), [](auto word) { return same_word(word, "auth"); });
    if (first == shown.end()) return shown;
    ++first;
  }
  std::fill(first, shown.end(), kRedacted);
  return shown;
}

}  // namespace larder
