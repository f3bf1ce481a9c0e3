// What the PostgreSQL source says when something is wrong.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "postgres/handles.hpp"
#include "postgres/statement_text.hpp"

namespace larder {

// libpq's text, which may have several lines, as one.
[[nodiscard]] std::string one_line(std::string_view text);

// "42P01"; empty when the server gave none.
[[nodiscard]] std::string_view sqlstate(const PGresult* result);

// Why a statement does not prepare, with its place in `text`'s origin, `sql`.
[[nodiscard]] Error not_prepared(const PGresult* result, const PostgresText& text,
                                 std::string_view sql);

// The sentence for a statement that failed at the server `name`.
[[nodiscard]] Error query_failed(const PGresult* result, std::string_view name,
                                 Duration query_timeout);

// The same for one that writes: kRejected, with the constraint's name, for what the database
// refuses for good; kSourceFailed for what may succeed another time.
[[nodiscard]] Error write_failed(const PGresult* result, std::string_view name,
                                 Duration query_timeout);

// Whether the statement has to be prepared anew: the schema changed under it, or the
// session lost it.
[[nodiscard]] bool is_outdated(std::string_view sqlstate);

// Whether it is the session that ends, and no statement that failed.
[[nodiscard]] bool ends_session(std::string_view sqlstate);

}  // namespace larder
