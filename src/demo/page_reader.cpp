#include "demo/page_reader.hpp"

#include <numeric>
#include <utility>

#include "demo/shop.hpp"

namespace larder::demo {
namespace {

constexpr ByteCount kMostOfAPage{32ULL << 20};

constexpr const char* kReadPragmas =
    "PRAGMA query_only = ON; PRAGMA mmap_size = 2147418112; PRAGMA cache_size = -65536";

}  // namespace

PageReader::PageReader(Database database, Statement query, RowShape shape)
    : database_{std::move(database)},
      query_{std::move(query)},
      shape_{std::move(shape)},
      order_(shape_.columns.size()) {
  std::iota(order_.begin(), order_.end(), std::size_t{0});
}

Result<PageReader> PageReader::open(const std::filesystem::path& shop) {
  auto database = Database::open(shop.string(), Database::Mode::kExisting);
  if (!database) return std::unexpected{database.error()};
  if (auto done = database->run(kReadPragmas); !done) return std::unexpected{done.error()};
  auto query = database->prepare(page_query());
  if (!query) return std::unexpected{query.error()};
  auto shape = RowShape::of(query->get(), {std::string{kPageJsonColumn}});
  if (!shape) return std::unexpected{shape.error()};
  return PageReader{std::move(*database), std::move(*query), std::move(*shape)};
}

Result<std::string_view> PageReader::read(std::int64_t product) {
  page_.clear();
  query_.bind(1, product);
  const auto step = query_.step();
  if (!step) return std::unexpected{step.error()};
  Result<void> rendered;
  if (*step == Statement::Step::kRow) {
    rendered = append_row(page_, query_.get(), shape_, order_, kMostOfAPage);
  }
  query_.reset();
  if (!rendered) return std::unexpected{rendered.error()};
  return page_;
}

}  // namespace larder::demo
