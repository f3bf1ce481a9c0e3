#include "demo/library_pages.hpp"

#include <utility>

#include "demo/shop.hpp"
#include "larder/sql.hpp"
#include "larder/sqlite.hpp"

namespace larder::demo {
namespace {

using namespace larder::literals;

CacheOptions<std::int64_t, std::string> cache_of(Runtime& runtime,
                                                 const std::filesystem::path& shop) {
  const SqlRead read{.one = std::string{page_query()},
                     .json_columns = {std::string{kPageJsonColumn}}};
  return {.name = "product",
          .source = sql<std::int64_t, std::string>(sqlite(runtime, shop.string()), read),
          .memory = {.capacity = 512_MiB}};
}

}  // namespace

LibraryPages::LibraryPages(const std::filesystem::path& shop)
    : cache_{runtime_, cache_of(runtime_, shop)} {}

PageFunction LibraryPages::pages() {
  return [this,
          page = Handle<std::string>{}](std::int64_t product) mutable -> Result<std::string_view> {
    auto answer = cache_.get(product);
    if (answer.failed()) return std::unexpected{answer.error()};
    page = answer.handle();
    return page ? std::string_view{*page} : std::string_view{};
  };
}

}  // namespace larder::demo
