#include "base/key_pattern.hpp"

#include <algorithm>
#include <bitset>
#include <charconv>
#include <cstddef>
#include <optional>
#include <utility>
#include <variant>

namespace larder {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// An int64 exactly as it would be printed.
std::optional<std::int64_t> canonical_int(std::string_view text) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || !is_digit(digits[0])) return std::nullopt;
  if (digits[0] == '0' && text.size() > 1) return std::nullopt;  // "007", "-0"
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// How much of a key a message shows: keys come from clients and may be huge or binary.
// What is not ASCII stays, up to a whole character's end.
std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 40;
  const auto continues = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
  };
  std::size_t end = std::min(text.size(), kMost);
  while (end < text.size() && end > kMost - 3 && continues(end)) --end;
  std::string out = "\"";
  for (const char c : text.substr(0, end)) {
    out += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c;
  }
  return out + (end < text.size() ? "…\"" : "\"");
}

std::string misfit(std::string_view value, const KeyPattern::Part& part) {
  if (value.empty()) return "{" + part.name + "} is empty";
  return shown(value) + " is no int for {" + part.name + "}";
}

// Where the part at the front of `rest` ends: at the next literal's first byte.
// A part has at least one byte, and an int's own '-' does not end it.
std::size_t part_end(std::string_view rest, KeyPattern::PartType type, const std::string& next) {
  if (next.empty()) return rest.size();
  const bool minus = type == KeyPattern::PartType::kInt && rest.starts_with('-');
  return rest.find(next[0], minus ? 1 : 0);
}

// Reads a pattern from left to right; `at_` is the next byte.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_{text} {}

  Result<std::monostate> parse() {
    if (text_.empty()) return refuse(0, "a pattern needs text, as in product:{id:int}");
    if (text_.size() > KeyPattern::kMaxLength) {
      return refuse(KeyPattern::kMaxLength,
                    "a pattern has at most " + std::to_string(KeyPattern::kMaxLength) + " bytes");
    }
    while (at_ < text_.size()) {
      const auto step = text_[at_] == '{' && !next_is('{') ? part() : literal();
      if (!step) return std::unexpected{step.error()};
    }
    return {};
  }

  std::vector<KeyPattern::Part> take_parts() { return std::move(parts_); }
  std::vector<std::string> take_literals() { return std::move(literals_); }

 private:
  using Step = Result<std::monostate>;

  [[nodiscard]] bool next_is(char c) const { return at_ + 1 < text_.size() && text_[at_ + 1] == c; }

  static std::unexpected<Error> refuse(std::size_t at, const std::string& why) {
    return fail(Errc::kInvalidArgument, why + " (byte " + std::to_string(at + 1) + ")");
  }

  Step literal() {
    const char c = text_[at_];
    if (c == '}' && !next_is('}')) {
      return refuse(at_, "a '}' closes nothing; the byte itself is written }}");
    }
    std::string& text = literals_.back();
    const bool after_int =
        text.empty() && !parts_.empty() && parts_.back().type == KeyPattern::PartType::kInt;
    if (after_int && is_digit(c)) {
      return refuse(at_, "a digit right after the int {" + parts_.back().name +
                             "} would be read as part of it; put another byte between them");
    }
    text += c;
    at_ += c == '{' || c == '}' ? 2 : 1;
    return {};
  }

  Step part() {
    const std::size_t start = at_;
    if (literals_.back().empty() && !parts_.empty()) {
      return refuse(start, "two parts touch; put a byte between them, as in {a}:{b}");
    }
    if (parts_.size() == KeyPattern::kMaxParts) {
      return refuse(start,
                    "a pattern has at most " + std::to_string(KeyPattern::kMaxParts) + " parts");
    }
    const std::size_t end = text_.find('}', start);
    if (end == std::string_view::npos) {
      return refuse(start, "this '{' is never closed; the byte itself is written {{");
    }
    const std::string_view inside = text_.substr(start + 1, end - start - 1);
    const std::size_t colon = inside.find(':');
    const std::string_view name = inside.substr(0, colon);
    if (auto named = check_name(name, start + 1); !named) return named;
    KeyPattern::Part part{.name = std::string{name}};
    if (colon != std::string_view::npos) {
      const std::string_view type = inside.substr(colon + 1);
      if (type != "int" && type != "text") {
        return refuse(start + 2 + colon, "{" + std::string{name} + "} has the unknown type \"" +
                                             std::string{type} + "\"; there are int and text");
      }
      if (type == "int") part.type = KeyPattern::PartType::kInt;
    }
    parts_.push_back(std::move(part));
    literals_.emplace_back();
    at_ = end + 1;
    return {};
  }

  // A part's name is also a parameter's name in SQL.
  [[nodiscard]] Step check_name(std::string_view name, std::size_t at) const {
    if (name.empty()) return refuse(at, "a part needs a name, as in {id}");
    for (std::size_t i = 0; i < name.size(); ++i) {
      if (is_letter(name[i]) || (i > 0 && is_digit(name[i]))) continue;
      return refuse(at + i, "a part's name has letters, digits and '_' and begins with no digit");
    }
    for (const KeyPattern::Part& part : parts_) {
      if (part.name == name) {
        return refuse(at, "the part {" + std::string{name} + "} stands twice");
      }
    }
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<KeyPattern::Part> parts_;
  std::vector<std::string> literals_{""};
};

