#include "codec/write_fields.hpp"

#include <algorithm>
#include <cassert>

#include "codec/json_scanner.hpp"
#include "larder/json_text.hpp"

namespace larder {

namespace {

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
  if (JsonScanner{document}.peek() != '{') {
    return fail(Errc::kInvalidArgument,
                "the value must be a JSON object, whose fields are the statement's parameters");
  }
  std::vector<JsonField> fields;
  for (JsonMember& member : json_members(document)) {
    fields.push_back(field(std::move(member.name), member.value));
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
  JsonScanner scan{array};
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
