// Through PgBouncer in transaction mode.
#include <gmock/gmock.h>

#include <fstream>

#include "postgres/postgres_server.hpp"

namespace larder {
namespace {

using testing::HasSubstr;

namespace fs = std::filesystem;

class PostgresThroughBouncer : public PostgresTest {
 protected:
  void SetUp() override {
    PostgresTest::SetUp();
    if (IsSkipped()) return;
    if (!fs::exists("/usr/sbin/pgbouncer")) {
      GTEST_SKIP() << "PgBouncer is not installed: `./dev setup` does it";
    }
    directory_ = unprivileged_directory();
    std::ofstream{directory_ / "users.txt"} << "\"larder\" \"\"\n";
    std::ofstream{directory_ / "pgbouncer.ini"}
        << "[databases]\n* = host=" << server()->directory().string() << " port=5432\n"
        << "[pgbouncer]\nlisten_addr =\nunix_socket_dir = " << directory_.string()
        << "\nlisten_port = 6432\nauth_type = trust\nauth_file = "
        << (directory_ / "users.txt").string()
        << "\npool_mode = transaction\ndefault_pool_size = 3\n";
    fs::permissions(directory_ / "users.txt", fs::perms::others_read, fs::perm_options::add);
    fs::permissions(directory_ / "pgbouncer.ini", fs::perms::others_read, fs::perm_options::add);
    bouncer_ = std::make_unique<UnprivilegedChild>(
        std::vector<std::string>{"/usr/sbin/pgbouncer", directory_ / "pgbouncer.ini"},
        directory_ / "pgbouncer.log");
    while (PQping(bounced().c_str()) != PQPING_OK) ASSERT_TRUE(bouncer_->running());
  }
  void TearDown() override {
    shop_.reset();
    bouncer_.reset();
    std::error_code ignored;
    if (!directory_.empty()) fs::remove_all(directory_, ignored);
    PostgresTest::TearDown();
  }
  [[nodiscard]] std::string bounced() const {
    return "postgresql:///" + name_ + "?host=" + directory_.string() + "&port=6432&user=larder";
  }

  fs::path directory_;
  std::unique_ptr<UnprivilegedChild> bouncer_;
  std::shared_ptr<SqlDatabase> shop_;
};

TEST_F(PostgresThroughBouncer, LoadsWorkWithoutPreparedStatements) {
  execute("CREATE TABLE p AS SELECT n AS id, 'n' || n AS name FROM generate_series(1, 200) n");
  shop_ = postgres(runtime_, bounced(), {.prepared = false, .connections = 8});
  const auto one = *shop_->prepare({.one = "SELECT name FROM p WHERE id = :id"}, {"id"});
  const auto many = *shop_->prepare({.one = "SELECT name FROM p WHERE id = :id",
                                     .many = "SELECT id, name FROM p WHERE id = ANY(:ids)",
                                     .many_key = "id"},
                                    {"id"});

  std::vector<std::future<std::vector<Loaded<std::string>>>> loads;
  std::vector<SqlParameters> all;
  for (int i = 1; i <= 200; ++i) {
    loads.push_back(begin_load(*one, {id(i), id(201 - i)}));
    all.push_back(id(i));
  }
  const auto together = values(*many, all);

  for (int i = 1; i <= 200; ++i) {
    const auto results = loads[static_cast<std::size_t>(i - 1)].get();
    EXPECT_EQ(shown(results[0]), R"({"name":"n)" + std::to_string(i) + R"("})");
    EXPECT_EQ(shown(results[1]), R"({"name":"n)" + std::to_string(201 - i) + R"("})");
    EXPECT_EQ(together[static_cast<std::size_t>(i - 1)],
              R"({"name":"n)" + std::to_string(i) + R"("})");
  }
}

TEST_F(PostgresThroughBouncer, AnErrorOfOneLoadDoesNotTouchOthers) {
  execute("CREATE TABLE p(id int, name text); INSERT INTO p VALUES (1, 'a')");
  shop_ = postgres(runtime_, bounced(), {.prepared = false, .connections = 2});
  const auto reader = *shop_->prepare({.one = "SELECT name FROM p WHERE id = :id"}, {"id"});

  for (int i = 0; i < 50; ++i) {
    auto bad = begin_load(*reader, {id("x"), id(1), id("y")});
    auto good = begin_load(*reader, {id(1)});
    EXPECT_EQ(shown(good.get().front()), R"({"name":"a"})");
    const auto results = bad.get();
    EXPECT_THAT(shown(results[0]), HasSubstr("invalid input syntax"));
    EXPECT_EQ(shown(results[1]), R"({"name":"a"})");
    EXPECT_THAT(shown(results[2]), HasSubstr("invalid input syntax"));
  }
}

}  // namespace
}  // namespace larder
