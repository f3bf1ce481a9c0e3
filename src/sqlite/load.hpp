// Loading keys through one connection.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "larder/source.hpp"
#include "larder/sql_database.hpp"
#include "sqlite/connection.hpp"

namespace larder {

// The values of `keys`, each in its place: in one snapshot, and with one query
// where the plan has one for many keys. A row that cannot become JSON fails its
// own key only. Once the values have kEnoughAtOnce bytes, those of the other keys
// are left out: a long list of large values is loaded in parts.
inline constexpr std::size_t kEnoughAtOnce = std::size_t{16} << 20;
[[nodiscard]] std::vector<Loaded<std::string>> load_keys(SqliteConnection& connection,
                                                         const std::shared_ptr<SqlitePlan>& plan,
                                                         std::span<const SqlParameters> keys,
                                                         const SqliteFile& file);

}  // namespace larder
