#include "behind/sqlite_journal.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "behind/journal_fixture.hpp"

namespace larder::behind {
namespace {

namespace fs = std::filesystem;

using SqliteJournalTest = JournalTest;

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
  run("PRAGMA user_version = 99");

  for (int i = 0; i < 2; ++i) {
    const auto opened = SqliteJournal::open({.folder = (folder_ / "j").string()});
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().message.find("has the version 99"), std::string::npos);
  }
}

TEST_F(SqliteJournalTest, ALogWhoseDatabaseIsGoneIsRefusedAndLeftAsItIs) {
  open();
  keep("a", "1");
  const auto copy = folder_ / "copy";
  std::filesystem::create_directory(copy);
  std::filesystem::copy_file(place() / "journal.db-wal", copy / "journal.db-wal");
  const auto bytes = std::filesystem::file_size(copy / "journal.db-wal");
  ASSERT_GT(bytes, 0U);

  for (const bool empty : {false, true}) {
    if (empty) std::ofstream{copy / "journal.db"};
    const auto opened = SqliteJournal::open({.folder = copy.string()});
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().message.find("is gone or empty"), std::string::npos);
    EXPECT_EQ(std::filesystem::file_size(copy / "journal.db-wal"), bytes);
  }
}

TEST_F(SqliteJournalTest, AnotherProgramsDatabaseIsRefused) {
  std::filesystem::create_directory(place());
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open((place() / "journal.db").c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, "CREATE TABLE t (n)", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);

  const auto opened = SqliteJournal::open({.folder = place().string()});

  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("another program's SQLite database"), std::string::npos);
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

TEST_F(SqliteJournalTest, NoPositionIsGivenTwiceThoughAllIsSettled) {
  open();
  log_->settle({keep("a", "1"), keep("a", "2")});
  close();

  open();

  EXPECT_EQ(keep("b", "3"), 3U);
}

// Their rows are lost, but the source may have had them.
TEST_F(SqliteJournalTest, NoPositionIsGivenTwiceThoughTheLastWereNeverWritten) {
  open();
  keep("a", "1");
  const fs::path copy = folder_ / "copy";
  fs::copy(place(), copy);
  const Position later = keep("a", "2");
  close();

  open_at(copy);

  EXPECT_EQ(kept(*journal_), std::vector<std::string>{"1 a=1"});
  EXPECT_GT(keep("a", "3"), later);
}

TEST_F(SqliteJournalTest, TellsBelowWhichNothingComesBackOnceTheDiskHasIt) {
  open();
  const Position first = keep("a", "1");
  const Position second = keep("b", "2");
  const Position dead = keep("c", "3");
  EXPECT_EQ(log_->settled_below(), first);

  log_->settle({first});
  log_->bury(dead, {Errc::kRejected, "CHECK", "23514"});
  keep("d", "4");
  EXPECT_EQ(log_->settled_below(), second);

  log_->settle({second});
  const Position last = keep("e", "5");
  EXPECT_EQ(log_->settled_below(), last - 1);  // "d"
}

TEST_F(SqliteJournalTest, HasANameThatItKeeps) {
  open();
  const std::string name = journal_->id();
  EXPECT_EQ(name.size(), 32U);
  close();

  open();

  EXPECT_EQ(journal_->id(), name);
}

TEST_F(SqliteJournalTest, ARowThatTheDiskChangedIsPutAsideAndTheOthersAreKept) {
  open();
  keep("a", "first");
  keep("b", "second");
  close();
  const std::string file = (place() / "journal.db").string();
  std::string bytes;
  {
    std::ifstream in{file, std::ios::binary};
    bytes.assign(std::istreambuf_iterator<char>{in}, {});
  }
  const auto at = bytes.find("first");
  ASSERT_NE(at, std::string::npos);
  bytes[at + 1] ^= 0x04;
  std::ofstream{file, std::ios::binary} << bytes;

  for (int i = 0; i < 2; ++i) {
    open();

    EXPECT_EQ(kept(*journal_), std::vector<std::string>{"2 b=second"});
    EXPECT_EQ(journal_->stats().damaged, 1U);
    close();
  }
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

TEST_F(SqliteJournalTest, IsFullNoLongerThanWhatWasRefusedFindsNoRoom) {
  open({1000});
  const Position first = keep("a", std::string(200, 'x'));
  const Position second = keep("b", std::string(200, 'x'));
  ASSERT_FALSE(keep(*log_, "c", std::string(500, 'x')));
  EXPECT_TRUE(journal_->stats().full);

  log_->bury(first, {Errc::kRejected, "no"});
  EXPECT_TRUE(journal_->stats().full);
  log_->settle({second});

  EXPECT_FALSE(journal_->stats().full);
}

TEST_F(SqliteJournalTest, WhatCanNeverFitIsRefusedAsSuchAndLeavesItNotFull) {
  open({1000});

  const auto refused = keep(*log_, "a", std::string(1000, 'x'));

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kInvalidArgument);
  EXPECT_NE(refused.error().message.find("more than the 1000 of journal.limit"), std::string::npos);
  EXPECT_FALSE(journal_->stats().full);
}

TEST_F(SqliteJournalTest, HasOneOwner) {
  open();

  const auto second = SqliteJournal::open({.folder = (folder_ / "j").string()});

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kRefused);
  EXPECT_NE(second.error().message.find("this process has the journal"), std::string::npos);
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
