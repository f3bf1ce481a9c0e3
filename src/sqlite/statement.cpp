#include "sqlite/statement.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/nearest_name.hpp"
#include "base/sql_place.hpp"

namespace larder {

namespace {

// "it writes; …", and the whole statement below.
std::unexpected<Error> refuse(std::string problem, const std::string& sql) {
  return fail(Errc::kInvalidArgument, "the statement is refused: " + problem + ":\n  " + sql);
}

std::unexpected<Error> refuse_at(std::string problem, const std::string& sql, std::size_t offset) {
  return fail(Errc::kInvalidArgument,
              "the statement is refused: " + problem + ", at " + point_at(sql, offset));
}

// Where the statement is wrong. SQLite does not say where a table is that it misses:
// "no such table: main.products".
std::optional<std::size_t> place_of_error(sqlite3* connection, const std::string& sql) {
  const int offset = sqlite3_error_offset(connection);
  if (offset >= 0) return static_cast<std::size_t>(offset);
  const std::string_view message = sqlite3_errmsg(connection);
  constexpr std::string_view kMissing = "no such table: ";
  if (!message.starts_with(kMissing)) return std::nullopt;
  const std::string_view table = message.substr(kMissing.size());
  if (const auto at = place_of(sql, table)) return at;
  return place_of(sql, table.substr(table.find('.') + 1));
}

std::unexpected<Error> not_prepared(sqlite3* connection, int code, const std::string& sql) {
  std::string text = "the statement does not prepare: ";
  text += sqlite3_errmsg(connection);
  if (const auto offset = place_of_error(connection, sql))
    text += ", at " + point_at(sql, *offset);
  else
    text += ":\n  " + sql;
  // A mistake in the statement, or something wrong with the database?
  const bool mistake = (code & 0xFF) == SQLITE_ERROR;
  return fail(mistake ? Errc::kInvalidArgument : Errc::kSourceFailed, std::move(text));
}

// The parameter that SQL calls `name`, without its sigil; empty for a bare `?`.
std::string plain_name(const char* name) { return name == nullptr ? "" : name + 1; }

int bind_value(sqlite3_stmt* statement, int place, const SqlValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return sqlite3_bind_int64(statement, place, *integer);
  }
  if (const auto* real = std::get_if<double>(&value)) {
    return sqlite3_bind_double(statement, place, *real);
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    return sqlite3_bind_text64(statement, place, text->data(), text->size(), SQLITE_STATIC,
                               SQLITE_UTF8);
  }
  return sqlite3_bind_null(statement, place);
}

// While a statement that writes is prepared: it changes rows and nothing else.
int only_rows(void*, int action, const char*, const char*, const char*, const char*) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE: return SQLITE_OK;
    default: return SQLITE_DENY;
  }
}

}  // namespace

Result<SqliteStatement> SqliteStatement::compile(sqlite3* connection, const std::string& sql) {
  const auto prepare = [&](const char* from, const char** tail, SqliteStatement& into) {
    sqlite3_stmt* statement = nullptr;
    const auto left = static_cast<int>(sql.size() - static_cast<std::size_t>(from - sql.data()));
    const int code =
        sqlite3_prepare_v3(connection, from, left, SQLITE_PREPARE_PERSISTENT, &statement, tail);
    into.statement_.reset(statement);
    return code;
  };
  if (sql.size() > (1U << 20U)) {
    return fail(Errc::kInvalidArgument, "the statement is larger than 1 MiB");
  }

  SqliteStatement made;
  const char* tail = nullptr;
  const int code = prepare(sql.data(), &tail, made);
  if (code != SQLITE_OK) return not_prepared(connection, code, sql);
  if (made.get() == nullptr) return refuse("it is empty", sql);

  // Blanks and comments may follow; anything else is, or would be, a second one.
  const auto rest = static_cast<std::size_t>(tail - sql.data());
  SqliteStatement second;
  const char* end = nullptr;
  if (prepare(tail, &end, second) != SQLITE_OK || second.get() != nullptr) {
    const std::size_t start = sql.find_first_not_of(" \t\r\n;", rest);
    return refuse_at("there is a second one after it", sql, std::min(start, sql.size()));
  }

  if (sqlite3_stmt_isexplain(made.get()) != 0) return refuse("it only explains", sql);
  return made;
}

Result<SqliteStatement> SqliteStatement::prepare(sqlite3* connection, const std::string& sql,
                                                 const std::vector<std::string>& parameters,
                                                 const std::vector<std::string>& json_columns) {
  Result<SqliteStatement> compiled = compile(connection, sql);
  if (!compiled) return compiled;
  SqliteStatement made = std::move(*compiled);
  if (sqlite3_stmt_readonly(made.get()) == 0) return refuse("it writes, and must only read", sql);
  Result<RowShape> shape = RowShape::of(made.get(), json_columns);
  if (!shape) return refuse(shape.error().message, sql);
  made.shape_ = std::move(*shape);
  if (const auto named = made.name_parameters(sql, parameters); !named) {
    return std::unexpected{named.error()};
  }
  return made;
}

