// Key patterns: `product:{id:int}` names the keys of one cache and the parts in
// them.
//
// A pattern is literal text with parts in braces, `{name:type}`; the type is
// `text` (one or more bytes without the next literal's first byte; the default)
// or `int` (a decimal int64 as it would be printed: no sign but '-', no leading
// zero). `{{` and `}}` in the literal text stand for the braces themselves. Two
// parts never touch, and no digit follows an int, so a part ends where the next
// literal's first byte stands: each key has at most one reading, found in one
// pass.
//
// Threads: immutable once parsed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "larder/error.hpp"
#include "larder/sql_database.hpp"

namespace larder {

class KeyPattern {
 public:
  enum class PartType : std::uint8_t { kText, kInt };
  struct Part {
    std::string name;
    PartType type = PartType::kText;
  };
  enum class Match : std::uint8_t {
    kNo,       // another cache's key
    kBadPart,  // the literals fit, a part does not fit its type
    kYes,
  };

  // Limits: what a person writes fits many times.
  static constexpr std::size_t kMaxLength = 256;  // bytes of a pattern
  static constexpr std::size_t kMaxParts = 16;

  // Fits the empty key only.
  KeyPattern() : literals_{""} {}
  // Errors (kInvalidArgument) say what is wrong and at which byte of the pattern,
  // counted from 1.
  [[nodiscard]] static Result<KeyPattern> parse(std::string_view text);

  // Whether `key` fits. On kYes, `*parts` holds a parameter for each part, in
  // order; otherwise it is empty. On kBadPart, `*problem` says which part and
  // why: `"abc" is no int for {id}`. Either may be null. One pass over the key;
  // allocates nothing when both are null.
  [[nodiscard]] Match match(std::string_view key, SqlParameters* parts, std::string* problem) const;

  // Whether some key could fit both. Exact for text; an int part counts as digits
  // of any number, so patterns that share only keys with an int beyond int64 are
  // said to overlap. Costs time in the product of the lengths: for set-up.
  [[nodiscard]] bool overlaps(const KeyPattern& other) const;

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }
  // The text around the parts, unescaped: one more than there are parts.
  [[nodiscard]] const std::vector<std::string>& literals() const { return literals_; }

 private:
  std::string text_;
  std::vector<Part> parts_;
  std::vector<std::string> literals_;  // parts_.size() + 1, around the parts
};

}  // namespace larder
