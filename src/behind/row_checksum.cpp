#include "behind/row_checksum.hpp"

#include <sqlite3.h>
#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace larder::behind {

namespace {

void row_checksum(sqlite3_context* context, int count, sqlite3_value** values) {
  const auto position = static_cast<std::uint64_t>(sqlite3_value_int64(values[0]));
  std::uint64_t sum = XXH3_64bits(&position, sizeof position);
  for (sqlite3_value* value : std::span{values, static_cast<std::size_t>(count)}.subspan(1)) {
    if (sqlite3_value_type(value) == SQLITE_NULL) {
      sum = ~sum;
      continue;
    }
    const void* bytes = sqlite3_value_blob(value);
    const int size = sqlite3_value_bytes(value);
    sum = XXH3_64bits_withSeed(bytes == nullptr ? "" : bytes, static_cast<std::size_t>(size), sum);
  }
  sqlite3_result_int64(context, static_cast<sqlite3_int64>(sum));
}

}  // namespace

void add_row_checksum(sqlite3* database) {
  sqlite3_create_function(database, "row_checksum", -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr,
                          row_checksum, nullptr, nullptr);
}

}  // namespace larder::behind
