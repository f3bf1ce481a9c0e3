// Steps over a document that is known to be JSON, value by value, each as it stands.
//
// Threads: none; the text must outlive it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace larder {

class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : text_{text} {}

  char peek() {
    at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void skip() { ++at_; }

  // The next value as it stands.
  std::string_view value() {
    const char first = peek();
    const std::size_t begin = at_;
    if (first == '"') {
      string();
    } else if (first == '{' || first == '[') {
      nested();
    } else {
      at_ = std::min(text_.find_first_of(" \t\r\n,]}", at_), text_.size());
    }
    return text_.substr(begin, at_ - begin);
  }

 private:
  void string() {
    for (++at_; text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
  }
  void nested() {
    std::size_t depth = 0;
    do {
      const char c = text_[at_];
      if (c == '"') {
        string();
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
    } while (depth > 0);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

struct JsonMember {
  std::string name;
  std::string_view value;  // as it stands in the document
};

// The members of an object, in their order. REQUIRES: `object` is a JSON object.
[[nodiscard]] std::vector<JsonMember> json_members(std::string_view object);

// What a JSON string says. REQUIRES: it is one.
[[nodiscard]] std::string unquoted(std::string_view quoted);

}  // namespace larder
