#include "postgres/describe.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/sql_parameters.hpp"
#include "postgres/messages.hpp"

namespace larder {

namespace {

std::unexpected<Error> refuse(std::string problem, const std::string& sql) {
  return fail(Errc::kInvalidArgument,
              "the statement is refused: " + std::move(problem) + ":\n  " + sql);
}

// Sends what is queued and waits for the results of `count` commands and their sync.
// Null results: the session is lost. Blocks.
std::vector<PostgresResult> wait(PGconn* session, std::size_t count) {
  std::vector<PostgresResult> results;
  if (PQpipelineSync(session) != 1 || PQsetnonblocking(session, 0) != 0) {
    results.resize(count);
    return results;
  }
  for (std::size_t i = 0; i < count; ++i) {
    results.emplace_back(PQgetResult(session));
    if (!results.back()) break;
    while (const PostgresResult more{PQgetResult(session)}) {
      if (PQstatus(session) != CONNECTION_OK) break;
    }
  }
  const PostgresResult synced{PQgetResult(session)};
  (void)PQsetnonblocking(session, 1);
  results.resize(count);
  return results;
}

bool good(const PostgresResult& result) {
  const ExecStatusType status = PQresultStatus(result.get());
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

Error lost(PGconn* session) {
  return {Errc::kSourceFailed, "the connection was lost: " + one_line(PQerrorMessage(session))};
}

// The description of one that reads, or why it cannot be used. A cursor is declared for it,
// and never fetched, since that is where PostgreSQL refuses what writes.
Result<PostgresResult> describe(PGconn* session, const PostgresText& text, const std::string& sql) {
  const std::string cursor = "DECLARE larder_check NO SCROLL CURSOR FOR " + text.sql;
  const std::vector<const char*> nulls(text.parameters.size(), nullptr);
  const auto run = [&](const char* command) {
    return PQsendQueryParams(session, command, 0, nullptr, nullptr, nullptr, nullptr, 0) == 1;
  };
  const bool sent = run("BEGIN READ ONLY") &&
                    PQsendPrepare(session, "", text.sql.c_str(), 0, nullptr) == 1 &&
                    PQsendDescribePrepared(session, "") == 1 &&
                    PQsendQueryParams(session, cursor.c_str(), static_cast<int>(nulls.size()),
                                      nullptr, nulls.data(), nullptr, nullptr, 0) == 1;
  if (!sent) return std::unexpected{lost(session)};
  std::vector<PostgresResult> results = wait(session, 4);
  // Whether it is failed or not, the transaction ends.
  if (run("ROLLBACK")) (void)wait(session, 1);
  if (!results[0] || !results[1]) return std::unexpected{lost(session)};
  if (!good(results[0])) {
    return fail(Errc::kSourceFailed, one_line(PQresultErrorMessage(results[0].get())));
  }
  if (!good(results[1])) return std::unexpected{not_prepared(results[1].get(), text, sql)};
  if (!good(results[2]) || !results[3]) return std::unexpected{lost(session)};
  if (PQnfields(results[2].get()) == 0)
    return refuse("it gives no columns: a SELECT is needed", sql);
  if (!good(results[3])) {
    return refuse("it must be one SELECT that only reads; PostgreSQL says: " +
                      one_line(PQresultErrorField(results[3].get(), PG_DIAG_MESSAGE_PRIMARY)),
                  sql);
  }
  return std::move(results[2]);
}

// What the types of columns are that no built-in type is: arrays are arrays of
// something, through domains.
Result<PostgresTypes> look_up(PGconn* session, const std::vector<Oid>& oids) {
  PostgresTypes types;
  if (oids.empty()) return types;
  constexpr const char* kSql =
      "WITH RECURSIVE element(type, oid, delimiter) AS ("
      "  SELECT t.oid, t.typelem, e.typdelim FROM pg_catalog.pg_type t"
      "    JOIN pg_catalog.pg_type e ON e.oid = t.typelem"
      "    WHERE t.typcategory = 'A' AND t.oid = ANY($1::oid[])"
      "  UNION ALL SELECT element.type, d.typbasetype, element.delimiter FROM element"
      "    JOIN pg_catalog.pg_type d ON d.oid = element.oid AND d.typtype = 'd')"
      "SELECT type, oid, delimiter FROM element";
  std::string list = "{";
  for (const Oid oid : oids) list += (list.size() > 1 ? "," : "") + std::to_string(oid);
  list += '}';
  const char* values[] = {list.c_str()};
  if (PQsendQueryParams(session, kSql, 1, nullptr, values, nullptr, nullptr, 0) != 1) {
    return std::unexpected{lost(session)};
  }
  const std::vector<PostgresResult> results = wait(session, 1);
  if (!good(results[0])) return std::unexpected{lost(session)};
  for (int row = 0; row < PQntuples(results[0].get()); ++row) {
    const auto oid = [&](int column) {
      return static_cast<Oid>(std::stoul(PQgetvalue(results[0].get(), row, column)));
    };
    // The last row of a chain of domains has what they are made of.
    const PostgresType element = built_in_type(oid(1)).value_or(PostgresType{});
    types[oid(0)] = {
        .kind = element.kind, .array = true, .delimiter = PQgetvalue(results[0].get(), row, 2)[0]};
  }
  return types;
}

// The description of one that writes. It is prepared, and not run.
Result<PostgresResult> describe_change(PGconn* session, const PostgresText& text,
                                       const std::string& sql) {
  const bool sent = PQsendPrepare(session, "", text.sql.c_str(), 0, nullptr) == 1 &&
                    PQsendDescribePrepared(session, "") == 1;
  if (!sent) return std::unexpected{lost(session)};
  std::vector<PostgresResult> results = wait(session, 2);
  if (!results[0]) return std::unexpected{lost(session)};
  if (!good(results[0])) return std::unexpected{not_prepared(results[0].get(), text, sql)};
  if (!results[1] || !good(results[1])) return std::unexpected{lost(session)};
  return std::move(results[1]);
}

// The first word of a statement in capitals, behind blanks and comments.
std::string first_word(std::string_view sql) {
  for (;;) {
    sql.remove_prefix(std::min(sql.find_first_not_of(" \t\r\n\f("), sql.size()));
    std::size_t end = std::string_view::npos;
    if (sql.starts_with("--")) {
      end = sql.find('\n');
    } else if (sql.starts_with("/*")) {
      end = sql.find("*/");
      if (end != std::string_view::npos) ++end;
    } else {
      break;
    }
    sql.remove_prefix(end == std::string_view::npos ? sql.size() : end + 1);
  }
  std::string word;
  for (const char c : sql) {
    if (std::isalpha(static_cast<unsigned char>(c)) == 0) break;
    word += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return word;
}

// Puts together what is known of it; `described` may have no columns when it writes.
Result<PostgresStatement> statement_of(PGconn* session, PostgresText text,
                                       const PGresult* described, const std::string& sql,
                                       const std::vector<std::string>& json_columns,
                                       std::string name) {
  std::vector<Oid> made;
  for (int i = 0; i < PQnfields(described); ++i) {
    if (!built_in_type(PQftype(described, i))) made.push_back(PQftype(described, i));
  }
  const Result<PostgresTypes> types = look_up(session, made);
  if (!types) return std::unexpected{types.error()};
  PostgresStatement statement{
      .prepared = std::move(name), .text = std::move(text), .shape = {}, .parameter_types = {}};
  if (PQnfields(described) > 0) {
    Result<PostgresShape> shape = PostgresShape::of(described, json_columns, *types);
    if (!shape) return refuse(shape.error().message, sql);
    statement.shape = std::move(*shape);
  }
  for (int i = 0; i < PQnparams(described); ++i) {
    statement.parameter_types.push_back(PQparamtype(described, i));
  }
  return statement;
}

}  // namespace

Result<PostgresStatement> describe_read(PGconn* session, const std::string& sql,
                                        const std::vector<std::string>& parameters,
                                        const std::vector<std::string>& json_columns,
                                        std::string name) {
  Result<PostgresText> text = postgres_text(sql, parameters);
  if (!text) return std::unexpected{text.error()};
  const Result<PostgresResult> described = describe(session, *text, sql);
  if (!described) return std::unexpected{described.error()};
  return statement_of(session, std::move(*text), described->get(), sql, json_columns,
                      std::move(name));
}

Result<PostgresStatement> describe_write(PGconn* session, const std::string& sql,
                                         const std::vector<std::string>& json_columns,
                                         std::string name) {
  constexpr std::array<std::string_view, 5> kWrites{"INSERT", "UPDATE", "DELETE", "MERGE", "WITH"};
  if (std::ranges::find(kWrites, first_word(sql)) == kWrites.end()) {
    return refuse("it must be one INSERT, UPDATE or DELETE", sql);
  }
  std::vector<std::string> names;
  for (const SqlParameterUse& use : sql_parameters(sql, SqlDialect::kPostgres)) {
    if (!use.name().empty()) names.emplace_back(use.name());
  }
  Result<PostgresText> text = postgres_text(sql, names);
  if (!text) return std::unexpected{text.error()};
  const Result<PostgresResult> described = describe_change(session, *text, sql);
  if (!described) return std::unexpected{described.error()};
  return statement_of(session, std::move(*text), described->get(), sql, json_columns,
                      std::move(name));
}

}  // namespace larder
