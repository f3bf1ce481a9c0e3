// A URL that names several hosts: the primary is found among them, and found again when another
// host becomes it.
#include <gmock/gmock.h>

#include <chrono>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "postgres/postgres_server.hpp"
#include "postgres/target.hpp"

namespace larder {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class PostgresHosts : public SqlDatabaseTest {
 protected:
  // Null where PostgreSQL is not installed.
  static std::unique_ptr<PostgresServer> primary_;
  static std::unique_ptr<PostgresServer> standby_;

  static void SetUpTestSuite() {
    primary_ = PostgresServer::start();
    if (primary_) standby_ = PostgresServer::start_standby(*primary_);
  }
  static void TearDownTestSuite() {
    standby_.reset();
    primary_.reset();
  }
  void SetUp() override {
    if (!primary_) GTEST_SKIP() << "PostgreSQL is not installed: `./dev setup` does it";
  }

  // In their order.
  static std::string url_of(const std::vector<std::filesystem::path>& hosts,
                            const std::string& more = "") {
    std::string list;
    for (const auto& host : hosts) list += (list.empty() ? "" : ",") + host.string();
    return "postgresql:///postgres?host=" + list + "&user=larder" + more;
  }
  void open(const std::string& url) { database_ = postgres(runtime_, url); }
  SqlDatabase& opened() override { return *database_; }

  Runtime runtime_{{.io_threads = 2}};
  std::shared_ptr<SqlDatabase> database_;
};

std::unique_ptr<PostgresServer> PostgresHosts::primary_;
std::unique_ptr<PostgresServer> PostgresHosts::standby_;

constexpr const char* kIsStandby = "SELECT pg_is_in_recovery() AS standby WHERE 1 = :id";

TEST_F(PostgresHosts, OneThatIsNotThereIsPassedOver) {
  open(url_of({"/nobody/listens/here", primary_->directory()}));

  EXPECT_EQ(value(*prepare(kIsStandby), id(1)), R"({"standby":false})");
}

// Who starts waits for a primary, and for a server, but not for a database to be made.
TEST_F(PostgresHosts, NoServerAndNoPrimaryIsNoRefusal) {
  const auto refuses = [](const std::string& url) {
    const auto target = PostgresTarget::parse(url, {});
    return target.value().refuses();
  };

  EXPECT_FALSE(refuses(url_of({"/nobody/listens/here"})));
  EXPECT_FALSE(refuses(url_of({standby_->directory()})));
  EXPECT_FALSE(refuses(url_of({"/nobody/listens/here", standby_->directory()})));
  EXPECT_TRUE(refuses(primary_->url("no_such")));
  EXPECT_TRUE(
      refuses("postgresql:///no_such?host=" + standby_->directory().string() + "&user=larder"));
}

// A full server has room again; what it does not know it does not learn by itself.
TEST_F(PostgresHosts, AFullServerIsNoRefusal) {
  const auto full = PostgresServer::start(
      {"max_connections=5", "superuser_reserved_connections=2", "lc_messages=C"});
  const auto refuses = [&](const std::string& user) {
    return PostgresTarget::parse(full->url("postgres", "user=" + user), {}).value().refuses();
  };
  std::vector<std::unique_ptr<PostgresClient>> clients;
  const auto hold = [&](std::size_t count) {
    for (int tries = 0; clients.size() < count && tries < 1000; ++tries) {
      try {
        clients.push_back(std::make_unique<PostgresClient>(full->url()));
      } catch (const std::runtime_error&) {  // who went before still has a place, for a moment
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
      }
    }
    return clients.size() == count;
  };
  ASSERT_TRUE(hold(1));
  clients[0]->execute("CREATE ROLE shop LOGIN; CREATE ROLE few LOGIN CONNECTION LIMIT 0");

  EXPECT_FALSE(refuses("shop"));
  EXPECT_TRUE(refuses("nobody_knows"));
  EXPECT_FALSE(refuses("few"));
  ASSERT_TRUE(hold(3));
  EXPECT_FALSE(refuses("shop"));  // what is left is reserved
  ASSERT_TRUE(hold(5));
  EXPECT_FALSE(refuses("shop"));
  EXPECT_FALSE(refuses("larder"));
}

// A program that uses the library may have libpq speak its own language.
TEST(PostgresUrl, IsUnderstoodWhateverLanguageLibpqSpeaks) {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  ::setenv("LANGUAGE", "de", 1);
  const bool set = std::setlocale(LC_ALL, "de_DE.UTF-8") != nullptr ||
                   std::setlocale(LC_ALL, "C.UTF-8") != nullptr;
  PGconn* const nowhere = PQconnectdb("host=/dev/null");
  const std::string said = PQerrorMessage(nowhere);
  PQfinish(nowhere);

  const auto good = PostgresTarget::parse("postgresql://shop@db.example,b/shop?port=1,2", {});
  const auto bad = PostgresTarget::parse("postgresql://shop@db.example/shop?sslmode=requird", {});
  ::unsetenv("LANGUAGE");
  std::setlocale(LC_ALL, before.c_str());

  if (!set || !said.contains("Verbindung")) GTEST_SKIP() << "libpq has no translations here";
  EXPECT_TRUE(good);
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message,
              AllOf(HasSubstr("sslmode"), HasSubstr("-Wert)"), Not(HasSubstr("requird"))));
}

