#include "sqlite/batch.hpp"

#include <algorithm>
#include <charconv>

#include "larder/json_text.hpp"

namespace larder {

namespace {

// Text that SQLite's own collations and affinities may hold for the same gives the
// same: without case (ASCII, as NOCASE), without blanks at the end (RTRIM) or
// around a number, and numbers by value.
std::string folded(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\f\v";
  const std::size_t end = text.find_last_not_of(kBlanks);
  text = text.substr(0, end == std::string_view::npos ? 0 : end + 1);
  std::string_view digits = text.substr(std::min(text.find_first_not_of(kBlanks), text.size()));
  if (digits.starts_with('+')) digits.remove_prefix(1);

  double number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (read.ec == std::errc{} && read.ptr == digits.data() + digits.size()) {
    return std::to_string(number);  // coarse: large ones may share it, and be asked alone
  }
  std::string lower{text};
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// JSON text can carry it to SQLite unchanged.
bool fits_json(std::string_view text) {
  return text.find('\0') == std::string_view::npos && !first_invalid_utf8(text);
}

}  // namespace

SqlBatch::SqlBatch(std::span<const SqlParameters> keys, bool text_column) : keys_{keys} {
  std::unordered_map<std::string, std::vector<std::size_t>> alike;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const SqlValue& value = keys[i].front().value;
    if (const auto* integer = std::get_if<std::int64_t>(&value); integer && !text_column) {
      (integers_.emplace(*integer, i).second ? together_ : alone_).push_back(i);
      continue;
    }
    const auto* text = std::get_if<std::string>(&value);
    if (text != nullptr && fits_json(*text))
      alike[folded(*text)].push_back(i);
    else
      alone_.push_back(i);
  }
  // Integers are told apart from each other, not from texts.
  const bool mixed = std::ranges::any_of(keys, [](const SqlParameters& key) {
    return std::holds_alternative<std::int64_t>(key.front().value);
  });
  for (auto& [fold, places] : alike) {
    const bool apart = places.size() == 1 && !mixed;
    for (const std::size_t place : places) {
      (apart ? together_ : alone_).push_back(place);
      if (apart) texts_.emplace(std::get<std::string>(keys[place].front().value), place);
    }
  }
  std::ranges::sort(together_);
  std::ranges::sort(alone_);
}

std::optional<std::size_t> SqlBatch::find(std::int64_t key) const {
  if (const auto found = integers_.find(key); found != integers_.end()) return found->second;
  if (texts_.empty()) return std::nullopt;
  // The key was given as text, the column holds integers.
  std::string digits;
  append_json_integer(digits, key);
  const auto found = texts_.find(digits);
  return found == texts_.end() ? std::nullopt : std::optional{found->second};
}

std::optional<std::size_t> SqlBatch::find(std::string_view key) const {
  if (const auto found = texts_.find(key); found != texts_.end()) return found->second;
  // The key was given as an integer, the column holds text.
  std::int64_t number = 0;
  const auto read = std::from_chars(key.data(), key.data() + key.size(), number);
  if (read.ec != std::errc{} || read.ptr != key.data() + key.size()) return std::nullopt;
  if (std::to_string(number) != key) return std::nullopt;
  const auto found = integers_.find(number);
  return found == integers_.end() ? std::nullopt : std::optional{found->second};
}

std::string SqlBatch::list(std::span<const std::size_t> places) const {
  std::string text = "[";
  for (const std::size_t place : places) {
    if (text.size() > 1) text += ',';
    const SqlValue& value = keys_[place].front().value;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      append_json_integer(text, *integer);
    } else {
      (void)append_json_string(text, std::get<std::string>(value));  // fits_json() told
    }
  }
  return text += ']';
}

}  // namespace larder
