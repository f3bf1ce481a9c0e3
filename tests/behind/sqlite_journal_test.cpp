#include "behind/sqlite_journal.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <future>
#include <thread>

namespace larder::behind {
namespace {

namespace fs = std::filesystem;
using Text = std::optional<std::string>;

class SqliteJournalTest : public ::testing::Test {
 protected:
  SqliteJournalTest() {
    std::string name = (fs::temp_directory_path() / "larder_journal_XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~SqliteJournalTest() override {
    if (journal_) (void)journal_->close();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  void open(ByteCount limit = {1ULL << 20}) {
    auto opened = SqliteJournal::open({.folder = (folder_ / "j").string(), .limit = limit});
    ASSERT_TRUE(opened) << opened.error().message;
    journal_ = std::move(*opened);
    log_ = journal_->of("product", Durability::kSync);
  }
  void close() {
    log_.reset();
    ASSERT_TRUE(journal_->close());
    journal_.reset();
  }
  // Waits until it is told.
  static Result<Position> keep(WriteLog& log, std::string key, Text value) {
    std::promise<Result<Position>> told;
    log.append(std::move(key), std::move(value),
               [&told](Result<Position> position) { told.set_value(std::move(position)); });
    return told.get_future().get();
  }
  Position keep(std::string key, Text value) {
    const auto position = keep(*log_, std::move(key), std::move(value));
    EXPECT_TRUE(position);
    return position.value_or(0);
  }
  // What a journal keeps, as "1 key=value".
  static std::vector<std::string> kept(SqliteJournal& journal) {
    std::vector<std::string> kept;
    for (const KeptWrite& write : journal.take_recovered()) {
      kept.push_back(std::to_string(write.position) + " " + write.key + "=" +
                     write.value.value_or("(gone)"));
    }
    return kept;
  }

  fs::path folder_;
  std::shared_ptr<SqliteJournal> journal_;
  std::shared_ptr<WriteLog> log_;
};

TEST_F(SqliteJournalTest, KeepsWhatWasAcknowledgedInItsOrder) {
  open();
  keep("a", "1");
  keep("b", std::string{"\0x", 2});
  keep("a", std::nullopt);
  close();

  open();

  EXPECT_EQ(kept(*journal_),
            (std::vector<std::string>{"1 a=1", std::string{"2 b=\0x", 6}, "3 a=(gone)"}));
  EXPECT_EQ(keep("c", "4"), 4U);
}

TEST_F(SqliteJournalTest, SyncsOnceAnIntervalHoweverMuchComesMeanwhile) {
  auto opened = SqliteJournal::open({.folder = (folder_ / "j").string(),
                                     .limit = {1ULL << 20},
                                     .interval = std::chrono::milliseconds{20}});
  ASSERT_TRUE(opened) << opened.error().message;
  journal_ = std::move(*opened);
  const auto log = journal_->of("product", Durability::kInterval);

  while (journal_->stats().syncs < 3) {
    const auto position = keep(*log, "a", "1");
    ASSERT_TRUE(position);
    log->settle({*position});
  }
}

TEST_F(SqliteJournalTest, AnotherVersionsFileIsRefusedAndLeftAsItIs) {
  open();
  close();
  const std::string file = (folder_ / "j" / "journal.db").string();
  const auto run = [&](const char* sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
  };
  run("PRAGMA user_version = 2");

  for (int i = 0; i < 2; ++i) {
    const auto opened = SqliteJournal::open({.folder = (folder_ / "j").string()});
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().message.find("has the version 2"), std::string::npos);
  }
}

TEST_F(SqliteJournalTest, ForgetsWhatIsSettledAndFreesItsRoom) {
  open();
  const Position first = keep("a", "1");
  keep("b", "2");
  const auto full = journal_->stats().bytes;

  log_->settle({first});

  EXPECT_EQ(journal_->stats().bytes, full / 2);
  close();
  open();
  EXPECT_EQ(kept(*journal_), std::vector<std::string>{"2 b=2"});
}

TEST_F(SqliteJournalTest, ADeadLetterPendsNoMoreAndIsCounted) {
  open();
  log_->bury(keep("a", "1"), {Errc::kRejected, "CHECK", "23514"});
  close();

  open();

  EXPECT_TRUE(kept(*journal_).empty());
  EXPECT_EQ(journal_->stats().dead_letters, 1U);
  EXPECT_EQ(keep("b", "2"), 2U);
}

TEST_F(SqliteJournalTest, AtTheLimitItRefusesInWords) {
  open({1000});
  keep("a", std::string(700, 'x'));

  const auto refused = keep(*log_, "b", std::string(700, 'x'));

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kOverloaded);
  EXPECT_NE(refused.error().message.find("journal full"), std::string::npos);
  EXPECT_EQ(journal_->stats().refused, 1U);
}

TEST_F(SqliteJournalTest, HasOneOwner) {
  open();

  const auto second = SqliteJournal::open({.folder = (folder_ / "j").string()});

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kRefused);
}

TEST_F(SqliteJournalTest, WritersThatComeTogetherShareASync) {
  open();
  constexpr int kWriters = 8;
  constexpr int kEach = 100;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([this, w] {
      for (int i = 0; i < kEach; ++i) keep(std::to_string(w), std::to_string(i));
    });
  }
  for (std::thread& writer : writers) writer.join();

  EXPECT_LT(journal_->stats().commits, kWriters * kEach);
  close();
  open();
  EXPECT_EQ(kept(*journal_).size(), kWriters * kEach);
}

TEST_F(SqliteJournalTest, WhatIsAcknowledgedAtOnceIsWrittenToo) {
  open();
  const auto memory = journal_->of("product", Durability::kMemory);
  const auto interval = journal_->of("product", Durability::kInterval);
  EXPECT_TRUE(keep(*memory, "a", "1"));
  EXPECT_TRUE(keep(*interval, "b", "2"));
  close();

  open();

  EXPECT_EQ(kept(*journal_), (std::vector<std::string>{"1 a=1", "2 b=2"}));
}

// As the end of a process in the middle of a write, or a disk that kept half of it, leaves it.
TEST_F(SqliteJournalTest, WhereverItsEndIsCutOffItKeepsTheFirstWritesWhole) {
  open();
  for (int i = 1; i <= 4; ++i) keep("k" + std::to_string(i), std::to_string(i));
  const fs::path log = folder_ / "j" / "journal.db-wal";
  const auto size = fs::file_size(log);
  std::size_t least = 4;
  for (std::uintmax_t cut = 0; cut < size; cut += 331) {
    const fs::path copy = folder_ / "copy";
    fs::remove_all(copy);
    fs::create_directory(copy);
    fs::copy(folder_ / "j" / "journal.db", copy / "journal.db");
    fs::copy(log, copy / "journal.db-wal");
    fs::resize_file(copy / "journal.db-wal", size - cut);

    const auto opened = SqliteJournal::open({.folder = copy.string()});

    ASSERT_TRUE(opened) << "cut off: " << cut << ": " << opened.error().message;
    const auto writes = kept(**opened);
    for (std::size_t i = 0; i < writes.size(); ++i) {
      const std::string n = std::to_string(i + 1);
      EXPECT_EQ(writes[i], n + " k" + n + "=" + n);
    }
    EXPECT_LE(writes.size(), least);
    least = writes.size();
    ASSERT_TRUE((*opened)->close());
  }
  EXPECT_EQ(least, 0U);
}

}  // namespace
}  // namespace larder::behind
