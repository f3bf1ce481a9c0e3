// Reading the words of a command as numbers and options, as Redis reads them.
//
// Threads: pure functions.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/command.hpp"

namespace larder::commands {

inline constexpr std::string_view kNotAnInteger = "ERR value is not an integer or out of range";
inline constexpr std::string_view kSyntaxError = "ERR syntax error";

// A decimal int64 as it would be printed: no '+', no blanks, no leading zero.
[[nodiscard]] inline std::optional<std::int64_t> to_integer(std::string_view word) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (problem != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  const std::string_view digits = word.substr(word.front() == '-' ? 1 : 0);
  if (digits.front() == '0' && word.size() > 1) return std::nullopt;
  return value;
}

// The longest pattern that is matched with keys: each key costs up to its length
// times the pattern's.
inline constexpr std::size_t kLongestPattern = 1024;  // bytes

[[nodiscard]] inline std::string pattern_too_long(std::string_view pattern) {
  return "ERR the pattern has " + std::to_string(pattern.size()) + " bytes; at most " +
         std::to_string(kLongestPattern) + " are matched";
}

// What Redis shows of a word in a message.
[[nodiscard]] inline std::string_view up_to_nul(std::string_view word) {
  return word.substr(0, word.find('\0'));
}

[[nodiscard]] inline std::string wrong_arity(std::string_view command) {
  return "ERR wrong number of arguments for '" + std::string{command} + "' command";
}

// To words that are too many for a subcommand, where its arity alone does not say so.
[[nodiscard]] inline std::string wrong_arguments(Arguments words) {
  std::string upper{words[0]};
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return "ERR unknown subcommand or wrong number of arguments for '" +
         std::string{up_to_nul(words[1])} + "'. Try " + upper + " HELP.";
}

}  // namespace larder::commands