// A pattern as a deterministic automaton over bytes: from each state, at most
// one edge takes a given byte. Two patterns overlap when both can reach their
// ends on the same bytes.
class KeyAutomaton {
 public:
  using Bytes = std::bitset<256>;
  struct Edge {
    Bytes bytes;
    std::size_t to;
  };
  struct State {
    std::vector<Edge> edges;
    bool accepts = false;
  };

  explicit KeyAutomaton(const KeyPattern& pattern) {
    states_.emplace_back();
    add_literal({0}, pattern.literals()[0]);
    for (std::size_t i = 0; i < pattern.parts().size(); ++i) {
      const std::string& next = pattern.literals()[i + 1];
      const std::size_t start = states_.size() - 1;
      const auto ends = pattern.parts()[i].type == KeyPattern::PartType::kInt
                            ? add_int(start)
                            : add_text(start, next);
      add_literal(ends, next);
      if (next.empty()) {
        for (const std::size_t end : ends) states_[end].accepts = true;
        return;
      }
    }
    states_.back().accepts = true;
  }

  [[nodiscard]] std::size_t size() const { return states_.size(); }
  [[nodiscard]] const State& state(std::size_t index) const { return states_[index]; }

 private:
  using Ends = std::vector<std::size_t>;  // the states in which a part may be over

  static Bytes one(char c) { return Bytes{}.set(static_cast<unsigned char>(c)); }
  static Bytes range(char first, char last) {
    Bytes bytes;
    for (char c = first; c <= last; ++c) bytes |= one(c);
    return bytes;
  }

  std::size_t add_state() {
    states_.emplace_back();
    return states_.size() - 1;
  }

  void add_literal(Ends from, std::string_view literal) {
    for (const char c : literal) {
      const std::size_t to = add_state();
      for (const std::size_t state : from) states_[state].edges.push_back({one(c), to});
      from = {to};
    }
  }

  Ends add_text(std::size_t start, std::string_view next) {
    Bytes bytes = Bytes{}.set();
    if (!next.empty()) bytes &= ~one(next[0]);
    const std::size_t more = add_state();
    states_[start].edges.push_back({bytes, more});
    states_[more].edges.push_back({bytes, more});
    return {more};
  }

