// What is wrong with a configuration file, and where.
//
// Threads: plain values.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace larder {

// A place in the file, counted from 1. Line 0: the file as a whole.
struct Position {
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  friend auto operator<=>(const Position&, const Position&) = default;
};

struct Problem {
  enum class Severity : std::uint8_t {
    kMistake,  // the configuration is refused
    kWarning,  // it works, but hardly as meant
  };

  Position position;
  Severity severity = Severity::kMistake;
  std::string message;  // a sentence: what is wrong, what was meant

  // In the order of the text.
  friend auto operator<=>(const Problem&, const Problem&) = default;
};

// "shop.toml:12:10: caches.product.ttl …", as editors and compilers have it.
[[nodiscard]] std::string to_string(const Problem& problem, std::string_view file);

[[nodiscard]] bool has_mistake(const std::vector<Problem>& problems);

}  // namespace larder
