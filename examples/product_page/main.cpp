// A product page whose database hardly notices: a typed cache over SQLite.
#include <sqlite3.h>

#include <boost/asio.hpp>
#include <boost/describe.hpp>
#include <iostream>

#include "larder/larder.hpp"

using namespace std::chrono_literals;
using namespace larder::literals;
namespace asio = boost::asio;

struct Product {
  std::string name;
  double price;
  std::optional<double> stars;  // of its reviews, on average
};
BOOST_DESCRIBE_STRUCT(Product, (), (name, price, stars))

// What the rest of the program does to its own database, as ever.
void execute(const char* statements) {
  sqlite3* db = nullptr;
  if (sqlite3_open("shop.db", &db) != SQLITE_OK ||
      sqlite3_exec(db, statements, nullptr, nullptr, nullptr) != SQLITE_OK)
    throw std::runtime_error{sqlite3_errmsg(db)};
  sqlite3_close(db);
}

void show(const larder::Answer<Product>& product) {
  if (product.absent()) return void(std::cout << "no such product\n");
  std::cout << product.value().name << ", " << product->price << ", " << product->stars.value_or(0)
            << " stars, from " << to_string(product.origin()) << '\n';
}

asio::awaitable<void> reprice(auto& products) {
  execute("UPDATE products SET price = 19.5 WHERE id = 42");
  products.invalidate(42);  // who reads from now on sees the new price
  show(co_await products.async_get(42, asio::use_awaitable));
}

int main() {
  execute(R"(CREATE TABLE products AS SELECT 42 AS id, 'Copper kettle' AS name, 24.5 AS price;
             CREATE TABLE reviews AS SELECT 42 AS product_id, 4.5 AS stars)");
  larder::Runtime runtime;
  const auto source = larder::sql<std::int64_t, Product>(
      larder::sqlite(runtime, "shop.db"),
      R"(SELECT name, price, (SELECT avg(stars) FROM reviews WHERE product_id = id) AS stars
         FROM products WHERE id = :id)");
  larder::Cache<std::int64_t, Product> products{
      runtime, {.name = "product", .source = source, .memory = {.capacity = 64_MiB}, .ttl = 5min}};

  show(products.get(42));  // one query
  show(products.get(42));  // none
  show(products.get(43));  // "no such row" is remembered too
  asio::co_spawn(runtime.executor(), reprice(products), asio::use_future).get();
  std::cout << products.stats().hits << " hit, " << products.stats().loads << " loads\n";
}
