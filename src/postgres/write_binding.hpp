// The values that a statement which writes binds, as PostgreSQL takes them.
//
// Threads: pure functions.
#pragma once

#include <libpq-fe.h>

#include <optional>
#include <string>

#include "codec/write_fields.hpp"
#include "larder/error.hpp"

namespace larder {

// `binding` for a parameter of type `oid`; nullopt: NULL. Numbers keep every digit; json and
// jsonb take the field as it stands; bytea takes base64, as larder reads it; an array takes a
// JSON array. All else is the text that PostgreSQL reads.
[[nodiscard]] Result<std::optional<std::string>> postgres_binding(const WriteBinding& binding,
                                                                  Oid oid);

}  // namespace larder
