// A command's syntax line as a tree, as COMMAND DOCS tells it: so that redis-cli can
// hint and complete what a command takes, without a second description of it.
//
// The line: words in capitals stand for themselves, others name a value. [optional],
// <one of | these>, [a | b] an optional choice, "..." says that all since the last
// bracket may come again, and a bracket that repeats what is before it ("key [key ...]")
// that there may be more of that.
//
// Threads: pure functions. The views are into the line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace larder {

struct SyntaxArgument {
  enum class Kind : std::uint8_t { kValue, kWord, kOneOf, kBlock };

  Kind kind = Kind::kValue;
  std::string name{};        // of a kWord: the word in small letters
  std::string_view token{};  // the word before it, or the word itself; may be empty
  bool optional = false;
  bool multiple = false;
  std::vector<SyntaxArgument> arguments{};  // of a kOneOf or a kBlock
};

// REQUIRES: brackets are balanced.
[[nodiscard]] std::vector<SyntaxArgument> parse_syntax(std::string_view line);

}  // namespace larder
