// One value of PostgreSQL, in its text form, as JSON.
//
// Numbers keep every digit; what JSON cannot say as a number (NaN, infinities) is a
// string, as PostgreSQL's own to_json has it. Times are ISO 8601. JSON is embedded
// after a check, bytea is base64, and every other type is the string that it prints.
//
// Threads: pure functions.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "larder/error.hpp"

namespace larder {

enum class PostgresKind : std::uint8_t {
  kText,
  kNumber,
  kBool,
  kJson,
  kBytes,
  kTimestamp,
  kTimestampWithZone,
};

struct PostgresType {
  PostgresKind kind = PostgresKind::kText;
  bool array = false;
  char delimiter = ',';  // between an array's elements

  friend bool operator==(const PostgresType&, const PostgresType&) = default;
};

// The types that every database has; nullopt for those that somebody made.
[[nodiscard]] std::optional<PostgresType> built_in_type(Oid oid);

// Appends `text`; an error is half a sentence about the column.
[[nodiscard]] Result<void> append_postgres_value(std::string& out, std::string_view text,
                                                 PostgresType type);

}  // namespace larder
