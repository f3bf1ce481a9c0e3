#include "demo/shop.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "demo/database.hpp"
#include "demo/shop_text.hpp"

namespace larder::demo {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTables = R"sql(
CREATE TABLE brands (
  id      INTEGER PRIMARY KEY,
  name    TEXT NOT NULL UNIQUE,
  country TEXT NOT NULL
);
CREATE TABLE products (
  id          INTEGER PRIMARY KEY,
  brand_id    INTEGER NOT NULL REFERENCES brands (id),
  name        TEXT NOT NULL,
  description TEXT NOT NULL,
  price_cents INTEGER NOT NULL
);
CREATE TABLE reviews (
  id         INTEGER PRIMARY KEY,
  product_id INTEGER NOT NULL REFERENCES products (id),
  stars      INTEGER NOT NULL CHECK (stars BETWEEN 1 AND 5),
  author     TEXT NOT NULL,
  title      TEXT NOT NULL,
  text       TEXT NOT NULL,
  written_at TEXT NOT NULL
);
)sql";

// Holds all that the aggregates need, and the newest reviews in their order.
constexpr const char* kIndex =
    "CREATE INDEX reviews_of_product ON reviews (product_id, written_at DESC, stars)";

// One row says what the shop was built from; written last, so it vouches for the rest.
constexpr const char* kOriginTable =
    "CREATE TABLE shop_origin (edition INTEGER, products INTEGER, reviews INTEGER, seed INTEGER)";

// Durability comes at the end, from one fsync and the renaming.
constexpr const char* kBuildPragmas =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA cache_size = -262144; PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF";

constexpr std::uint32_t kProductsOfABrand = 250;
constexpr std::uint32_t kRowsBetweenLooks = 2'000;  // at progress and the stop token
constexpr std::uint32_t kRowsPerFinishing = 5;  // index and fsync take as long as a fifth of them

// Streams of the seed: what one part draws does not shift the others.
enum Stream : std::uint64_t { kBrandStream = 1, kProductStream, kOrderStream, kReviewStream };

// Instants as SQLite's own functions write them, one after the other.
class Calendar {
 public:
  // Shares three years, ending with 2025, out among `steps`.
  explicit Calendar(std::uint32_t steps) : step_{kSeconds / (steps + 1)} {}

  // The next instant, "2025-03-09 14:02:33".
  std::string_view next(Random& random) {
    const std::int64_t jitter = step_ > 1 ? random.below(static_cast<std::uint32_t>(step_)) : 0;
    const std::chrono::sys_seconds instant{std::chrono::sys_days{std::chrono::year{2023} / 1 / 1} +
                                           std::chrono::seconds{passed_ + jitter}};
    passed_ += step_;
    const auto day = std::chrono::floor<std::chrono::days>(instant);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{instant - day};
    put(0, 4, static_cast<unsigned>(static_cast<int>(date.year())));
    put(5, 2, static_cast<unsigned>(date.month()));
    put(8, 2, static_cast<unsigned>(date.day()));
    put(11, 2, static_cast<unsigned>(time.hours().count()));
    put(14, 2, static_cast<unsigned>(time.minutes().count()));
    put(17, 2, static_cast<unsigned>(time.seconds().count()));
    return text_;
  }

 private:
  static constexpr std::int64_t kSeconds = 3LL * 365 * 24 * 3600;

  void put(std::size_t at, std::size_t digits, unsigned number) {
    for (std::size_t i = digits; i-- > 0; number /= 10) {
      text_[at + i] = static_cast<char>('0' + number % 10);
    }
  }

  std::int64_t step_;
  std::int64_t passed_ = 0;
  std::string text_ = "0000-00-00 00:00:00";
};

// Counts rows, tells how far it is, and hears when it should stop.
class Pace {
 public:
  Pace(std::uint64_t total, const Progress& progress, const std::stop_token& stop)
      : total_{total}, progress_{progress}, stop_{stop} {}

  // False: stop.
  [[nodiscard]] bool row() {
    if (++done_ % kRowsBetweenLooks != 0) return true;
    progress_(done_, total_);
    return !stop_.stop_requested();
  }
  void finish() { progress_(total_, total_); }

 private:
  std::uint64_t total_;
  std::uint64_t done_ = 0;
  const Progress& progress_;
  const std::stop_token& stop_;
};

std::unexpected<Error> stopped() {
  return fail(Errc::kCancelled, "building the shop was called off; nothing of it is kept");
}

