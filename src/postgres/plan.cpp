#include "postgres/plan.hpp"

#include <algorithm>

#include "base/sql_place.hpp"
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

// The statement's description, or why it cannot be used. A cursor is declared for it,
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

Result<PostgresStatement> check_statement(PGconn* session, const std::string& sql,
                                          const std::vector<std::string>& parameters,
                                          const std::vector<std::string>& json_columns,
                                          std::string name) {
  Result<PostgresText> text = postgres_text(sql, parameters);
  if (!text) return std::unexpected{text.error()};
  const Result<PostgresResult> described = describe(session, *text, sql);
  if (!described) return std::unexpected{described.error()};

  std::vector<Oid> made;
  for (int i = 0; i < PQnfields(described->get()); ++i) {
    if (!built_in_type(PQftype(described->get(), i))) made.push_back(PQftype(described->get(), i));
  }
  const Result<PostgresTypes> types = look_up(session, made);
  if (!types) return std::unexpected{types.error()};
  Result<PostgresShape> shape = PostgresShape::of(described->get(), json_columns, *types);
  if (!shape) return refuse(shape.error().message, sql);

  PostgresStatement statement{.prepared = std::move(name),
                              .text = std::move(*text),
                              .shape = std::move(*shape),
                              .parameter_types = {}};
  for (int i = 0; i < PQnparams(described->get()); ++i) {
    statement.parameter_types.push_back(PQparamtype(described->get(), i));
  }
  return statement;
}

// How rows of `many` are told apart and written as those of `one`.
Result<void> match_columns(PostgresChecked& checked, const SqlRead& read) {
  const PostgresShape& one = checked.one.shape;
  const PostgresShape& many = checked.many->shape;
  const std::size_t key = many.find(read.many_key);
  if (key == PostgresShape::npos) {
    return refuse("for many keys it must have the column " + read.many_key +
                      " to tell the rows' keys; it has " + join(many.names()),
                  read.many);
  }
  checked.key_of_many = static_cast<int>(key);
  for (const PostgresShape::Column& column : one.columns) {
    const std::size_t at = many.find(column.name);
    const bool same = at != PostgresShape::npos && many.columns[at].oid == column.oid;
    if (same) checked.order_of_many.push_back(static_cast<int>(at));
  }
  const std::size_t extra = one.find(read.many_key) == PostgresShape::npos ? 1 : 0;
  if (checked.order_of_many.size() == one.columns.size() &&
      many.columns.size() == one.columns.size() + extra) {
    return {};
  }
  return refuse(
      "the statements for one and for many keys must give the same columns, of the same "
      "types; for one: " +
          join(one.names()) + "; for many: " + join(many.names()),
      read.many);
}

}  // namespace

Result<void> PostgresPlan::check(const PostgresTarget& target) {
  const auto named = [&](Error error) {
    return std::unexpected{Error{error.code, target.name() + ": " + std::move(error.message)}};
  };
  const Result<PostgresSession> session = target.connect();
  if (!session) return std::unexpected{session.error()};
  const std::string name = "larder_" + std::to_string(id_) + "_" + std::to_string(++checks_);
  auto one = check_statement(session->get(), read_.one, parameters_, read_.json_columns, name);
  if (!one) return named(std::move(one.error()));

  auto checked = std::make_shared<PostgresChecked>();
  checked->one = std::move(*one);
  if (!read_.many.empty()) {
    auto many =
        check_statement(session->get(), read_.many, {"ids"}, read_.json_columns, name + "_many");
    if (!many) return named(std::move(many.error()));
    if (many->parameter_types.size() != 1) {
      return named(refuse("it must use :ids, as in WHERE id = ANY(:ids)", read_.many).error());
    }
    checked->many = std::move(*many);
    if (auto matched = match_columns(*checked, read_); !matched) return named(matched.error());
  }
  const MutexLock lock{mutex_};
  checked_ = std::move(checked);
  return {};
}

std::shared_ptr<const PostgresChecked> PostgresPlan::checked() const {
  const MutexLock lock{mutex_};
  return checked_;
}

}  // namespace larder
