// Parameters of SQL: each stands where it is said to stand, in order.
#include "base/sql_parameters.hpp"
#include "fuzz/check.hpp"

namespace larder {
namespace {

using fuzz::require;

std::size_t offset_of(std::string_view sql, const SqlParameterUse& use) {
  std::size_t at = 0;
  for (std::uint32_t line = 1; line < use.line; ++line) at = sql.find('\n', at) + 1;
  return at + use.column - 1;
}

void check(std::string_view sql, SqlDialect dialect) {
  std::size_t reached = 0;
  for (const SqlParameterUse& use : sql_parameters(sql, dialect)) {
    const std::size_t at = offset_of(sql, use);
    require(at >= reached, "in order");
    require(at == use.offset, "at its offset");
    require(!use.text.empty() && sql.substr(at).starts_with(use.text), "where it is said to stand");
    reached = at + use.text.size();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view sql{reinterpret_cast<const char*>(data), size};
  check(sql, SqlDialect::kSqlite);
  check(sql, SqlDialect::kPostgres);
  return 0;
}

}  // namespace larder
