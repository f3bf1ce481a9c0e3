#include "postgres/row_json.hpp"

#include <algorithm>

#include "base/sql_place.hpp"
#include "larder/json_text.hpp"

namespace larder {

namespace {

std::unexpected<Error> refuse(std::string problem) {
  return fail(Errc::kInvalidArgument, std::move(problem));
}

}  // namespace

std::size_t PostgresShape::find(std::string_view name) const {
  const auto found = std::ranges::find(columns, name, &Column::name);
  return found == columns.end() ? npos : static_cast<std::size_t>(found - columns.begin());
}

std::vector<std::string> PostgresShape::names() const {
  std::vector<std::string> names;
  for (const Column& column : columns) names.push_back(column.name);
  return names;
}

bool PostgresShape::fits(const PGresult* result) const {
  if (PQnfields(result) != static_cast<int>(columns.size())) return false;
  for (const int i : in_order) {
    const Column& column = columns[static_cast<std::size_t>(i)];
    if (PQftype(result, i) != column.oid || column.name != PQfname(result, i)) return false;
  }
  return true;
}

Result<PostgresShape> PostgresShape::of(const PGresult* described,
                                        const std::vector<std::string>& json_columns,
                                        const PostgresTypes& types) {
  PostgresShape shape;
  const int count = PQnfields(described);
  if (count == 0) return refuse("it gives no columns: a SELECT is needed");
  for (int i = 0; i < count; ++i) {
    Column column{.name = PQfname(described, i), .label = {}, .oid = PQftype(described, i)};
    if (shape.find(column.name) != npos) {
      return refuse("two columns are named " + column.name +
                    ": give one of them another name with AS");
    }
    if (const auto built_in = built_in_type(column.oid)) {
      column.type = *built_in;
    } else if (const auto made = types.find(column.oid); made != types.end()) {
      column.type = made->second;
    }
    if (!append_json_string(column.label, column.name)) {
      return refuse("a column's name is not UTF-8: name it with AS");
    }
    column.label += ':';
    shape.in_order.push_back(i);
    shape.columns.push_back(std::move(column));
  }
  for (const std::string& name : json_columns) {
    const std::size_t at = shape.find(name);
    if (at == npos) {
      return refuse("it has no column " + name + " to take as JSON; it has " + join(shape.names()));
    }
    shape.columns[at].type = {.kind = PostgresKind::kJson};
  }
  return shape;
}

Result<void> append_row(std::string& out, const PGresult* result, int row,
                        const PostgresShape& shape, std::span<const int> order, ByteCount most) {
  char separator = '{';
  for (const int at : order) {
    const PostgresShape::Column& column = shape.columns[static_cast<std::size_t>(at)];
    out += separator;
    separator = ',';
    out += column.label;
    if (PQgetisnull(result, row, at) != 0) {
      out += "null";
    } else {
      const std::string_view text{PQgetvalue(result, row, at),
                                  static_cast<std::size_t>(PQgetlength(result, row, at))};
      if (const Result<void> done = append_postgres_value(out, text, column.type); !done) {
        return fail(done.error().code, "column " + column.name + ' ' + done.error().message);
      }
    }
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
