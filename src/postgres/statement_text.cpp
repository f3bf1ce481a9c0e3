#include "postgres/statement_text.hpp"

#include <algorithm>

#include "base/nearest_name.hpp"
#include "base/sql_parameters.hpp"
#include "base/sql_place.hpp"

namespace larder {

namespace {

std::unexpected<Error> refuse_at(std::string problem, std::string_view sql, std::size_t offset) {
  return fail(Errc::kInvalidArgument,
              "the statement is refused: " + std::move(problem) + ", at " + point_at(sql, offset));
}

std::string stranger(const SqlParameterUse& use, const std::vector<std::string>& given) {
  if (use.name().empty()) return "parameters are written :name, not " + use.text;
  std::string problem = "nothing gives the parameter " + use.text;
  const std::vector<std::string_view> names{given.begin(), given.end()};
  if (const auto meant = nearest_name(use.name(), names)) {
    problem += "; did you mean :" + std::string{*meant} + "?";
  }
  return problem + " There is " + join(given, ":");
}

}  // namespace

std::size_t PostgresText::origin(std::size_t character) const {
  std::size_t byte = 0;
  for (std::size_t seen = 0; byte < sql.size(); ++byte) {
    const bool begins = (static_cast<unsigned char>(sql[byte]) & 0xC0U) != 0x80U;
    if (begins && ++seen == character) break;
  }
  std::ptrdiff_t by = 0;
  for (const Shift& shift : shifts) {
    if (shift.from <= byte) by = shift.by;
  }
  return static_cast<std::size_t>(static_cast<std::ptrdiff_t>(byte) + by);
}

Result<PostgresText> postgres_text(std::string_view sql, const std::vector<std::string>& given) {
  if (sql.size() > (1U << 20U)) {
    return fail(Errc::kInvalidArgument, "the statement is larger than 1 MiB");
  }
  if (const std::size_t zero = sql.find('\0'); zero != std::string_view::npos) {
    return refuse_at("it holds a zero byte", sql, zero);
  }
  const bool only = given.size() == 1 && given.front().empty();
  const auto uses = sql_parameters(sql, SqlDialect::kPostgres);
  PostgresText text;
  std::size_t copied = 0;
  for (const SqlParameterUse& use : uses) {
    const std::string name = only ? "" : std::string{use.name()};
    if (only && use.text != uses.front().text) {
      return refuse_at("it has a second parameter, and the key gives one", sql, use.offset);
    }
    if (only ? use.name().empty() && use.text != "$1"
             : std::ranges::find(given, name) == given.end()) {
      return refuse_at(stranger(use, given), sql, use.offset);
    }
    auto place = std::ranges::find(text.parameters, name);
    if (place == text.parameters.end()) place = text.parameters.insert(place, name);
    const auto number = place - text.parameters.begin() + 1;
    text.sql += sql.substr(copied, use.offset - copied);
    text.sql += '$' + std::to_string(number);
    copied = use.offset + use.text.size();
    text.shifts.push_back({text.sql.size(), static_cast<std::ptrdiff_t>(copied) -
                                                static_cast<std::ptrdiff_t>(text.sql.size())});
  }
  text.sql += sql.substr(copied);
  if (only && uses.empty()) {
    return fail(
        Errc::kInvalidArgument,
        "the statement is refused: it has no parameter for the key:\n  " + std::string{sql});
  }
  return text;
}

}  // namespace larder
