// What a user may do, by cache.
//
// Three rights, none of which includes another: `read` values and what is known of
// them, `write` and drop them, `admin`ister: what touches a cache as a whole, and,
// given for all caches, the server itself. A right is written RIGHT:CACHE, as in
// "read:product", and for all caches, those to come included, "read:*".
//
// Threads: plain values.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/error.hpp"

namespace larder {

enum class Right : std::uint8_t { kRead = 1, kWrite = 2, kAdmin = 4 };

[[nodiscard]] std::string_view to_string(Right right);

// A right to one cache, or to all.
struct Grant {
  Right right = Right::kRead;
  std::string cache;  // "*": all

  // Errors are half sentences that follow the text: `names no right; …`.
  [[nodiscard]] static Result<Grant> parse(std::string_view text);

  friend bool operator==(const Grant&, const Grant&) = default;
};

class Rights {
 public:
  Rights() = default;  // none
  explicit Rights(std::span<const Grant> grants);
  [[nodiscard]] static Rights all();

  // Whether the right holds for `cache`. O(log caches named). No allocation.
  [[nodiscard]] bool allow(Right right, std::string_view cache) const;
  // Whether it holds for all caches, those that are not there yet included.
  [[nodiscard]] bool allow_everywhere(Right right) const { return has(everywhere_, right); }
  // Whether nothing at all is forbidden: the one question of the hot path.
  [[nodiscard]] bool unlimited() const { return everywhere_ == kAll; }

  friend bool operator==(const Rights&, const Rights&) = default;

 private:
  using Set = std::uint8_t;  // of Right, a bit each
  static constexpr Set kAll = 7;
  [[nodiscard]] static constexpr bool has(Set set, Right right) {
    return (set & static_cast<Set>(right)) != 0;
  }

  Set everywhere_ = 0;
  std::vector<std::pair<std::string, Set>> by_cache_;  // sorted by name, each once
};

}  // namespace larder
