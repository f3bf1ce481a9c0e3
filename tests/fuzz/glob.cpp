// Globs: glob_matches says what a table of all prefixes says.
#include "resp/glob.hpp"

#include "fuzz/check.hpp"

namespace larder::resp {
namespace {

using fuzz::require;

// A pattern's element, by what it stands for: a star, or the set of bytes it takes.
struct Element {
  bool star = false;
  std::vector<bool> takes = std::vector<bool>(256, false);
};

std::size_t number(char c) { return static_cast<unsigned char>(c); }

Element element_of(const std::string& class_text, bool negated) {
  Element element;
  for (std::size_t i = 0; i < class_text.size();) {
    const std::string_view rest = std::string_view{class_text}.substr(i);
    if (rest.size() >= 2 && rest[0] == '\\') {
      element.takes[number(rest[1])] = true;
      i += 2;
    } else if (rest.size() >= 3 && rest[1] == '-') {
      const auto [low, high] = std::minmax({number(rest[0]), number(rest[2])});
      for (std::size_t c = low; c <= high; ++c) element.takes[c] = true;
      i += 3;
    } else {
      element.takes[number(rest[0])] = true;
      ++i;
    }
  }
  if (negated) element.takes.flip();
  return element;
}

// The text of a class from after its '[' (and '^') to before its ']'.
std::string class_text_at(std::string_view pattern, std::size_t& i) {
  std::string text;
  while (i < pattern.size() && pattern[i] != ']') {
    const bool escape = pattern[i] == '\\' && pattern.size() - i >= 2;
    const bool range = !escape && pattern.size() - i >= 3 && pattern[i + 1] == '-';
    const std::size_t length = escape ? 2 : range ? 3 : 1;
    text += pattern.substr(i, length);
    i += length;
  }
  ++i;
  return text;
}

std::vector<Element> elements_of(std::string_view pattern) {
  std::vector<Element> elements;
  std::size_t i = 0;
  while (i < pattern.size()) {
    const char c = pattern[i++];
    Element element;
    if (c == '*') {
      element.star = true;
    } else if (c == '?') {
      element.takes.assign(256, true);
    } else if (c == '[') {
      const bool negated = i < pattern.size() && pattern[i] == '^';
      if (negated) ++i;
      element = element_of(class_text_at(pattern, i), negated);
    } else {
      element.takes[number(c == '\\' && i < pattern.size() ? pattern[i++] : c)] = true;
    }
    elements.push_back(element);
  }
  return elements;
}

// reached[t]: the elements so far fit the first t bytes.
bool reference_matches(std::string_view pattern, std::string_view text) {
  std::vector<bool> reached(text.size() + 1, false);
  reached[0] = true;
  for (const Element& element : elements_of(pattern)) {
    std::vector<bool> next(text.size() + 1, false);
    for (std::size_t t = 0; t <= text.size(); ++t) {
      if (element.star) {
        next[t] = reached[t] || (t > 0 && next[t - 1]);
      } else {
        next[t] = t > 0 && reached[t - 1] && element.takes[number(text[t - 1])];
      }
    }
    reached = next;
  }
  return reached.back();
}

std::string lower(std::string_view text) {
  std::string lowered{text};
  for (char& c : lowered) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lowered;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Input input{data, std::min<std::size_t>(size, 1000)};
  const std::size_t newline = std::min(input.bytes.find('\n'), input.bytes.size());
  const std::string_view pattern = input.bytes.substr(0, newline);
  const std::string_view text = input.bytes.substr(std::min(newline + 1, input.bytes.size()));

  require(glob_matches(pattern, text) == reference_matches(pattern, text), "as the table says");
  require(glob_matches(pattern, text, GlobCase::kIgnore) ==
              reference_matches(lower(pattern), lower(text)),
          "without case, as of lower letters");
  return 0;
}

}  // namespace larder::resp
