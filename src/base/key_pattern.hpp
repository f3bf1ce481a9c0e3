// Key patterns: `product:{id:int}` names the keys of one cache and the parts in
// them.
//
// A pattern is literal text with parts in braces, `{name:type}`; the type is
// `text` (one or more bytes without the next literal's first byte; the default)
// or `int` (a decimal int64 as it would be printed: no sign but '-', no leading
// zero). Two parts never touch. So each key has at most one reading.
//
// Threads: immutable once parsed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "larder/error.hpp"
#include "larder/sql.hpp"

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

  KeyPattern() = default;
  // Errors say what is wrong and at which byte of the pattern.
  [[nodiscard]] static Result<KeyPattern> parse(std::string_view text);

  // Whether `key` fits; on kYes, `parts` holds a parameter for each part, in order. On
  // kBadPart, `problem` says which part and why: `"abc" is no int for {id}`.
  [[nodiscard]] Match match(std::string_view key, SqlParameters* parts, std::string* problem) const;

  // Whether some key could fit both.
  [[nodiscard]] bool overlaps(const KeyPattern& other) const;

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }

 private:
  std::string text_;
  std::vector<Part> parts_;
  std::vector<std::string> literals_;  // parts_.size() + 1, around the parts
};

}  // namespace larder