TEST_F(PostgresHosts, AReplicaIsPassedOver) {
  open(url_of({standby_->directory(), primary_->directory()}));

  EXPECT_EQ(value(*prepare(kIsStandby), id(1)), R"({"standby":false})");
}

TEST_F(PostgresHosts, WithoutAPrimaryNoneIsTakenAndTheErrorSaysWhy) {
  const auto refused = open_postgres(runtime_, url_of({standby_->directory()}));

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kSourceFailed);
  EXPECT_THAT(refused.error().message, HasSubstr("server is in hot standby mode"));
}

TEST_F(PostgresHosts, OneThatTakesNoWritesIsPassedOverWhereTheUrlSaysReadWrite) {
  const auto idle = PostgresServer::start({"default_transaction_read_only=on"});

  open(url_of({idle->directory(), primary_->directory()}, "&target_session_attrs=read-write"));

  EXPECT_EQ(value(*prepare("SELECT count(*) FROM pg_stat_replication WHERE 1 = :id"), id(1)),
            R"({"count":1})");  // which the other has none of
}

TEST_F(PostgresHosts, APrimaryThatDiesInUseIsFollowedToTheOneThatTakesOver) {
  const auto first = PostgresServer::start();
  PostgresClient{first->url()}.execute("CREATE TABLE p(id int, n int); INSERT INTO p VALUES (1,1)");
  const auto second = PostgresServer::start_standby(*first);
  open(url_of({first->directory(), second->directory()}));
  const auto reader = prepare("SELECT n FROM p WHERE id = :id");
  const auto writer = prepare_write({.write = "UPDATE p SET n = :n WHERE id = :id",
                                     .read = {.one = "SELECT n FROM p WHERE id = :id"}});
  ASSERT_EQ(shown(put(*writer, id(1), R"({"n":2})")), R"({"n":2})");
  ASSERT_EQ(value(*reader, id(1)), R"({"n":2})");
  PostgresClient replica{second->url()};
  while (replica.execute("SELECT n FROM p") != "2") {
  }

  first->stop(SIGQUIT);
  const std::string between = value(*reader, id(1));
  replica.execute("SELECT pg_promote()");

  EXPECT_THAT(between, HasSubstr("server is in hot standby mode"));
  std::string read = value(*reader, id(1));
  while (read.contains("next try in")) read = value(*reader, id(1));
  EXPECT_EQ(read, R"({"n":2})");
  std::string written = shown(put(*writer, id(1), R"({"n":3})"));
  while (written.contains("next try in")) written = shown(put(*writer, id(1), R"({"n":3})"));
  EXPECT_EQ(written, R"({"n":3})");
  EXPECT_EQ(replica.execute("SELECT n FROM p"), "3");
}

}  // namespace
}  // namespace larder
