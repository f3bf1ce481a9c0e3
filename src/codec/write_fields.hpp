// What a statement that writes binds: the parts of the key, and the fields of a JSON
// object, each by its name.
//
// The key names the row. A field that the statement names must be there: that it is absent
// is never taken for NULL. A field that is called as a part of the key must say the same
// as that does.
//
// Threads: pure functions and plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "larder/error.hpp"
#include "larder/sql_database.hpp"

namespace larder {

// A member of a JSON object.
struct JsonField {
  enum class Kind : std::uint8_t { kNull, kFalse, kTrue, kNumber, kText, kArray, kObject };

  std::string name;
  Kind kind;
  std::string text;  // of a string, what it says; else the JSON as it stands, every digit of it

  friend bool operator==(const JsonField&, const JsonField&) = default;
};

// The members of the object `document`, in their order. kInvalidArgument when it is no
// JSON object, or has a name twice. Linear.
[[nodiscard]] Result<std::vector<JsonField>> json_fields(std::string_view document);

// The elements of the array `array`, without names. REQUIRES: it is a JSON array.
[[nodiscard]] std::vector<JsonField> json_elements(std::string_view array);

// A parameter's value: a part of the key, or a field.
using WriteBinding = std::variant<SqlValue, JsonField>;

// The bindings of `names`. `key` names the parts of the key, `fields` those of the value.
[[nodiscard]] Result<std::vector<WriteBinding>> bind_write(const std::vector<std::string>& names,
                                                           const SqlParameters& key,
                                                           const std::vector<JsonField>& fields);

// Why the parameters of the statements of a writer cannot be what the key, `key`, and the
// value give; none: they can.
[[nodiscard]] std::optional<Error> check_write_names(const std::vector<std::string>& used,
                                                     const std::vector<std::string>& key,
                                                     const SqlWrite& write);
[[nodiscard]] std::optional<Error> check_remove_names(const std::vector<std::string>& used,
                                                      const std::vector<std::string>& key,
                                                      const SqlWrite& write);

// Which parts of the key a database knows by which names: `parameters` as they were given
// for `read`, but that the only, nameless part of a key takes the name that `read` gives
// it. kInvalidArgument when that is none.
[[nodiscard]] Result<std::vector<std::string>> key_names(const std::vector<std::string>& parameters,
                                                         const std::vector<std::string>& in_read);

}  // namespace larder
