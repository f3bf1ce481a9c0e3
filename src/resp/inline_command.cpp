#include "resp/inline_command.hpp"

#include <cstddef>
#include <optional>

namespace larder::resp {
namespace {

// Redis skips what isspace() says between arguments, and yet \v and \f do not
// end one.
bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool ends_argument(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

char unescaped(char c) {
  switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    default: return c;
  }
}

class Splitter {
 public:
  Splitter(std::string_view line, std::string& storage) : line_{line}, storage_{storage} {}

  void skip_blanks() {
    while (!done() && is_blank(line_[at_])) ++at_;
  }
  [[nodiscard]] bool done() const { return at_ == line_.size(); }

  // Appends one argument to the storage. A quote may open in the middle of it.
  [[nodiscard]] bool argument() {
    while (!done() && !ends_argument(line_[at_])) {
      const char c = line_[at_++];
      if (c == '"' || c == '\'') return quoted(c);
      storage_ += c;
    }
    return true;
  }

 private:
  // The rest of an argument whose opening quote was passed.
  [[nodiscard]] bool quoted(char quote) {
    while (!done()) {
      const char c = line_[at_++];
      if (c == quote) return done() || is_blank(line_[at_]);
      storage_ += c == '\\' ? escape(quote) : c;
    }
    return false;
  }

  // What a backslash, just passed, stands for.
  char escape(char quote) {
    if (done()) return '\\';
    if (quote == '\'') {
      if (line_[at_] != '\'') return '\\';
      return line_[at_++];
    }
    if (line_[at_] == 'x' && line_.size() - at_ >= 3) {
      const auto high = hex_digit(line_[at_ + 1]);
      const auto low = hex_digit(line_[at_ + 2]);
      if (high && low) {
        at_ += 3;
        return static_cast<char>(*high * 16 + *low);
      }
    }
    return unescaped(line_[at_++]);
  }

  std::string_view line_;
  std::string& storage_;
  std::size_t at_ = 0;
};

}  // namespace

bool split_inline(std::string_view line, std::string& storage,
                  std::vector<std::string_view>& arguments) {
  arguments.clear();
  storage.clear();
  storage.reserve(line.size());  // never outgrown, so that the views stay good

  Splitter splitter{line, storage};
  for (splitter.skip_blanks(); !splitter.done(); splitter.skip_blanks()) {
    const std::size_t begin = storage.size();
    if (!splitter.argument()) return false;
    arguments.emplace_back(storage.data() + begin, storage.size() - begin);
  }
  return true;
}

}  // namespace larder::resp
