#include "sqlite/row_json.hpp"

#include <algorithm>

#include "base/sql_place.hpp"
#include "larder/json_text.hpp"

namespace larder {

namespace {

// What SQLite's JSON functions mark their results with.
constexpr unsigned kJsonSubtype = 'J';

// The column's declared type in capitals; empty for an expression.
std::string declared(sqlite3_stmt* statement, int column) {
  const char* type = sqlite3_column_decltype(statement, column);
  std::string capitals = type == nullptr ? "" : type;
  for (char& c : capitals) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return capitals;
}

// SQLite's rules 1 and 2 of affinity (datatype3.html, section 3.1).
bool has_text_affinity(const std::string& type) {
  const auto names = [&](const char* part) { return type.find(part) != std::string::npos; };
  return !names("INT") && (names("CHAR") || names("CLOB") || names("TEXT"));
}

std::unexpected<Error> bad_column(const RowShape::Column& column, std::string_view problem) {
  return fail(Errc::kBadValue, "column " + column.name + ' ' + std::string{problem});
}

Result<void> append_json(std::string& out, std::string_view text, const RowShape::Column& column) {
  if (const Result<void> good = check_json(text); !good) {
    return bad_column(column, "should hold JSON, but it is " + good.error().message);
  }
  out += text;
  return {};
}

Result<void> append_text(std::string& out, std::string_view text, const RowShape::Column& column) {
  if (append_json_string(out, text)) return {};
  const std::size_t at = first_invalid_utf8(text).value_or(0);
  return bad_column(column, "holds text that is not UTF-8, at byte " + std::to_string(at) +
                                ": store it as UTF-8, or select CAST(… AS BLOB)");
}

// SQLite keeps a subtype with a value until the next step; it is asked for
// before the value is converted.
bool marked_json(sqlite3_stmt* statement, int column) {
  return sqlite3_value_subtype(sqlite3_column_value(statement, column)) == kJsonSubtype;
}

Result<void> append_value(std::string& out, sqlite3_stmt* statement, int at,
                          const RowShape::Column& column) {
  switch (sqlite3_column_type(statement, at)) {
    case SQLITE_NULL: out += "null"; return {};
    case SQLITE_INTEGER:
      append_json_integer(out, std::int64_t{sqlite3_column_int64(statement, at)});
      return {};
    case SQLITE_FLOAT:
      if (append_json_double(out, sqlite3_column_double(statement, at))) return {};
      return bad_column(column, "is infinite, which JSON cannot say");
    default: break;
  }

  const bool text = sqlite3_column_type(statement, at) == SQLITE_TEXT;
  const bool json = column.json || (text && marked_json(statement, at));
  const void* data = text ? static_cast<const void*>(sqlite3_column_text(statement, at))
                          : sqlite3_column_blob(statement, at);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, at));
  if (data == nullptr && (text || size != 0)) {
    return fail(Errc::kOverloaded, "there is not enough memory for column " + column.name);
  }
  if (text) {
    const std::string_view view{static_cast<const char*>(data), size};
    return json ? append_json(out, view, column) : append_text(out, view, column);
  }
  if (json) return bad_column(column, "should hold JSON, but it holds a blob: select json(…)");
  out += '"';
  append_base64(out, {static_cast<const std::byte*>(data), size});
  out += '"';
  return {};
}

}  // namespace

std::size_t RowShape::find(std::string_view name) const {
  const auto found = std::ranges::find(columns, name, &Column::name);
  return found == columns.end() ? npos : static_cast<std::size_t>(found - columns.begin());
}

std::vector<std::string> RowShape::names() const {
  std::vector<std::string> names;
  for (const Column& column : columns) names.push_back(column.name);
  return names;
}

Result<RowShape> RowShape::of(sqlite3_stmt* statement,
                              const std::vector<std::string>& json_columns) {
  RowShape shape;
  const int count = sqlite3_column_count(statement);
  if (count == 0) return fail(Errc::kInvalidArgument, "it gives no rows: a SELECT is needed");
  for (int i = 0; i < count; ++i) {
    const char* name = sqlite3_column_name(statement, i);
    if (name == nullptr) return fail(Errc::kOverloaded, "there is not enough memory");
    if (shape.find(name) != npos) {
      return fail(Errc::kInvalidArgument, "two columns are named " + std::string{name} +
                                              ": give one of them another name with AS");
    }
    const std::string type = declared(statement, i);
    Column column{.name = name,
                  .label = {},
                  .json = type == "JSON" || type == "JSONB",
                  .text = has_text_affinity(type),
                  .stored = !type.empty()};
    if (!append_json_string(column.label, column.name)) {
      return fail(Errc::kInvalidArgument, "a column's name is not UTF-8: name it with AS");
    }
    column.label += ':';
    shape.in_order.push_back(shape.columns.size());
    shape.columns.push_back(std::move(column));
  }
  for (const std::string& name : json_columns) {
    const std::size_t at = shape.find(name);
    if (at != npos) {
      shape.columns[at].json = true;
      continue;
    }
    return fail(Errc::kInvalidArgument,
                "it has no column " + name + " to take as JSON; it has " + join(shape.names()));
  }
  return shape;
}

bool depends_on_marks(sqlite3_stmt* statement, const RowShape& shape) {
  for (const std::size_t at : shape.in_order) {
    const RowShape::Column& column = shape.columns[at];
    if (column.json || column.stored) continue;
    if (sqlite3_column_type(statement, static_cast<int>(at)) == SQLITE_TEXT) return true;
  }
  return false;
}

Result<void> append_row(std::string& out, sqlite3_stmt* statement, const RowShape& shape,
                        std::span<const std::size_t> order, ByteCount most) {
  char separator = '{';
  for (const std::size_t at : order) {
    const RowShape::Column& column = shape.columns[at];
    out += separator;
    separator = ',';
    out += column.label;
    const Result<void> done = append_value(out, statement, static_cast<int>(at), column);
    if (!done) return done;
    if (out.size() > most.bytes) {
      return fail(Errc::kOverloaded,
                  "the value is larger than max_value, " + std::to_string(most.bytes) +
                      " bytes: select less, or raise it (server.max_value in the configuration)");
    }
  }
  out += separator == '{' ? "{}" : "}";
  return {};
}

}  // namespace larder
