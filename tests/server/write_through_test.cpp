// Writes through a running larder to its SQLite source.
#include <gmock/gmock.h>

#include "server/running_larder.hpp"
#include "server/tcp_client.hpp"
#include "sqlite/shop_file.hpp"

namespace larder::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class WriteThroughServer : public ::testing::Test {
 protected:
  WriteThroughServer() {
    shop_.execute(R"(CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL,
                       price REAL CHECK (price > 0));
                     CREATE TABLE reviews (product_id INTEGER);
                     INSERT INTO products VALUES (1, 'Kettle', 24.5), (2, 'Pot', 9.5);
                     INSERT INTO reviews VALUES (1))");
  }

  resp::Reply ask(std::initializer_list<std::string_view> words) {
    if (!larder_) {
      larder_ = std::make_unique<RunningLarder>(directory_.file(""), kConfig, "");
      client_ = std::make_unique<TcpClient>(larder_->port());
    }
    return client_->ask(words);
  }

  static constexpr const char* kConfig = R"toml(
[sources.shop]
url = "sqlite:shop.db"

[caches.product]
key      = "product:{id:int}"
source   = "shop"
read     = """SELECT id, name, price,
  (SELECT count(*) FROM reviews WHERE product_id = :id) AS reviews FROM products WHERE id = :id"""
strategy = "write-through"
write    = "UPDATE products SET name = :name, price = :price WHERE id = :id"
delete   = "DELETE FROM products WHERE id = :id"

[caches.price]
key      = "price:{id:int}"
source   = "shop"
read     = "SELECT price FROM products WHERE id = :id"
strategy = "write-through"
write    = "UPDATE products SET price = :price WHERE id = :id"
keep     = "value"
)toml";
  static constexpr const char* kNew = R"({"name":"Copper kettle","price":30.5})";
  static constexpr const char* kStored =
      R"({"id":1,"name":"Copper kettle","price":30.5,"reviews":1})";

  TemporaryDirectory directory_;
  OtherProgram shop_{directory_.file("shop.db")};
  std::unique_ptr<RunningLarder> larder_;
  std::unique_ptr<TcpClient> client_;
};

TEST_F(WriteThroughServer, ASetIsInTheDatabaseAndTheRowInTheCache) {
  EXPECT_EQ(ask({"GET", "product:1"}).text, R"({"id":1,"name":"Kettle","price":24.5,"reviews":1})");

  EXPECT_EQ(ask({"SET", "product:1", kNew}).text, "OK");

  EXPECT_EQ(shop_.ask("SELECT name FROM products WHERE id = 1"), "Copper kettle");
  EXPECT_EQ(ask({"GET", "product:1"}).text, kStored);
  EXPECT_EQ(larder_->metric("larder_cache_loads_total{cache=\"product\"}"), 1);
  EXPECT_EQ(larder_->metric("larder_cache_writes_total{cache=\"product\"}"), 1);
}

TEST_F(WriteThroughServer, SetexGivesTheCopyALifeOfItsOwn) {
  EXPECT_EQ(ask({"SETEX", "product:1", "1000", kNew}).text, "OK");

  const auto left = ask({"TTL", "product:1"}).integer;
  EXPECT_GT(left, 850);
  EXPECT_LE(left, 1100);
}

TEST_F(WriteThroughServer, ARefusalSaysWhatTheDatabaseSaysAndNothingIsKept) {
  const resp::Reply refused = ask({"SET", "product:1", R"({"name":"A","price":-1})"});

  EXPECT_TRUE(refused.is_error());
  EXPECT_THAT(refused.text,
              AllOf(StartsWith("REJECTED "), HasSubstr("CHECK constraint failed: price > 0")));
  EXPECT_EQ(ask({"GET", "product:1"}).text, R"({"id":1,"name":"Kettle","price":24.5,"reviews":1})");
}

TEST_F(WriteThroughServer, AMissingFieldIsRefused) {
  EXPECT_THAT(ask({"SET", "product:1", R"({"name":"A"})"}).text,
              AllOf(StartsWith("ERR "), HasSubstr("has no field \"price\"")));
}

TEST_F(WriteThroughServer, ARowThatIsNotThereIsRefused) {
  EXPECT_THAT(ask({"SET", "product:99", kNew}).text, HasSubstr("no row was changed"));
}

TEST_F(WriteThroughServer, ADelRemovesTheRow) {
  EXPECT_EQ(ask({"DEL", "product:1", "product:2", "product:99"}).integer, 2);

  EXPECT_EQ(shop_.ask("SELECT count(*) FROM products"), "0");
  EXPECT_EQ(ask({"GET", "product:1"}).kind, resp::Reply::Kind::kNull);
}

TEST_F(WriteThroughServer, WithoutAStatementADelOnlyDropsTheCopy) {
  ask({"GET", "price:1"});

  EXPECT_EQ(ask({"DEL", "price:1"}).integer, 1);

  EXPECT_EQ(shop_.ask("SELECT count(*) FROM products"), "2");
}

TEST_F(WriteThroughServer, TheGivenValueIsKeptWhereThatIsWanted) {
  EXPECT_EQ(ask({"SET", "price:1", R"({"price":7, "why":"sale"})"}).text, "OK");

  EXPECT_EQ(ask({"GET", "price:1"}).text, R"({"price":7, "why":"sale"})");
}

TEST_F(WriteThroughServer, WhatCannotWriteThroughIsRefusedInWords) {
  EXPECT_THAT(ask({"SET", "product:1", kNew, "NX"}).text,
              AllOf(StartsWith("REFUSED "), HasSubstr("takes no NX, XX, GET or KEEPTTL")));
  EXPECT_THAT(ask({"GETSET", "product:1", kNew}).text, StartsWith("REFUSED "));
  EXPECT_THAT(ask({"MSET", "product:1", kNew}).text, StartsWith("REFUSED "));
  EXPECT_EQ(shop_.ask("SELECT name FROM products WHERE id = 1"), "Kettle");
}

TEST_F(WriteThroughServer, WhatStandsBehindAWriteInAPipelineSeesIt) {
  ask({"GET", "product:1"});

  client_->send(request({"SET", "product:1", kNew}) + request({"GET", "product:1"}) +
                request({"DEL", "product:1"}) + request({"GET", "product:1"}));

  EXPECT_EQ(client_->reply().text, "OK");
  EXPECT_EQ(client_->reply().text, kStored);
  EXPECT_EQ(client_->reply().integer, 1);
  EXPECT_EQ(client_->reply().kind, resp::Reply::Kind::kNull);
}

TEST_F(WriteThroughServer, ExplainTellsWhereASetGoes) {
  const resp::Reply explained = ask({"LARDER", "EXPLAIN", "product:1"});

  std::string all;
  for (const resp::Reply& item : explained.items) all += item.text + '\n';
  EXPECT_THAT(all, AllOf(HasSubstr("write-through"), HasSubstr("UPDATE products SET"),
                         HasSubstr("removes it from the source")));
}

}  // namespace
}  // namespace larder::test
