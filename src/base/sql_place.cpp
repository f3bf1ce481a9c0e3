#include "base/sql_place.hpp"

#include <algorithm>

#include "base/ascii_case.hpp"

namespace larder {

namespace {

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

// Of an unquoted name; what is not ASCII may be.
bool in_word(char c) {
  const char small = lower(c);
  return (small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80U;
}

}  // namespace

std::string point_at(std::string_view sql, std::size_t offset) {
  offset = std::min(offset, sql.size());
  const std::string_view before = sql.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  const std::size_t start = newline == std::string_view::npos ? 0 : newline + 1;
  const std::string_view line = sql.substr(start, sql.find('\n', start) - start);
  const std::string_view lead = sql.substr(start, offset - start);

  std::string text = "line " + std::to_string(std::count(before.begin(), before.end(), '\n') + 1) +
                     ", column " + std::to_string(characters(lead) + 1) + ":\n  ";
  text += line;
  text += "\n  ";
  // A tab stays a tab, so that the caret stands under the place in any terminal.
  for (const char c : lead) {
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) text += c == '\t' ? '\t' : ' ';
  }
  return text += '^';
}

std::optional<std::size_t> place_of(std::string_view sql, std::string_view name) {
  if (name.empty()) return std::nullopt;
  std::string_view rest = sql;
  while (true) {
    const auto found = std::ranges::search(rest, name, {}, lower, lower);
    if (found.empty()) return std::nullopt;
    const auto at = static_cast<std::size_t>(found.begin() - sql.begin());
    const std::size_t end = at + name.size();
    const bool starts = at == 0 || !in_word(sql[at - 1]);
    if (starts && (end == sql.size() || !in_word(sql[end]))) return at;
    rest = sql.substr(at + 1);
  }
}

std::string join(const std::vector<std::string>& names, std::string_view sigil) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ", ";
    text += sigil;
    text += name;
  }
  return text;
}

}  // namespace larder
