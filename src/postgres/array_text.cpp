#include "postgres/array_text.hpp"

#include <cstddef>

namespace larder {

namespace {

constexpr std::size_t kMostDimensions = 6;  // PostgreSQL's MAXDIM

// Where an element may stand, and what may follow it.
enum class Expect : unsigned char { kElement, kElementOrEnd, kDelimiterOrEnd };

std::unexpected<Error> no_array() {
  return fail(Errc::kBadValue, "should hold an array, and PostgreSQL's text of it is not one");
}

class Reader {
 public:
  Reader(std::string_view text, char delimiter) : text_{text}, delimiter_{delimiter} {}

  // Moves past a quoted element and unescapes it into element().
  [[nodiscard]] bool quoted() {
    element_.clear();
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') return ++at_, true;
      if (text_[at_] == '\\') ++at_;
      if (at_ == text_.size()) return false;
      element_ += text_[at_];
    }
    return false;
  }

  [[nodiscard]] std::string_view bare() {
    const std::size_t start = at_;
    while (at_ < text_.size() && text_[at_] != delimiter_ && text_[at_] != '}') ++at_;
    return text_.substr(start, at_ - start);
  }

  // A lower bound, as in [0:2]={…}, says nothing that JSON could.
  [[nodiscard]] bool skip_bounds() {
    if (!text_.starts_with('[')) return true;
    at_ = text_.find('=');
    if (at_ == std::string_view::npos) return false;
    ++at_;
    return true;
  }

  [[nodiscard]] bool ended() const { return at_ >= text_.size(); }
  [[nodiscard]] char next() const { return text_[at_]; }
  void skip() { ++at_; }
  [[nodiscard]] const std::string& element() const { return element_; }

 private:
  std::string_view text_;
  char delimiter_;
  std::size_t at_ = 0;
  std::string element_;
};

}  // namespace

Result<void> append_array(std::string& out, std::string_view text, char delimiter,
                          const std::function<Result<void>(std::string_view element)>& append) {
  Reader reader{text, delimiter};
  if (!reader.skip_bounds() || reader.ended() || reader.next() != '{') return no_array();
  std::size_t depth = 0;
  Expect expect = Expect::kElement;
  do {
    if (reader.ended()) return no_array();
    const char next = reader.next();
    if (next == '}') {
      if (expect == Expect::kElement) return no_array();
      reader.skip();
      out += ']';
      --depth;
      expect = Expect::kDelimiterOrEnd;
    } else if (expect == Expect::kDelimiterOrEnd) {
      if (next != delimiter) return no_array();
      reader.skip();
      out += ',';
      expect = Expect::kElement;
    } else if (next == '{') {
      if (++depth > kMostDimensions) return no_array();
      reader.skip();
      out += '[';
      expect = Expect::kElementOrEnd;
    } else {
      Result<void> appended;
      if (next == '"') {
        if (!reader.quoted()) return no_array();
        appended = append(reader.element());
      } else if (const std::string_view bare = reader.bare(); bare.empty()) {
        return no_array();
      } else if (bare == "NULL") {
        out += "null";
      } else {
        appended = append(bare);
      }
      if (!appended) return appended;
      expect = Expect::kDelimiterOrEnd;
    }
  } while (depth > 0);
  if (!reader.ended()) return no_array();
  return {};
}

void append_array_element(std::string& array, std::string_view element) {
  array += '"';
  for (const char c : element) {
    if (c == '"' || c == '\\') array += '\\';
    array += c;
  }
  array += '"';
}

}  // namespace larder