// Each category has as many brands as any other, give or take one.
Result<std::vector<Brand>> write_brands(Database& shop, const ShopPlan& plan) {
  const std::uint32_t count = std::max(plan.products / kProductsOfABrand, category_count());
  auto insert = shop.prepare("INSERT OR IGNORE INTO brands VALUES (?, ?, ?) RETURNING id");
  if (!insert) return std::unexpected{insert.error()};
  Random random{plan.seed, kBrandStream};
  std::vector<Brand> brands;
  std::uint32_t tries = 0;
  // Names are drawn until they are new. There are 2,160; a larger shop has no more brands.
  while (brands.size() < count && tries++ < 20 * count) {
    const auto index = static_cast<std::uint32_t>(brands.size());
    Brand brand = make_brand(index % category_count(), random);
    insert->bind(1, std::int64_t{index} + 1);
    insert->bind(2, brand.name);
    insert->bind(3, brand.country);
    const auto step = insert->step();
    if (!step) return std::unexpected{step.error()};
    insert->reset();
    if (*step == Statement::Step::kRow) brands.push_back(std::move(brand));
  }
  return brands;
}

Result<std::vector<Product>> write_products(Database& shop, const ShopPlan& plan,
                                            const std::vector<Brand>& brands, Pace& pace) {
  auto insert = shop.prepare("INSERT INTO products VALUES (?, ?, ?, ?, ?)");
  if (!insert) return std::unexpected{insert.error()};
  Random random{plan.seed, kProductStream};
  std::vector<Product> products;
  products.reserve(plan.products);
  for (std::uint32_t id = 1; id <= plan.products; ++id) {
    const std::uint32_t brand = random.below(static_cast<std::uint32_t>(brands.size()));
    Product product = make_product(brands[brand], random);
    insert->bind(1, static_cast<std::int64_t>(id));
    insert->bind(2, std::int64_t{brand} + 1);
    insert->bind(3, product.name);
    insert->bind(4, product.description);
    insert->bind(5, static_cast<std::int64_t>(product.price_cents));
    if (auto done = insert->run(); !done) return std::unexpected{done.error()};
    products.push_back(std::move(product));
    if (!pace.row()) return stopped();
  }
  return products;
}

// The product (its id less one) of each review, in the order of writing.
std::vector<std::uint32_t> review_order(const ShopPlan& plan) {
  constexpr unsigned kReviewQuarters = 2;
  const auto counts = Zipf{plan.products, kReviewQuarters}.apportion(plan.reviews);
  const Popularity popular = popularity(plan);
  std::vector<std::uint32_t> order;
  order.reserve(plan.reviews);
  for (std::uint32_t rank = 0; rank < plan.products; ++rank) {
    order.insert(order.end(), counts[rank], popular.by_rank()[rank]);
  }
  Random random{plan.seed, kOrderStream};
  random.shuffle(std::span{order});
  return order;
}

Result<void> write_reviews(Database& shop, const ShopPlan& plan,
                           const std::vector<Product>& products, Pace& pace) {
  auto insert = shop.prepare("INSERT INTO reviews VALUES (?, ?, ?, ?, ?, ?, ?)");
  if (!insert) return std::unexpected{insert.error()};
  Random random{plan.seed, kReviewStream};
  Calendar calendar{plan.reviews};
  Review review;
  std::int64_t id = 0;
  for (const std::uint32_t product : review_order(plan)) {
    write_review(products[product], random, review);
    insert->bind(1, ++id);
    insert->bind(2, std::int64_t{product} + 1);
    insert->bind(3, static_cast<std::int64_t>(review.stars));
    insert->bind(4, review.author);
    insert->bind(5, review.title);
    insert->bind(6, review.text);
    insert->bind(7, calendar.next(random));
    if (auto done = insert->run(); !done) return done;
    if (!pace.row()) return stopped();
  }
  return {};
}

Result<void> write_origin(Database& shop, const ShopPlan& plan) {
  if (auto done = shop.run(kOriginTable); !done) return done;
  auto insert = shop.prepare("INSERT INTO shop_origin VALUES (?, ?, ?, ?)");
  if (!insert) return std::unexpected{insert.error()};
  insert->bind(1, static_cast<std::int64_t>(kShopEdition));
  insert->bind(2, static_cast<std::int64_t>(plan.products));
  insert->bind(3, static_cast<std::int64_t>(plan.reviews));
  insert->bind(4, static_cast<std::int64_t>(plan.seed));
  return insert->run();
}

