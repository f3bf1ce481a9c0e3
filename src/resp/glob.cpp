#include "resp/glob.hpp"

#include <cstddef>
#include <utility>

namespace larder::resp {
namespace {

class Matcher {
 public:
  Matcher(std::string_view pattern, GlobCase letters)
      : pattern_{pattern}, ignore_case_{letters == GlobCase::kIgnore} {}

  // Where a star stands and the rest does not fit, the star takes one byte more.
  // Only the last star need ever be tried again: an earlier one that took more
  // could not bring the rest to fit where the last one fails.
  [[nodiscard]] bool matches(std::string_view text) const {
    constexpr std::size_t kNone = std::string_view::npos;
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t after_star = kNone;
    std::size_t star_took_to = 0;
    while (t < text.size()) {
      if (p < pattern_.size() && pattern_[p] == '*') {
        after_star = ++p;
        star_took_to = t;
      } else if (p < pattern_.size() && fits(p, text[t])) {
        ++t;
      } else if (after_star != kNone) {
        p = after_star;
        t = ++star_took_to;
      } else {
        return false;
      }
    }
    while (p < pattern_.size() && pattern_[p] == '*') ++p;
    return p == pattern_.size();
  }

 private:
  // Whether `c` fits the one-byte element at `p`; moves `p` past it either way.
  [[nodiscard]] bool fits(std::size_t& p, char c) const {
    switch (pattern_[p]) {
      case '?': ++p; return true;
      case '[': ++p; return class_has(p, c);
      case '\\':
        if (p + 1 < pattern_.size()) ++p;
        break;
      default: break;
    }
    return folded(pattern_[p++]) == folded(c);
  }

  // `p` stands after '['.
  [[nodiscard]] bool class_has(std::size_t& p, char c) const {
    const bool negated = p < pattern_.size() && pattern_[p] == '^';
    if (negated) ++p;
    bool has = false;
    while (p < pattern_.size() && pattern_[p] != ']') {
      const std::size_t left = pattern_.size() - p;
      if (pattern_[p] == '\\' && left >= 2) {
        has |= folded(pattern_[p + 1]) == folded(c);
        p += 2;
      } else if (left >= 3 && pattern_[p + 1] == '-') {
        has |= in_range(pattern_[p], pattern_[p + 2], c);
        p += 3;
      } else {
        has |= folded(pattern_[p]) == folded(c);
        ++p;
      }
    }
    if (p < pattern_.size()) ++p;
    return has != negated;
  }

  [[nodiscard]] bool in_range(char first, char last, char c) const {
    unsigned char low = folded(first);
    unsigned char high = folded(last);
    if (low > high) std::swap(low, high);
    return folded(c) >= low && folded(c) <= high;
  }

  [[nodiscard]] unsigned char folded(char c) const {
    if (ignore_case_ && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return static_cast<unsigned char>(c);
  }

  std::string_view pattern_;
  bool ignore_case_;
};

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text, GlobCase letters) {
  return Matcher{pattern, letters}.matches(text);
}

}  // namespace larder::resp
