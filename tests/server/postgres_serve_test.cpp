// The whole server on a real PostgreSQL.
#include <gmock/gmock.h>

#include "postgres/postgres_server.hpp"
#include "server/running_larder.hpp"
#include "server/tcp_client.hpp"

namespace larder::test {
namespace {

using testing::HasSubstr;

class ServeFromPostgres : public PostgresTest {
 protected:
  std::unique_ptr<RunningLarder> serve(const std::string& caches) {
    const std::string config = "[sources.shop]\nurl = \"" + url() + "\"\n" + caches;
    return std::make_unique<RunningLarder>(directory_.string(), config, "", std::uint16_t{0});
  }

  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
    PostgresTest::TearDown();
  }

  const std::filesystem::path directory_ = unprivileged_directory();
};

TEST_F(ServeFromPostgres, ReadsThroughAndAnswersManyKeysWithOneQuery) {
  execute(
      "CREATE TABLE products AS SELECT n::bigint AS id, 'Product ' || n AS name, n + 0.50 AS price "
      "FROM generate_series(1, 100) n");
  const auto larder = serve(R"toml(
[caches.product]
key       = "product:{id:int}"
source    = "shop"
read      = "SELECT id, name, price FROM products WHERE id = :id"
read_many = "SELECT id, name, price FROM products WHERE id = ANY(:ids)"
)toml");
  TcpClient client{larder->port()};
  std::string command = "MGET";
  for (int i = 1; i <= 101; ++i) command += " product:" + std::to_string(i);

  client.send(command + "\r\n");
  const resp::Reply reply = client.reply();

  ASSERT_EQ(reply.items.size(), 101);
  for (int i = 1; i <= 100; ++i) {
    const std::string n = std::to_string(i);
    EXPECT_EQ(reply.items[static_cast<std::size_t>(i - 1)].text,
              R"({"id":)" + n + R"(,"name":"Product )" + n + R"(","price":)" + n + ".50}");
  }
  EXPECT_TRUE(reply.items[100].is_null());
  EXPECT_EQ(larder->metric("larder_source_queries_total{source=\"shop\"}"), 1);
}

TEST_F(ServeFromPostgres, AStatementThatDoesNotPrepareIsRefusedAtTheStart) {
  execute("CREATE TABLE products (id int)");

  EXPECT_THAT(
      [&] {
        serve(R"toml(
[caches.product]
key    = "product:{id:int}"
source = "shop"
read   = "SELECT id, nme FROM products WHERE id = :id"
)toml");
      },
      testing::ThrowsMessage<std::runtime_error>(
          testing::AllOf(HasSubstr("column \"nme\" does not exist"), HasSubstr("column 12"))));
}

}  // namespace
}  // namespace larder::test
