// Writes that a crash lets larder send twice, and a database that keeps their marks.
#include <gmock/gmock.h>
#include <signal.h>

#include <filesystem>
#include <memory>
#include <string>

#include "server/running_larder.hpp"
#include "server/tcp_client.hpp"
#include "sqlite/shop_file.hpp"

namespace larder::test {
namespace {

namespace fs = std::filesystem;

class ExactlyOnce : public ::testing::Test {
 protected:
  ExactlyOnce() {
    shop_.execute(R"(CREATE TABLE stock (id INTEGER PRIMARY KEY, n INTEGER CHECK (n >= 0));
                     INSERT INTO stock VALUES (1, 100), (2, 100))");
  }
  void keep_marks() {
    shop_.execute(
        "CREATE TABLE larder_applied (journal TEXT, position BIGINT, PRIMARY KEY (journal, "
        "position))");
  }
  void start() {
    client_.reset();
    larder_ = std::make_unique<RunningLarder>(directory_.file(""), kConfig);
    client_ = std::make_unique<TcpClient>(larder_->port());
  }
  void sell(const std::string& id, int count) {
    const std::string value = "{\"sold\":" + std::to_string(count) + "}";
    ASSERT_EQ(client_->ask({"SET", "stock:" + id, value}).text, "OK");
  }
  bool flushed() { return larder_->flushed("stock"); }
  std::string stock(const std::string& id) {
    return shop_.ask("SELECT n FROM stock WHERE id = " + id);
  }
  // Lets the database have the write, and not the journal know of it: as after a crash between
  // its commit and the settlement.
  void sell_and_crash_before_it_is_settled() {
    const fs::path journal = directory_.file("journal");
    const fs::path before = directory_.file("before");
    start();
    shop_.execute("BEGIN IMMEDIATE");
    sell("1", 3);
    fs::copy(journal, before);
    shop_.execute("COMMIT");
    ASSERT_TRUE(flushed());
    ASSERT_EQ(stock("1"), "97");
    larder_->signal(SIGKILL);
    larder_->wait();
    fs::remove_all(journal);
    fs::rename(before, journal);
    start();
    ASSERT_TRUE(flushed());
  }

  static constexpr const char* kConfig = R"toml(
[sources.shop]
url = "sqlite:shop.db"

[caches.stock]
key      = "stock:{id:int}"
source   = "shop"
read     = "SELECT id, n FROM stock WHERE id = :id"
strategy = "write-behind"
write    = "UPDATE stock SET n = n - :sold WHERE id = :id"

[journal]
path = "journal"
)toml";

  TemporaryDirectory directory_;
  OtherProgram shop_{directory_.file("shop.db")};
  std::unique_ptr<RunningLarder> larder_;
  std::unique_ptr<TcpClient> client_;
};

TEST_F(ExactlyOnce, AWriteThatComputesCountsOnceThoughItIsSentTwice) {
  keep_marks();

  sell_and_crash_before_it_is_settled();

  EXPECT_EQ(stock("1"), "97");
  sell("1", 1);
  EXPECT_TRUE(flushed());
  EXPECT_EQ(stock("1"), "96");
}

TEST_F(ExactlyOnce, WithoutTheTableItCountsTwice) {
  sell_and_crash_before_it_is_settled();

  EXPECT_EQ(stock("1"), "94");
}

TEST_F(ExactlyOnce, AWriteThatIsRefusedLeavesNoMarkAndOthersOfItsBatchDo) {
  keep_marks();
  start();
  shop_.execute("BEGIN IMMEDIATE");
  sell("1", 1000);
  sell("2", 1);
  shop_.execute("COMMIT");

  EXPECT_TRUE(flushed());

  EXPECT_EQ(stock("2"), "99");
  EXPECT_EQ(shop_.ask("SELECT group_concat(position) FROM larder_applied"), "2");
}

TEST_F(ExactlyOnce, ATableThatTakesNoMarksIsToldAtTheStart) {
  shop_.execute("CREATE TABLE larder_applied (n INTEGER)");

  EXPECT_THAT([this] { start(); },
              ::testing::ThrowsMessage<std::runtime_error>(::testing::HasSubstr(
                  "the table larder_applied is there, but takes no marks of writes")));
}

TEST_F(ExactlyOnce, ATableThatIsDroppedMeanwhileIsToldAndTakesNoWriteWithIt) {
  keep_marks();
  start();
  EXPECT_TRUE(larder_->says("writes behind, exactly once"));
  sell("1", 3);
  ASSERT_TRUE(flushed());

  shop_.execute("DROP TABLE larder_applied");
  sell("1", 3);
  sell("2", 1);

  EXPECT_TRUE(flushed());
  EXPECT_EQ(stock("1"), "94");
  EXPECT_EQ(stock("2"), "99");
  EXPECT_TRUE(larder_->says("writes behind, at least once"));
  EXPECT_EQ(larder_->metric("larder_write_behind_once{cache=\"stock\"}"), 0);
  EXPECT_EQ(larder_->metric("larder_write_behind_dead_letters_total{cache=\"stock\"}"), 0);
}

TEST_F(ExactlyOnce, ATableThatIsMadeMeanwhileCountsFromTheNextStartOn) {
  start();
  sell("1", 3);
  ASSERT_TRUE(flushed());

  keep_marks();
  sell("1", 3);
  ASSERT_TRUE(flushed());
  EXPECT_EQ(shop_.ask("SELECT count(*) FROM larder_applied"), "0");
  EXPECT_EQ(larder_->metric("larder_write_behind_once{cache=\"stock\"}"), 0);

  larder_->signal(SIGTERM);
  larder_->wait();
  start();
  EXPECT_TRUE(larder_->says("writes behind, exactly once"));
  sell("1", 3);
  ASSERT_TRUE(flushed());
  EXPECT_EQ(shop_.ask("SELECT count(*) FROM larder_applied"), "1");
}

TEST_F(ExactlyOnce, AWriteWhoseOwnTableIsGoneWaitsForIt) {
  start();
  sell("1", 3);
  ASSERT_TRUE(flushed());
  shop_.execute("ALTER TABLE stock RENAME TO away");

  sell("1", 3);
  EXPECT_TRUE(larder_->says("no longer fits the schema: no such table"));
  shop_.execute("ALTER TABLE away RENAME TO stock");

  EXPECT_TRUE(flushed());
  EXPECT_EQ(stock("1"), "94");
  EXPECT_EQ(larder_->metric("larder_write_behind_dead_letters_total{cache=\"stock\"}"), 0);
}

TEST_F(ExactlyOnce, MarksThatNobodyWillAskForAreSwept) {
  keep_marks();
  start();

  for (int i = 0; i < 40; ++i) {
    sell("1", 1);
    ASSERT_TRUE(flushed());
  }

  EXPECT_EQ(stock("1"), "60");
  EXPECT_LT(std::stoi(shop_.ask("SELECT count(*) FROM larder_applied")), 10);
}

}  // namespace
}  // namespace larder::test
