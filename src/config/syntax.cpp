#include "config/syntax.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "base/quantity.hpp"
#include "config/parse.hpp"

namespace larder {
namespace {

// What a person writes needs a fraction of it; deeper tables would cost the
// parser and its tables' destructors stack, without end.
constexpr std::size_t kMaxDepth = 16;

// Walks over a TOML text without reading it: strings and comments are skipped,
// brackets and the dots of keys are counted.
class DepthScan {
 public:
  explicit DepthScan(std::string_view text) : text_{text} {}

  std::optional<Problem> scan() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        skip_string(c);
        continue;
      }
      if (c == '#') {
        skip_comment();
        continue;
      }
      count(c);
      if (depth_ > kMaxDepth) return refuse("brackets are nested");
      if (dots_ >= kMaxDepth) return refuse("a key has more parts");
      advance();
    }
    return std::nullopt;
  }

 private:
  void count(char c) {
    if (c == '.') ++dots_;
    if (c == '[' || c == '{') ++depth_;
    if ((c == ']' || c == '}') && depth_ > 0) --depth_;
    const bool ends_key =
        c == '\n' || c == '=' || c == ',' || c == '[' || c == ']' || c == '{' || c == '}';
    if (ends_key) dots_ = 0;
  }

  [[nodiscard]] bool tripled(char quote) const {
    return text_.substr(at_).starts_with(std::string(3, quote));
  }

  void skip_string(char quote) {
    const bool multiline = tripled(quote);
    for (int i = 0; i < (multiline ? 3 : 1); ++i) advance();
    while (at_ < text_.size()) {
      if (text_[at_] == '\\' && quote == '"') {
        advance();
        if (at_ < text_.size()) advance();
        continue;
      }
      if (!multiline && text_[at_] == '\n') return;  // an error for the parser to name
      const bool ends = text_[at_] == quote && (!multiline || tripled(quote));
      advance();
      if (!ends) continue;
      if (!multiline) return;
      advance();
      advance();
      return;
    }
  }

  void skip_comment() {
    while (at_ < text_.size() && text_[at_] != '\n') advance();
  }

  void advance() {
    ++position_.column;
    if (text_[at_++] != '\n') return;
    ++position_.line;
    position_.column = 1;
  }

  [[nodiscard]] Problem refuse(const std::string& what) const {
    return {.position = position_,
            .message = what + " more than " + std::to_string(kMaxDepth) +
                       " deep; no setting is deeper than three, as in caches.product.ttl."};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Position position_{1, 1};
  std::size_t depth_ = 0;
  std::size_t dots_ = 0;
};

std::string_view line_of(std::string_view text, std::uint32_t line) {
  for (std::uint32_t i = 1; i < line; ++i) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// The commonest mistake: a text without its quotes.
std::string missing_quotes(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return {};
  std::string_view value = trimmed(line.substr(equals + 1));
  if (const std::size_t comment = value.find(" #"); comment != std::string_view::npos) {
    value = trimmed(value.substr(0, comment));
  }
  if (value.empty() || value.find_first_of("\"'[]{}") != std::string_view::npos) return {};
  const std::string key{trimmed(line.substr(0, equals))};
  if (parse_duration(value) || parse_bytes(value)) {
    return " Durations and sizes stand in quotes: " + key + " = \"" + std::string{value} + "\".";
  }
  const bool letter = (value[0] | 0x20) >= 'a' && (value[0] | 0x20) <= 'z';
  if (!letter || value == "true" || value == "false") return {};
  return " A text stands in quotes: " + key + " = \"" + std::string{value} + "\".";
}

Problem explain(const toml::parse_error& error, std::string_view text) {
  const Position position = position_of(error.source());
  std::string message = "the file is not TOML from here on: " + std::string{error.description()};
  if (!message.ends_with('.')) message += '.';
  message += missing_quotes(line_of(text, position.line));
  message += " Mend this first: the settings of this file were not checked.";
  return {.position = position, .message = std::move(message)};
}

}  // namespace

Position position_of(const toml::source_region& region) {
  return {region.begin.line, region.begin.column};
}

std::expected<toml::table, Problem> parse_toml(std::string_view text) {
  if (text.size() > kMaxConfigBytes) {
    return std::unexpected{
        Problem{.position = {1, 1},
                .message = "the file has more than " + format_bytes({kMaxConfigBytes}) +
                           "; a configuration needs a few kilobytes. Is it the right file?"}};
  }
  if (auto problem = DepthScan{text}.scan()) return std::unexpected{std::move(*problem)};
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return std::unexpected{explain(error, text)};
  }
}

}  // namespace larder