Result<SqliteStatement> SqliteStatement::prepare_write(sqlite3* connection,
                                                       const std::string& sql) {
  sqlite3_set_authorizer(connection, &only_rows, nullptr);
  Result<SqliteStatement> compiled = compile(connection, sql);
  sqlite3_set_authorizer(connection, nullptr, nullptr);
  if (!compiled) {
    if (sqlite3_errcode(connection) != SQLITE_AUTH) return compiled;
    return refuse("it must be one INSERT, UPDATE or DELETE", sql);
  }
  SqliteStatement made = std::move(*compiled);
  if (sqlite3_stmt_readonly(made.get()) != 0) {
    return refuse("it writes nothing; it must be one INSERT, UPDATE or DELETE", sql);
  }
  const int count = sqlite3_bind_parameter_count(made.get());
  for (int place = 1; place <= count; ++place) {
    const char* written = sqlite3_bind_parameter_name(made.get(), place);
    if (written == nullptr || written[0] != ':') {
      const std::size_t at = sql.find(written == nullptr ? "?" : written);
      return refuse_at(
          "parameters are written :name, each for a part of the key or a field of the "
          "value",
          sql, std::min(at, sql.size()));
    }
    made.parameters_.push_back(plain_name(written));
  }
  return made;
}

Result<void> SqliteStatement::name_parameters(const std::string& sql,
                                              const std::vector<std::string>& given) {
  const int count = sqlite3_bind_parameter_count(get());
  const bool only = given.size() == 1 && given.front().empty();
  if (only && count == 0) return refuse("it has no parameter for the key", sql);
  if (only && count > 1) {
    return refuse("it has " + std::to_string(count) + " parameters, and the key gives one", sql);
  }
  for (int place = 1; place <= count; ++place) {
    const char* written = sqlite3_bind_parameter_name(get(), place);
    const std::string name = only ? "" : plain_name(written);
    if (std::ranges::find(given, name) == given.end()) {
      std::string problem = written == nullptr
                                ? "a bare ? does not say which part of the key it is"
                                : "nothing gives the parameter " + std::string{written};
      const std::vector<std::string_view> names{given.begin(), given.end()};
      if (const auto meant = nearest_name(name, names)) {
        problem += "; did you mean :" + std::string{*meant} + "?";
      }
      problem += " There is " + join(given, ":");
      const std::size_t at = sql.find(written == nullptr ? "?" : written);
      return refuse_at(std::move(problem), sql, std::min(at, sql.size()));
    }
    parameters_.push_back(name);
  }
  return {};
}

Result<void> SqliteStatement::bind(const SqlParameters& values) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto value = std::ranges::find(values, parameters_[i], &SqlParameter::name);
    if (value == values.end()) {
      return fail(Errc::kInvalidArgument, "the key gives no value for :" + parameters_[i]);
    }
    const Result<void> bound = bind_at(static_cast<int>(i) + 1, value->value);
    if (!bound) return bound;
  }
  return {};
}

Result<void> SqliteStatement::bind(const std::vector<SqlValue>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Result<void> bound = bind_at(static_cast<int>(i) + 1, values[i]);
    if (!bound) return bound;
  }
  return {};
}

Result<void> SqliteStatement::bind_at(int place, const SqlValue& value) {
  const int code = bind_value(get(), place, value);
  if (code == SQLITE_OK) return {};
  const std::string& name = parameters_[static_cast<std::size_t>(place) - 1];
  if (code == SQLITE_TOOBIG) {
    return fail(Errc::kInvalidArgument,
                (name.empty() ? "the key" : '"' + name + '"') + " is too large for SQLite");
  }
  return fail(Errc::kSourceFailed, sqlite3_errstr(code));
}

Result<bool> SqliteStatement::follow_schema(const std::vector<std::string>& json_columns) {
  const int now = prepared_anew();
  if (now == shaped_at_) return false;
  Result<RowShape> shape = RowShape::of(get(), json_columns);
  if (!shape) {
    return fail(Errc::kSourceFailed, "the schema changed, and the statement no longer fits it: " +
                                         shape.error().message);
  }
  shape_ = std::move(*shape);
  shaped_at_ = now;
  return true;
}

void SqliteStatement::reset() {
  sqlite3_reset(get());
  sqlite3_clear_bindings(get());
}

int SqliteStatement::prepared_anew() const {
  return sqlite3_stmt_status(get(), SQLITE_STMTSTATUS_REPREPARE, 0);
}

}  // namespace larder
