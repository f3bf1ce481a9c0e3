#include "config/source_url.hpp"

#include <array>
#include <optional>

#include "base/nearest_name.hpp"

namespace larder {
namespace {

std::unexpected<Error> refuse(std::string why) {
  return fail(Errc::kInvalidArgument, std::move(why));
}

// Schemes of larder's design whose sources this version does not have.
bool is_later(std::string_view scheme) { return scheme == "http" || scheme == "https"; }

Result<SourceUrl> sqlite_url(std::string_view path) {
  if (path.starts_with("//")) {
    return refuse(
        "has slashes after \"sqlite:\" that are no part of a path; write \"sqlite:shop.db\" or "
        "\"sqlite:/var/lib/shop.db\"");
  }
  if (path.empty()) return refuse("names no file; write \"sqlite:shop.db\"");
  if (path.starts_with(":memory:")) {
    return refuse("is a database in memory, which is empty for each connection; name a file");
  }
  if (path.contains('\0')) return refuse("names a file with a zero byte in its name");
  return SourceUrl{.kind = SourceKind::kSqlite, .path = std::string{path}};
}

// What else stands in it is libpq's to understand.
Result<SourceUrl> postgres_url(std::string_view after_colon) {
  if (!after_colon.starts_with("//")) {
    return refuse("lacks the slashes after its scheme; write \"postgresql://user@host/database\"");
  }
  if (after_colon.contains('\0')) return refuse("has a zero byte");
  return SourceUrl{.kind = SourceKind::kPostgres, .path = {}};
}

}  // namespace

Result<SourceUrl> parse_source_url(std::string_view url) {
  const std::size_t colon = url.find(':');
  if (colon == std::string_view::npos) {
    return refuse(
        "has no scheme; a SQLite file is written \"sqlite:shop.db\", PostgreSQL "
        "\"postgresql://user@host/database\"");
  }
  const std::string_view scheme = url.substr(0, colon);
  if (scheme == "sqlite") return sqlite_url(url.substr(colon + 1));
  if (scheme == "postgresql" || scheme == "postgres") return postgres_url(url.substr(colon + 1));
  if (is_later(scheme)) {
    return refuse("has the scheme \"" + std::string{scheme} +
                  "\", whose sources are not in this version of larder; it reads SQLite files, "
                  "\"sqlite:shop.db\", and PostgreSQL, \"postgresql://…\"");
  }
  constexpr std::array<std::string_view, 1> kSqlite{"sqlite"};
  constexpr std::array<std::string_view, 2> kPostgres{"postgresql", "postgres"};
  // Not shown: it may be the beginning of something else, in a variable that holds a secret.
  const std::string why = "has an unknown scheme";
  if (nearest_name(scheme, kPostgres) || scheme == "pgsql" || scheme == "pg") {
    return refuse(why + "; did you mean \"postgresql:\"?");
  }
  if (nearest_name(scheme, kSqlite) || scheme == "sqlite3" || scheme == "file") {
    return refuse(why + "; did you mean \"sqlite:\"?");
  }
  return refuse(why +
                "; this version reads SQLite files, \"sqlite:shop.db\", and PostgreSQL, "
                "\"postgresql://…\"");
}

}  // namespace larder
