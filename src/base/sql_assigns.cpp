#include "base/sql_assigns.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace larder {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '"';
}

// The word that ends before `at`, past blanks; empty: none does. Moves `at` before it.
std::string_view word_before(std::string_view text, std::size_t& at) {
  std::size_t end = at;
  while (end > 0 && kBlanks.contains(text[end - 1])) --end;
  std::size_t begin = end;
  while (begin > 0 && is_word(text[begin - 1])) --begin;
  at = begin;
  return text.substr(begin, end - begin);
}

// Whether what stands before a parenthesis is no function.
bool may_open(std::string_view text, std::size_t at) {
  constexpr std::array<std::string_view, 9> kKeywords{"values", "in", "conflict", "set", "where",
                                                      "and",    "or", "not",      "key"};
  const std::string_view word = word_before(text, at);
  if (word.empty() || std::ranges::find(kKeywords, word) != kKeywords.end()) return true;
  return word_before(text, at) == "into";
}

// Whether what stands behind an equals sign is a parameter or a constant.
bool may_be_assigned(std::string_view rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
  if (rest.empty()) return false;
  const char first = rest.front();
  if (first == ':' || first == '\'' || std::isdigit(static_cast<unsigned char>(first)) != 0) {
    return true;
  }
  if (first == '(') return may_be_assigned(rest.substr(1));
  constexpr std::array<std::string_view, 6> kConstants{"excluded.", "null",    "true",
                                                       "false",     "default", "current_timestamp"};
  return std::ranges::any_of(kConstants, [rest](auto word) { return rest.starts_with(word); });
}

}  // namespace

bool only_assigns(std::string_view sql) {
  std::string text{sql};
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (text.contains("select") || text.contains("case")) return false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (std::string_view{"+-*/%|&~^#"}.contains(c)) return false;
    if (c == '(' && !may_open(text, at)) return false;
    if (c == '=' && !may_be_assigned(std::string_view{text}.substr(at + 1))) return false;
  }
  return true;
}

}  // namespace larder
