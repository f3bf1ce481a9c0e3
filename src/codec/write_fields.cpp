#include "codec/write_fields.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cassert>

#include "larder/json_text.hpp"

namespace larder {

namespace {

// Steps over a document that is known to be JSON.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_{text} {}

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

std::string unquoted(std::string_view quoted) {
  const std::string_view inside = quoted.substr(1, quoted.size() - 2);
  if (inside.find('\\') == std::string_view::npos) return std::string{inside};
  const boost::json::value value = boost::json::parse(quoted);
  const boost::json::string& text = value.get_string();
  return {text.data(), text.size()};
}

JsonField field(std::string name, std::string_view value) {
  using Kind = JsonField::Kind;
  switch (value.front()) {
    case '"': return {std::move(name), Kind::kText, unquoted(value)};
    case '{': return {std::move(name), Kind::kObject, std::string{value}};
    case '[': return {std::move(name), Kind::kArray, std::string{value}};
    case 'n': return {std::move(name), Kind::kNull, std::string{value}};
    case 't': return {std::move(name), Kind::kTrue, std::string{value}};
    case 'f': return {std::move(name), Kind::kFalse, std::string{value}};
    default: return {std::move(name), Kind::kNumber, std::string{value}};
  }
}

std::string listed(const std::vector<JsonField>& fields) {
  constexpr std::size_t kShown = 20;
  std::string names;
  for (std::size_t i = 0; i < std::min(fields.size(), kShown); ++i) {
    names += (i > 0 ? ", " : "") + fields[i].name;
  }
  if (fields.size() > kShown) names += ", …";
  return names.empty() ? "none" : names;
}

std::string text_of(const SqlValue& part) {
  if (const auto* integer = std::get_if<std::int64_t>(&part)) return std::to_string(*integer);
  if (const auto* text = std::get_if<std::string>(&part)) return *text;
  std::string number;
  if (const auto* real = std::get_if<double>(&part)) (void)append_json_double(number, *real);
  return number;
}

// Whether `field` says what `part` of the key does. Only reals may be said in two ways.
bool same(const SqlValue& part, const JsonField& field) {
  return std::holds_alternative<double>(part) || field.text == text_of(part);
}

}  // namespace

Result<std::vector<JsonField>> json_fields(std::string_view document) {
  if (const Result<void> json = check_json(document); !json) {
    return fail(Errc::kInvalidArgument, "the value is no JSON: " + json.error().message);
  }
  Scanner scan{document};
  if (scan.peek() != '{') {
    return fail(Errc::kInvalidArgument,
                "the value must be a JSON object, whose fields are the statement's parameters");
  }
  scan.skip();
  std::vector<JsonField> fields;
  while (scan.peek() != '}') {
    if (scan.peek() == ',') scan.skip();
    std::string name = unquoted(scan.value());
    (void)scan.peek();
    scan.skip();  // the colon
    fields.push_back(field(std::move(name), scan.value()));
  }
  std::vector<std::string_view> names;
  for (const JsonField& each : fields) names.push_back(each.name);
  std::ranges::sort(names);
  if (const auto twice = std::ranges::adjacent_find(names); twice != names.end()) {
    return fail(Errc::kInvalidArgument,
                "the value has the field \"" + std::string{*twice} + "\" twice");
  }
  return fields;
}

std::vector<JsonField> json_elements(std::string_view array) {
  Scanner scan{array};
  (void)scan.peek();
  scan.skip();
  std::vector<JsonField> elements;
  while (scan.peek() != ']') {
    if (scan.peek() == ',') scan.skip();
    elements.push_back(field({}, scan.value()));
  }
  return elements;
}

Result<std::vector<WriteBinding>> bind_write(const std::vector<std::string>& names,
                                             const SqlParameters& key,
                                             const std::vector<JsonField>& fields) {
  for (const SqlParameter& part : key) {
    const auto said = std::ranges::find(fields, part.name, &JsonField::name);
    if (said != fields.end() && !same(part.value, *said)) {
      return fail(Errc::kInvalidArgument, "the value's \"" + part.name + "\" is " +
                                              said->text.substr(0, 64) + ", and the key's " +
                                              text_of(part.value).substr(0, 64));
    }
  }
  std::vector<WriteBinding> bindings;
  bindings.reserve(names.size());
  for (const std::string& name : names) {
    if (const auto part = std::ranges::find(key, name, &SqlParameter::name); part != key.end()) {
      bindings.emplace_back(part->value);
      continue;
    }
    const auto found = std::ranges::find(fields, name, &JsonField::name);
    if (found == fields.end()) {
      return fail(Errc::kInvalidArgument,
                  "the value has no field \"" + name + "\", which the statement names as :" + name +
                      "; it has " + listed(fields) + ". To write NULL, say null");
    }
    bindings.emplace_back(*found);
  }
  return bindings;
}

std::optional<Error> check_write_names(const std::vector<std::string>& used,
                                       const std::vector<std::string>& key, const SqlWrite& write) {
  const auto names = [&](const std::string& name) {
    return std::ranges::find(used, name) != used.end();
  };
  for (const std::string& part : key) {
    if (names(part)) continue;
    return Error{Errc::kInvalidArgument, "the statement does not name the key's part :" + part +
                                             ", so it would write the same row for every key:\n  " +
                                             write.write};
  }
  if (write.version.empty() || names(write.version)) return std::nullopt;
  return Error{Errc::kInvalidArgument, "the statement does not compare the version :" +
                                           write.version + ", as in WHERE … AND " + write.version +
                                           " = :" + write.version + ":\n  " + write.write};
}

std::optional<Error> check_remove_names(const std::vector<std::string>& used,
                                        const std::vector<std::string>& key,
                                        const SqlWrite& write) {
  for (const std::string& name : used) {
    if (std::ranges::find(key, name) != key.end()) continue;
    return Error{Errc::kInvalidArgument,
                 "a statement that removes has the parts of the key alone, and nothing gives it :" +
                     name + ":\n  " + write.remove};
  }
  for (const std::string& part : key) {
    if (std::ranges::find(used, part) != used.end()) continue;
    return Error{Errc::kInvalidArgument, "the statement does not name the key's part :" + part +
                                             ", so it would remove rows of other keys:\n  " +
                                             write.remove};
  }
  return std::nullopt;
}

Result<std::vector<std::string>> key_names(const std::vector<std::string>& parameters,
                                           const std::vector<std::string>& in_read) {
  if (parameters.size() != 1 || !parameters.front().empty()) return parameters;
  const bool named = in_read.size() == 1 && !in_read.front().empty();
  if (named) return in_read;
  return fail(Errc::kInvalidArgument,
              "to write, the statement that reads must name its parameter, as in WHERE id = :id: "
              "the one that writes knows the key by that name");
}

}  // namespace larder
