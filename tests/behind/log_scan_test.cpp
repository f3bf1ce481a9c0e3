// What stands behind a break in SQLite's write-ahead log.
#include "behind/log_scan.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "behind/journal_fixture.hpp"

namespace larder::behind {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

// A journal of five writes, each a commit, as a kill leaves it.
class LogScanTest : public JournalTest {
 protected:
  LogScanTest() {
    open();
    for (int i = 1; i <= 5; ++i) keep("k" + std::to_string(i), "value");
    // A copy, since to close it would empty the log.
    fs::create_directory(left());
    for (const char* name : {"journal.db", "journal.db-wal"}) {
      fs::copy_file(place() / name, left() / name);
    }
    close();
  }
  [[nodiscard]] fs::path left() const { return folder_ / "left"; }
  [[nodiscard]] std::string log() const { return (left() / "journal.db-wal").string(); }
  [[nodiscard]] LogScan scan() const {
    const auto scanned = scan_log(log());
    EXPECT_TRUE(scanned);
    return scanned.value_or(LogScan{});
  }
  void change_byte(std::size_t at) const {
    std::fstream file{log(), std::ios::binary | std::ios::in | std::ios::out};
    file.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
  }
  static constexpr std::size_t kFrame = 24 + 4096;
};

TEST_F(LogScanTest, AWholeLogHasNothingBehindIt) {
  EXPECT_EQ(scan().commits, 5U);
  EXPECT_EQ(scan().frames, (fs::file_size(log()) - 32) / kFrame);
  EXPECT_EQ(scan().frames_behind, 0U);
  EXPECT_FALSE(scan().broken());
}

TEST_F(LogScanTest, ATornEndIsNoBreak) {
  fs::resize_file(log(), fs::file_size(log()) - 1);

  EXPECT_EQ(scan().commits, 4U);
  EXPECT_FALSE(scan().broken());
}

TEST_F(LogScanTest, CommitsBehindAFrameThatChangedAreCounted) {
  const LogScan whole = scan();
  change_byte(32 + kFrame + 1000);  // in the page of the second

  EXPECT_EQ(scan().frames, 1U);
  EXPECT_EQ(scan().frames_behind, whole.frames - 2);
  EXPECT_EQ(scan().commits + scan().commits_behind, 4U);
  EXPECT_TRUE(scan().broken());
}

TEST_F(LogScanTest, WithItsHeaderChangedAllStandsBehindIt) {
  change_byte(17);

  EXPECT_EQ(scan().frames, 0U);
  EXPECT_GE(scan().commits_behind, 4U);
}

TEST_F(LogScanTest, WhereThereIsNoLogThereIsNothing) {
  EXPECT_FALSE(scan_log((folder_ / "no").string()).value().broken());
}

TEST_F(LogScanTest, AJournalWithABreakTellsOfItAndKeepsTheLog) {
  std::string changed;
  change_byte(32 + kFrame + 1000);
  {
    std::ifstream in{log(), std::ios::binary};
    changed.assign(std::istreambuf_iterator<char>{in}, {});
  }

  open_at(left());

  ASSERT_TRUE(journal_->log_break());
  EXPECT_THAT(*journal_->log_break(), AllOf(HasSubstr("has a break after its frame 1"),
                                            HasSubstr("acknowledged writes are lost")));
  std::ifstream in{left() / "journal.db-wal.broken1", std::ios::binary};
  EXPECT_EQ((std::string{std::istreambuf_iterator<char>{in}, {}}), changed);

  close();
  open_at(left());
  EXPECT_FALSE(journal_->log_break());
}

}  // namespace
}  // namespace larder::behind
