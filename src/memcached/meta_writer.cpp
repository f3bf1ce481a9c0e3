#include "memcached/meta_writer.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>

namespace larder::memcached {

bool is_key(std::string_view key) {
  return !key.empty() && key.size() <= kLongestKey &&
         std::ranges::all_of(key, [](char c) { return c > ' ' && c < '\x7f'; });
}

void MetaWriter::get(std::string_view key) {
  assert(is_key(key));
  output_.append("mg ");
  output_.append(key);
  output_.append(" v t c\r\n");
}

void MetaWriter::set(std::string_view key, std::string_view value, std::chrono::seconds life) {
  write_set(key, value, life, "", std::nullopt);
}

void MetaWriter::add(std::string_view key, std::string_view value, std::chrono::seconds life) {
  write_set(key, value, life, " ME", std::nullopt);
}

void MetaWriter::replace(std::string_view key, std::string_view value, std::chrono::seconds life,
                         std::uint64_t cas) {
  write_set(key, value, life, "", cas);
}

void MetaWriter::write_set(std::string_view key, std::string_view value, std::chrono::seconds life,
                           std::string_view mode, std::optional<std::uint64_t> cas) {
  assert(is_key(key) && life >= life.zero() && life <= kLongestLife);
  output_.append("ms ");
  output_.append(key);
  output_.append(" ");
  number(value.size());
  output_.append(" T");
  number(static_cast<std::uint64_t>(life.count()));
  output_.append(mode);
  if (cas) {
    output_.append(" C");
    number(*cas);
  }
  output_.append("\r\n");
  output_.append(value);
  output_.append("\r\n");
}

void MetaWriter::remove(std::string_view key) {
  assert(is_key(key));
  output_.append("md ");
  output_.append(key);
  output_.append("\r\n");
}

void MetaWriter::remove(std::string_view key, std::uint64_t cas) {
  assert(is_key(key));
  output_.append("md ");
  output_.append(key);
  output_.append(" C");
  number(cas);
  output_.append("\r\n");
}

void MetaWriter::invalidate(std::string_view key) {
  assert(is_key(key));
  output_.append("md ");
  output_.append(key);
  output_.append(" I\r\n");
}

void MetaWriter::version() { output_.append("version\r\n"); }
void MetaWriter::settings() { output_.append("stats settings\r\n"); }

void MetaWriter::number(std::uint64_t value) {
  std::array<char, 20> digits{};
  const auto [end, problem] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  output_.append({digits.data(), end});
}

}  // namespace larder::memcached
