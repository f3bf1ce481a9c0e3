// Key patterns: two patterns and a key, a line each.
#include <optional>

#include "base/key_pattern.hpp"
#include "fuzz/check.hpp"

namespace larder {
namespace {

using fuzz::require;

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string put_together(const KeyPattern& pattern, const SqlParameters& parts) {
  std::string key = pattern.literals()[0];
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto* number = std::get_if<std::int64_t>(&parts[i].value);
    key += number != nullptr ? std::to_string(*number) : std::get<std::string>(parts[i].value);
    key += pattern.literals()[i + 1];
  }
  return key;
}

// Whether the key fits, with all that must hold of the answer.
bool fits(const KeyPattern& pattern, std::string_view key) {
  SqlParameters parts;
  std::string problem;
  const KeyPattern::Match match = pattern.match(key, &parts, &problem);
  const bool yes = match == KeyPattern::Match::kYes;
  require(pattern.match(key, nullptr, nullptr) == match, "the same with and without parts");
  require(!yes || put_together(pattern, parts) == key, "the parts make up the key");
  require(yes || parts.empty(), "no parts unless it fits");
  require((match == KeyPattern::Match::kBadPart) == !problem.empty(), "a problem for a bad part");
  require(problem.find_first_of("\n\r\x1b") == std::string::npos, "the problem is one line");
  return yes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto a = KeyPattern::parse(take_line(text));
  const auto b = KeyPattern::parse(take_line(text));
  if (!a || !b) return 0;

  const bool fits_a = fits(*a, text);
  const bool fits_b = fits(*b, text);
  require(a->overlaps(*b) == b->overlaps(*a), "overlapping goes both ways");
  require(a->overlaps(*a), "a pattern overlaps itself");
  require(!(fits_a && fits_b) || a->overlaps(*b), "a key that fits both is an overlap");
  return 0;
}

}  // namespace larder
