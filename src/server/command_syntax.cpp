#include "server/command_syntax.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/ascii_case.hpp"

namespace larder {

namespace {

using Kind = SyntaxArgument::Kind;

bool is_token(std::string_view word) {
  return std::ranges::any_of(word, [](char c) { return c >= 'A' && c <= 'Z'; }) &&
         std::ranges::none_of(word, [](char c) { return c >= 'a' && c <= 'z'; });
}

// Arguments that follow each other; `multiple`: all of them may come again.
struct Sequence {
  std::vector<SyntaxArgument> arguments;
  bool multiple = false;
};

// As one argument.
SyntaxArgument fold(Sequence sequence) {
  SyntaxArgument all;
  if (sequence.arguments.size() == 1) {
    all = std::move(sequence.arguments.front());
  } else {
    all.kind = Kind::kBlock;
    for (const SyntaxArgument& each : sequence.arguments) {
      all.name += (all.name.empty() ? "" : "_") + each.name;
    }
    all.arguments = std::move(sequence.arguments);
  }
  all.multiple = all.multiple || sequence.multiple;
  return all;
}

class SyntaxParser {
 public:
  explicit SyntaxParser(std::string_view line) : rest_{line} {}

  // Up to the end, or to what ends a choice or a bracket.
  Sequence sequence() {
    Sequence found;
    for (std::string_view next = peek(); !next.empty() && !ends(next); next = peek()) {
      if (next == "...") {
        take();
        found.multiple = true;
      } else if (next == "[") {
        take();
        add_optional(found, choice());
      } else {
        found.arguments.push_back(item());
      }
    }
    return found;
  }

 private:
  static bool ends(std::string_view word) { return word == "|" || word == "]" || word == ">"; }

  // A bracket, a bar, or the bytes up to one or to a blank; empty at the end.
  [[nodiscard]] std::string_view peek() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size()));
    if (rest_.empty()) return {};
    constexpr std::string_view kSigns = "[]<>|";
    if (kSigns.contains(rest_.front())) return rest_.substr(0, 1);
    return rest_.substr(0, rest_.find_first_of(" []<>|"));
  }
  std::string_view take() {
    const std::string_view word = peek();
    rest_.remove_prefix(word.size());
    return word;
  }

  // A value, a word, a word with its value, or a choice.
  SyntaxArgument item() {
    const std::string_view word = take();
    if (word == "<") return fold(choice());
    if (!is_token(word)) return {.name = std::string{word}};
    const std::string_view next = peek();
    const bool has_value =
        next == "<" || (!next.empty() && next != "[" && !ends(next) && !is_token(next));
    if (!has_value) return {.kind = Kind::kWord, .name = lowered(word), .token = word};
    SyntaxArgument value = item();
    value.token = word;
    return value;
  }

  // What a bracket holds, and the bracket that ends it.
  Sequence choice() {
    std::vector<Sequence> alternatives;
    do {
      alternatives.push_back(sequence());
    } while (take() == "|");
    if (alternatives.size() == 1) return std::move(alternatives.front());
    SyntaxArgument one{.kind = Kind::kOneOf, .name = "option"};
    for (Sequence& each : alternatives) one.arguments.push_back(fold(std::move(each)));
    return {{std::move(one)}};
  }

  static void add_optional(Sequence& before, Sequence bracket) {
    const std::size_t count = bracket.arguments.size();
    auto& arguments = before.arguments;
    const bool repeats =
        bracket.multiple && count <= arguments.size() &&
        std::ranges::equal(bracket.arguments.begin(), bracket.arguments.end(),
                           arguments.end() - static_cast<std::ptrdiff_t>(count), arguments.end(),
                           {}, &SyntaxArgument::name, &SyntaxArgument::name);
    if (repeats) {
      const auto first = arguments.end() - static_cast<std::ptrdiff_t>(count);
      Sequence last{{std::move_iterator{first}, std::move_iterator{arguments.end()}}, true};
      arguments.erase(first, arguments.end());
      arguments.push_back(fold(std::move(last)));
      return;
    }
    arguments.push_back(fold(std::move(bracket)));
    arguments.back().optional = true;
  }

  std::string_view rest_;
};

}  // namespace

std::vector<SyntaxArgument> parse_syntax(std::string_view line) {
  return SyntaxParser{line}.sequence().arguments;
}

}  // namespace larder