Result<void> write_all(Database& shop, const ShopPlan& plan, const Progress& progress,
                       const std::stop_token& stop) {
  const std::uint64_t rows = std::uint64_t{plan.products} + plan.reviews;
  Pace pace{rows + rows / kRowsPerFinishing, progress, stop};
  for (const char* sql : {kBuildPragmas, "BEGIN", kTables}) {
    if (auto done = shop.run(sql); !done) return done;
  }
  const auto brands = write_brands(shop, plan);
  if (!brands) return std::unexpected{brands.error()};
  const auto products = write_products(shop, plan, *brands, pace);
  if (!products) return std::unexpected{products.error()};
  if (auto done = write_reviews(shop, plan, *products, pace); !done) return done;
  if (auto done = shop.run(kIndex); !done) return done;
  if (auto done = write_origin(shop, plan); !done) return done;
  for (const char* sql :
       {"COMMIT", "ANALYZE", "PRAGMA locking_mode = NORMAL", "PRAGMA journal_mode = WAL"}) {
    if (auto done = shop.run(sql); !done) return done;
  }
  pace.finish();
  return {};
}

std::unexpected<Error> file_failure(std::string_view doing, const fs::path& file) {
  std::string message{doing};
  message += ' ';
  message += file.string();
  message += " failed: ";
  message += std::strerror(errno);
  return fail(Errc::kSourceFailed, std::move(message));
}

// To disk before the name is given: a crash leaves the old file or the whole new one.
Result<void> sync(const fs::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return file_failure("opening", file);
  const int synced = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  errno = error;
  if (synced != 0) return file_failure("writing", file);
  return {};
}

// A database with the files that SQLite keeps beside it.
void remove_database(const fs::path& file) {
  std::error_code ignored;  // what could not be removed shows when it is written
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    fs::remove(file.string() + suffix, ignored);
  }
}

Result<void> build_at(const fs::path& file, const ShopPlan& plan, const Progress& progress,
                      const std::stop_token& stop) {
  auto shop = Database::open(file.string(), Database::Mode::kCreate);
  if (!shop) return std::unexpected{shop.error()};
  if (auto done = write_all(*shop, plan, progress, stop); !done) return done;
  if (auto done = shop->close(); !done) return done;
  return sync(file);
}

}  // namespace

Popularity popularity(const ShopPlan& plan) {
  constexpr unsigned kRequestQuarters = 4;
  return Popularity{plan.products, kRequestQuarters, plan.seed};
}

std::string_view page_query() {
  return R"sql(SELECT p.id, p.name, b.name AS brand, p.description, p.price_cents,
       round(r.stars, 2) AS stars, r.reviews,
       (SELECT json_group_array(json_object('stars', stars, 'author', author, 'title', title,
                                            'text', text, 'written_at', written_at))
          FROM (SELECT * FROM reviews WHERE product_id = :id
                ORDER BY written_at DESC LIMIT 10)) AS latest_reviews
  FROM products p
  JOIN brands b ON b.id = p.brand_id
  JOIN (SELECT avg(stars) AS stars, count(*) AS reviews FROM reviews WHERE product_id = :id) r
 WHERE p.id = :id)sql";
}

Found look_for_shop(const fs::path& file, const ShopPlan& plan) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return Found::kNothing;
  auto shop = Database::open(file.string(), Database::Mode::kExisting);
  if (!shop) return Found::kForeign;
  auto origin = shop->prepare("SELECT edition, products, reviews, seed FROM shop_origin");
  if (!origin) return Found::kForeign;
  const auto step = origin->step();
  if (!step || *step != Statement::Step::kRow) return Found::kForeign;
  const bool same = origin->integer(0) == kShopEdition && origin->integer(1) == plan.products &&
                    origin->integer(2) == plan.reviews &&
                    origin->integer(3) == static_cast<std::int64_t>(plan.seed);
  return same ? Found::kThisShop : Found::kAnotherShop;
}

Result<void> build_shop(const fs::path& file, const ShopPlan& plan, const Progress& progress,
                        const std::stop_token& stop) {
  const fs::path building = file.string() + ".building";
  remove_database(building);
  auto built = build_at(building, plan, progress, stop);
  if (built) {
    // The old one's log must not be taken for the new one's.
    remove_database(file);
    if (::rename(building.c_str(), file.c_str()) == 0) return {};
    built = file_failure("renaming", building);
  }
  remove_database(building);
  return built;
}

}  // namespace larder::demo
