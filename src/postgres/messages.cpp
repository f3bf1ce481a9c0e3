#include "postgres/messages.hpp"

#include <algorithm>
#include <charconv>

#include "base/quantity.hpp"
#include "base/sql_place.hpp"
#include "postgres/sqlstates.hpp"

namespace larder {

namespace {

std::string_view field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? std::string_view{} : std::string_view{text};
}

// "relation \"products\" does not exist (SQLSTATE 42P01)", with detail and hint.
std::string said(const PGresult* result) {
  std::string text{field(result, PG_DIAG_MESSAGE_PRIMARY)};
  if (text.empty()) return one_line(PQresultErrorMessage(result));
  text += " (SQLSTATE " + std::string{sqlstate(result)} + ')';
  for (const int more : {int{PG_DIAG_MESSAGE_DETAIL}, int{PG_DIAG_MESSAGE_HINT}}) {
    if (const std::string_view extra = field(result, more); !extra.empty()) {
      text += "; " + one_line(extra);
    }
  }
  return text;
}

}  // namespace

std::string one_line(std::string_view text) {
  constexpr std::string_view kStops = ".,:;?!";
  std::string line;
  bool broken = false;
  for (const char c : text) {
    if (c == '\n') {
      broken = true;
      continue;
    }
    const bool blank = c == ' ' || c == '\t';
    if (blank && (broken || line.ends_with(' '))) continue;
    if (broken && !line.empty()) line += kStops.contains(line.back()) ? " " : "; ";
    broken = false;
    if (blank && line.empty()) continue;
    line += blank ? ' ' : c;
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

std::string_view sqlstate(const PGresult* result) { return field(result, PG_DIAG_SQLSTATE); }

Error not_prepared(const PGresult* result, const PostgresText& text, std::string_view sql) {
  std::string message = "the statement does not prepare: " + said(result);
  const std::string_view position = field(result, PG_DIAG_STATEMENT_POSITION);
  std::size_t character = 0;
  std::from_chars(position.data(), position.data() + position.size(), character);
  if (character > 0)
    message += ", at " + point_at(sql, text.origin(character));
  else
    message += ":\n  " + std::string{sql};
  // Classes 42 and 0A are about the statement; others about the database.
  const std::string_view state = sqlstate(result);
  const bool mistake = state.starts_with("42") || state.starts_with("0A");
  return {mistake ? Errc::kInvalidArgument : Errc::kSourceFailed, std::move(message),
          std::string{state}};
}

Error query_failed(const PGresult* result, std::string_view name, Duration query_timeout) {
  const std::string where = std::string{name} + ": ";
  const std::string_view state = sqlstate(result);
  if (state == sqlstates::kQueryCanceled) {
    return {Errc::kSourceFailed, where + "the query was cancelled: it took longer than " +
                                     format_duration(query_timeout) + ", or somebody ended it (" +
                                     said(result) +
                                     "). The limit is the source's load_timeout in the "
                                     "configuration, PostgresOptions::query_timeout in C++"};
  }
  if (state == sqlstates::kReadOnlyTransaction) {
    return {Errc::kSourceFailed,
            where + "the statement writes, and must only read: " + said(result)};
  }
  if (state == sqlstates::kInvalidStatementName ||
      state == sqlstates::kDuplicatePreparedStatement) {
    return {Errc::kSourceFailed,
            where + "the session lost its prepared statements: " + said(result) +
                "; through PgBouncer in transaction mode, set prepared = false"};
  }
  // Class 22: this key's data cannot be what the statement makes of it.
  const bool data = state.starts_with("22");
  return {data ? Errc::kBadValue : Errc::kSourceFailed, where + said(result)};
}

Error write_failed(const PGresult* result, std::string_view name, Duration query_timeout) {
  const std::string_view state = sqlstate(result);
  const std::string_view kind = state.substr(0, std::min<std::size_t>(state.size(), 2));
  // Data, integrity, the statement and its rights, a view's check, and what a trigger raises.
  const bool refused = kind == "22" || kind == "23" || kind == "42" || kind == "44" || kind == "P0";
  if (!refused) return query_failed(result, name, query_timeout);
  std::string message = std::string{name} + " refuses it: " + said(result);
  const std::string_view constraint = field(result, PG_DIAG_CONSTRAINT_NAME);
  if (!constraint.empty() && message.find(constraint) == std::string::npos) {
    message += "; constraint " + std::string{constraint};
  }
  return {Errc::kRejected, std::move(message), std::string{state}};
}

bool is_outdated(std::string_view sqlstate) {
  return sqlstate == sqlstates::kFeatureNotSupported ||
         sqlstate == sqlstates::kInvalidStatementName;
}

bool ends_session(std::string_view sqlstate) {
  // Class 08: the connection. Of class 57 the shutdowns and what else ends a session;
  // 57014 cancels a statement alone.
  return sqlstate.starts_with("08") || sqlstate.starts_with("57P");
}

}  // namespace larder
