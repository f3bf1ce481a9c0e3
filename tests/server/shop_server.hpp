// A running larder on a small shop in SQLite:
//
//   product:{id:int}  read through; 1000 rows, `{"id":7,"name":"Product 7"}`
//   slow:{id:int}     the same, but each query takes a good while
//   broken:{id:int}   a query that fails
//   tag:{name}        plain
#pragma once

#include <memory>
#include <string>

#include "server/running_larder.hpp"
#include "server/tcp_client.hpp"
#include "sqlite/shop_file.hpp"

namespace larder::test {

class ShopServer {
 public:
  explicit ShopServer(const std::string& server_settings = "") : server_settings_{server_settings} {
    OtherProgram shop{directory_.file("shop.db")};
    shop.execute("CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL)");
    shop.execute(
        "WITH RECURSIVE ids(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < 1000) "
        "INSERT INTO products SELECT id, 'Product ' || id FROM ids");
    start();
  }

  // Another process on the same shop.
  void start(std::uint16_t port = 0) {
    larder_.reset();
    larder_ = std::make_unique<RunningLarder>(directory_.file(""), kConfig, server_settings_, port);
  }

  RunningLarder& larder() { return *larder_; }
  [[nodiscard]] TcpClient connect() const { return TcpClient{larder_->port()}; }
  [[nodiscard]] std::string shop_file() const { return directory_.file("shop.db"); }

  static std::string product(int id) {
    return R"({"id":)" + std::to_string(id) + R"(,"name":"Product )" + std::to_string(id) + "\"}";
  }

 private:
  static constexpr const char* kConfig = R"toml(
[memory]
capacity = "64MiB"

[sources.shop]
url = "sqlite:shop.db"
load_timeout = "60s"

[caches.product]
key    = "product:{id:int}"
source = "shop"
read   = "SELECT id, name FROM products WHERE id = :id"

[caches.slow]
key    = "slow:{id:int}"
source = "shop"
read   = """
WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < 1000000)
SELECT id, name FROM products WHERE id = :id AND (SELECT max(n) FROM count) > 0"""

[caches.broken]
key    = "broken:{id:int}"
source = "shop"
read   = "SELECT abs(-9223372036854775807 - :id) AS overflow"

[caches.tag]
key = "tag:{name}"
)toml";

  TemporaryDirectory directory_;
  std::string server_settings_;
  std::unique_ptr<RunningLarder> larder_;
};

}  // namespace larder::test
