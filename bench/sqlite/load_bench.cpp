// What does a product page cost as a load of its own, and as one of a hundred?
//
// A page is a product and its ten reviews as a JSON array, out of 20,000
// products in a file that fits in memory. Peer: SQLite's own interface in the
// calling thread, one prepared statement, its columns only read: the floor of any
// source that asks SQLite the same.
#include <benchmark/benchmark.h>
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <random>
#include <stdexcept>
#include <string>

#include "larder/sqlite.hpp"

namespace larder {
namespace {

constexpr std::int64_t kProducts = 20'000;

std::string page(std::string_view where) {
  return "SELECT id, name, price, (SELECT json_group_array(json_object('stars', stars, 'author', "
         "author, 'text', text)) FROM reviews WHERE product_id = p.id) AS reviews FROM products p "
         "WHERE id " +
         std::string{where};
}
const std::string kOne = page("= :id");
const std::string kMany = page("IN (SELECT value FROM json_each(:ids))");

// A shop in a directory of its own, while the benchmark runs.
class Shop {
 public:
  Shop() {
    std::string name = (std::filesystem::temp_directory_path() / "larder-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary directory"};
    directory_ = name;
    sqlite3_open(path().c_str(), &connection_);
    execute(
        "PRAGMA journal_mode = WAL; BEGIN;"
        "CREATE TABLE products(id INTEGER PRIMARY KEY, name TEXT, price REAL);"
        "CREATE TABLE reviews(product_id INTEGER, stars INTEGER, author TEXT, text TEXT);"
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT " +
        std::to_string(kProducts) +
        ") INSERT INTO products SELECT i, 'Product ' || i, i / 7.0 FROM n;"
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 10)"
        "INSERT INTO reviews SELECT id, i % 5 + 1, 'Author ' || i, 'It does what it should, and '"
        "|| 'looks as it did on the picture. ' || id FROM products, n;"
        "CREATE INDEX by_product ON reviews(product_id); COMMIT");
  }
  ~Shop() {
    sqlite3_close(connection_);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  Shop(const Shop&) = delete;
  Shop& operator=(const Shop&) = delete;

  [[nodiscard]] std::string path() const { return (directory_ / "shop.db").string(); }
  [[nodiscard]] sqlite3* connection() const { return connection_; }

 private:
  void execute(const std::string& sql) {
    if (sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return;
    throw std::runtime_error{sqlite3_errmsg(connection_)};
  }

  std::filesystem::path directory_;
  sqlite3* connection_ = nullptr;
};

// Ids in an order that no cache of SQLite's can foresee.
class Ids {
 public:
  std::int64_t next() { return uniform_(random_); }

 private:
  std::mt19937_64 random_{42};
  std::uniform_int_distribution<std::int64_t> uniform_{0, kProducts - 1};
};

void BM_SqliteAlone(benchmark::State& state) {
  const Shop shop;
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(shop.connection(), kOne.c_str(), -1, &statement, nullptr);
  Ids ids;
  for (auto _ : state) {
    sqlite3_bind_int64(statement, 1, ids.next());
    sqlite3_step(statement);
    benchmark::DoNotOptimize(sqlite3_column_int64(statement, 0));
    benchmark::DoNotOptimize(sqlite3_column_text(statement, 1));
    benchmark::DoNotOptimize(sqlite3_column_double(statement, 2));
    benchmark::DoNotOptimize(sqlite3_column_text(statement, 3));
    sqlite3_reset(statement);
  }
  sqlite3_finalize(statement);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SqliteAlone)->MeasureProcessCPUTime()->UseRealTime();

// Loads of range(0) keys, each awaited before the next, by a statement a key or
// one for all.
void load_pages(benchmark::State& state, std::string many) {
  const Shop shop;
  Runtime runtime{{.io_threads = 1}};
  const auto database = sqlite(runtime, shop.path());
  const auto reader =
      database
          ->prepare(
              {.one = kOne, .many = std::move(many), .many_key = "id", .json_columns = {"reviews"}},
              {"id"})
          .value();
  const auto count = static_cast<std::size_t>(state.range(0));
  Ids ids;
  for (auto _ : state) {
    std::vector<SqlParameters> keys;
    for (std::size_t i = 0; i < count; ++i) keys.push_back({{"id", ids.next()}});
    std::promise<std::size_t> bytes;
    reader->load(std::move(keys), [&](const std::vector<Loaded<std::string>>& results) {
      bytes.set_value(results.front().value().value().size());
    });
    benchmark::DoNotOptimize(bytes.get_future().get());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void BM_LoadOneByOne(benchmark::State& state) { load_pages(state, {}); }
BENCHMARK(BM_LoadOneByOne)->Arg(1)->Arg(100)->MeasureProcessCPUTime()->UseRealTime();

void BM_LoadMany(benchmark::State& state) { load_pages(state, kMany); }
BENCHMARK(BM_LoadMany)->Arg(100)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
}  // namespace larder