  Ends add_int(std::size_t start) {
    const std::size_t minus = add_state();
    const std::size_t zero = add_state();
    const std::size_t digits = add_state();
    states_[start].edges = {{one('-'), minus}, {one('0'), zero}, {range('1', '9'), digits}};
    states_[minus].edges = {{range('1', '9'), digits}};
    states_[digits].edges = {{range('0', '9'), digits}};
    return {zero, digits};
  }

  std::vector<State> states_;
};

// Whether some bytes lead both to an end.
bool meet(const KeyAutomaton& a, const KeyAutomaton& b) {
  std::vector<bool> seen(a.size() * b.size());
  std::vector<std::pair<std::size_t, std::size_t>> open{{0, 0}};
  while (!open.empty()) {
    const auto [in_a, in_b] = open.back();
    open.pop_back();
    if (a.state(in_a).accepts && b.state(in_b).accepts) return true;
    for (const auto& edge_a : a.state(in_a).edges) {
      for (const auto& edge_b : b.state(in_b).edges) {
        if ((edge_a.bytes & edge_b.bytes).none()) continue;
        const std::size_t pair = edge_a.to * b.size() + edge_b.to;
        if (seen[pair]) continue;
        seen[pair] = true;
        open.emplace_back(edge_a.to, edge_b.to);
      }
    }
  }
  return false;
}

}  // namespace

Result<KeyPattern> KeyPattern::parse(std::string_view text) {
  Parser parser{text};
  if (auto read = parser.parse(); !read) return std::unexpected{read.error()};
  KeyPattern pattern;
  pattern.text_ = text;
  pattern.parts_ = parser.take_parts();
  pattern.literals_ = parser.take_literals();
  return pattern;
}

// On the path of every miss; bench/server guards it.
KeyPattern::Match KeyPattern::match(std::string_view key, SqlParameters* parts,
                                    std::string* problem) const {
  if (parts != nullptr) parts->clear();
  if (!key.starts_with(literals_[0])) return Match::kNo;
  std::string_view rest = key.substr(literals_[0].size());
  std::size_t bad = parts_.size();  // the first part that does not fit
  std::string_view bad_value;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const std::string& next = literals_[i + 1];
    const std::size_t end = part_end(rest, parts_[i].type, next);
    if (end == std::string_view::npos || !rest.substr(end).starts_with(next)) {
      if (parts != nullptr) parts->clear();
      return Match::kNo;
    }
    const std::string_view value = rest.substr(0, end);
    rest.remove_prefix(end + next.size());

    const auto number = parts_[i].type == PartType::kInt ? canonical_int(value) : std::nullopt;
    const bool fits = parts_[i].type == PartType::kInt ? number.has_value() : !value.empty();
    if (!fits && bad == parts_.size()) {
      bad = i;
      bad_value = value;
    }
    if (parts == nullptr) continue;
    if (number) {
      parts->push_back({parts_[i].name, *number});
    } else {
      parts->push_back({parts_[i].name, std::string{value}});
    }
  }
  if (rest.empty() && bad == parts_.size()) return Match::kYes;

  if (parts != nullptr) parts->clear();
  if (!rest.empty()) return Match::kNo;
  if (problem != nullptr) *problem = misfit(bad_value, parts_[bad]);
  return Match::kBadPart;
}

// Most patterns of one file differ in their first or last text already; for the
// others, walk through both automata at once.
bool KeyPattern::overlaps(const KeyPattern& other) const {
  const auto either_way = [](const std::string& a, const std::string& b, auto fits) {
    return fits(a, b) || fits(b, a);
  };
  const auto begins = [](std::string_view a, std::string_view b) { return a.starts_with(b); };
  const auto ends = [](std::string_view a, std::string_view b) { return a.ends_with(b); };
  if (!either_way(literals_.front(), other.literals_.front(), begins)) return false;
  if (!either_way(literals_.back(), other.literals_.back(), ends)) return false;
  return meet(KeyAutomaton{*this}, KeyAutomaton{other});
}

}  // namespace larder
