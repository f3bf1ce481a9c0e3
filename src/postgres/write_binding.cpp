#include "postgres/write_binding.hpp"

#include <utility>

#include "larder/json_text.hpp"
#include "postgres/array_text.hpp"
#include "postgres/key_batch.hpp"
#include "postgres/value_json.hpp"

namespace larder {

namespace {

using Text = Result<std::optional<std::string>>;

std::unexpected<Error> refuse(const JsonField& field, const std::string& why) {
  return fail(Errc::kInvalidArgument, "the value's \"" + field.name + "\" " + why);
}

Text bytes(const JsonField& field) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto decoded = decode_base64(field.text);
  if (field.kind != JsonField::Kind::kText || !decoded) {
    return refuse(field, "must be base64, which is how bytea is read");
  }
  std::string text = "\\x";
  for (const std::byte byte : *decoded) {
    text += kHex[std::to_integer<unsigned>(byte) >> 4U];
    text += kHex[std::to_integer<unsigned>(byte) & 15U];
  }
  return text;
}

// One that is no array, or an element of one.
Text scalar(const JsonField& field, PostgresKind kind) {
  using Kind = JsonField::Kind;
  if (field.kind == Kind::kNull) return std::nullopt;
  if (kind == PostgresKind::kJson) {
    if (field.kind != Kind::kText) return field.text;
    std::string quoted;
    (void)append_json_string(quoted, field.text);  // it came out of JSON
    return quoted;
  }
  if (kind == PostgresKind::kBytes) return bytes(field);
  if (field.text.find('\0') != std::string::npos) {
    return refuse(field, "has a zero character, which PostgreSQL's text cannot hold");
  }
  return field.text;
}

Result<void> append_elements(std::string& out, const JsonField& array, PostgresKind kind) {
  out += '{';
  bool first = true;
  for (JsonField& element : json_elements(array.text)) {
    if (!std::exchange(first, false)) out += ',';
    element.name = array.name;
    if (element.kind == JsonField::Kind::kArray && kind != PostgresKind::kJson) {
      if (auto appended = append_elements(out, element, kind); !appended) return appended;
      continue;
    }
    const Text text = scalar(element, kind);
    if (!text) return std::unexpected{text.error()};
    if (*text) {
      append_array_element(out, **text);
    } else {
      out += "NULL";
    }
  }
  out += '}';
  return {};
}

}  // namespace

Text postgres_binding(const WriteBinding& binding, Oid oid) {
  if (const auto* part = std::get_if<SqlValue>(&binding)) return postgres_parameter(*part);
  const auto& field = std::get<JsonField>(binding);
  const PostgresType type = built_in_type(oid).value_or(PostgresType{});
  if (!type.array || field.kind != JsonField::Kind::kArray) return scalar(field, type.kind);
  std::string text;
  if (auto appended = append_elements(text, field, type.kind); !appended) {
    return std::unexpected{appended.error()};
  }
  return text;
}

}  // namespace larder
