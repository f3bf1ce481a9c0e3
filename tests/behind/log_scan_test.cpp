// What stands behind a break in SQLite's write-ahead log.
#include "behind/log_scan.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "behind/faulty_disk.hpp"
#include "behind/journal_fixture.hpp"
#include "behind/kept_log.hpp"

namespace larder::behind {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

// A journal of five writes, each a commit, as a kill leaves it; the last takes several frames.
class LogScanTest : public JournalTest {
 protected:
  LogScanTest() {
    open();
    for (int i = 1; i <= 4; ++i) keep("k" + std::to_string(i), "value");
    keep("k5", std::string(20'000, 'v'));
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
  // The frames from the end on, 1 the last, that are as they were before they were written.
  void leave_unwritten(std::size_t from_the_end) const {
    std::fstream file{log(), std::ios::binary | std::ios::in | std::ios::out};
    file.seekp(static_cast<std::streamoff>(fs::file_size(log()) - from_the_end * kFrame));
    file << std::string(kFrame, '\0');
  }
  // Where the frames are that end a commit.
  [[nodiscard]] std::vector<std::size_t> commit_frames() const {
    std::vector<std::size_t> places;
    std::ifstream file{log(), std::ios::binary};
    for (std::size_t at = 32; at < fs::file_size(log()); at += kFrame) {
      std::string size(4, '\0');  // of the database after it, if it does
      file.seekg(static_cast<std::streamoff>(at + 4));
      file.read(size.data(), 4);
      if (size != std::string(4, '\0')) places.push_back(at);
    }
    return places;
  }
  // As keep_broken_log() says it; empty: it has no break.
  [[nodiscard]] Result<std::string> kept_log() const {
    auto kept = keep_broken_log((left() / "journal.db").string());
    if (!kept) return std::unexpected{kept.error()};
    return kept->value_or("");
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

// As when the power goes: nobody had been told of what was being written.
TEST_F(LogScanTest, ACommitThatWasTornInItsMiddleIsNoBreak) {
  leave_unwritten(5);

  EXPECT_EQ(scan().commits, 4U);
  EXPECT_EQ(scan().commits_behind, 1U);
  EXPECT_TRUE(scan().torn());
  EXPECT_FALSE(scan().broken());
  EXPECT_THAT(describe_break(scan(), log()),
              AllOf(HasSubstr("ends within a commit"), HasSubstr("before anybody was told")));
}

TEST_F(LogScanTest, ACommitThatChangedBeforeTheLastIsABreak) {
  change_byte(commit_frames()[3] + 1000);  // in its page

  EXPECT_EQ(scan().commits, 3U);
  EXPECT_EQ(scan().commits_behind, 1U);
  EXPECT_TRUE(scan().broken());
  EXPECT_FALSE(scan().torn());
}

// The one behind it goes on from that checksum, so that neither fits.
TEST_F(LogScanTest, AChangedChecksumThatTakesTheLastCommitWithItIsABreak) {
  fs::resize_file(log(), commit_frames()[3] + kFrame);  // the last is one frame
  change_byte(commit_frames()[2] + 16);

  EXPECT_EQ(scan().commits, 2U);
  EXPECT_EQ(scan().commits_behind, 0U);
  EXPECT_TRUE(scan().broken());
  EXPECT_THAT(kept_log().value(), HasSubstr("with 2 commits"));
}

TEST_F(LogScanTest, WithItsHeaderChangedAllStandsBehindIt) {
  change_byte(17);

  EXPECT_EQ(scan().frames, 0U);
  EXPECT_GE(scan().commits_behind, 4U);
  EXPECT_TRUE(scan().broken());
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

TEST_F(LogScanTest, ALogIsKeptOnceHoweverOftenItIsMet) {
  change_byte(32 + kFrame + 1000);

  EXPECT_THAT(kept_log().value(), HasSubstr("journal.db-wal.broken1"));
  EXPECT_THAT(kept_log().value(), HasSubstr("journal.db-wal.broken1"));

  EXPECT_FALSE(fs::exists(log() + ".broken2"));
  EXPECT_FALSE(fs::exists(log() + ".broken1.part"));
}

TEST_F(LogScanTest, AfterSoManyAnotherIsRefusedAndNoneIsLost) {
  change_byte(32 + kFrame + 1000);
  for (int i = 1; i <= kMostKeptLogs; ++i) {
    ASSERT_THAT(kept_log().value(), HasSubstr("broken" + std::to_string(i)));
    change_byte(32 + kFrame + 1000 + static_cast<std::size_t>(i));
  }

  const auto kept = kept_log();

  ASSERT_FALSE(kept);
  EXPECT_THAT(kept.error().message,
              AllOf(HasSubstr("acknowledged writes are lost"), HasSubstr("has 8 such copies"),
                    HasSubstr("move them away")));
  const auto opened = SqliteJournal::open({.folder = left().string()});
  EXPECT_FALSE(opened);
}

TEST_F(LogScanTest, ATornLogIsKeptWhileThereIsRoomAndNeverARefusal) {
  for (int i = 1; i <= kMostKeptLogs; ++i) {
    std::ofstream{log() + ".broken" + std::to_string(i)} << "another";
  }
  leave_unwritten(5);

  EXPECT_THAT(kept_log().value(), HasSubstr("ends within a commit"));
}

TEST_F(LogScanTest, ATornLogThatCannotBeKeptIsNoRefusalEither) {
  fs::create_directory(log() + ".broken1.part");  // where its copy would be written
  leave_unwritten(5);

  EXPECT_THAT(kept_log().value(),
              AllOf(HasSubstr("ends within a commit"), HasSubstr("is not kept")));
}

TEST_F(LogScanTest, ALogThatCannotBeReadIsRefusedAndNotTakenForAnEmptyOne) {
  fs::remove(log());
  fs::create_directory(log());  // which opens, and does not read

  const auto kept = kept_log();

  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code, Errc::kRefused);
  EXPECT_THAT(kept.error().message,
              AllOf(HasSubstr("journal.db-wal cannot be read"), HasSubstr("see to the disk")));
}

// Files of this process end there: what is written past it fails, as on a disk that is full.
class ShortFiles {
 public:
  explicit ShortFiles(rlim_t bytes) : ignored_{std::signal(SIGXFSZ, SIG_IGN)} {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit shorter{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &shorter);
  }
  ~ShortFiles() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, ignored_);
  }
  ShortFiles(const ShortFiles&) = delete;
  ShortFiles& operator=(const ShortFiles&) = delete;

 private:
  void (*ignored_)(int);
  rlimit before_{};
};

TEST_F(LogScanTest, OnADiskThatIsFullATornLogIsToldAndItsWritesComeBack) {
  leave_unwritten(5);
  test::FaultyDisk disk;
  disk.leave_room(0);
  {
    const ShortFiles full{8192};
    open_at(left());
  }

  ASSERT_TRUE(journal_->log_break());
  EXPECT_THAT(*journal_->log_break(),
              AllOf(HasSubstr("ends within a commit"), HasSubstr("is not kept")));
  EXPECT_FALSE(fs::exists(log() + ".broken1"));
  EXPECT_FALSE(fs::exists(log() + ".broken1.part"));
  EXPECT_EQ(kept(*journal_),
            (std::vector<std::string>{"1 k1=value", "2 k2=value", "3 k3=value", "4 k4=value"}));
  EXPECT_THAT(keep(*log_, "k6", "value").error().message, HasSubstr("is full"));
  disk.leave_room(std::nullopt);
  keep("k6", "value");
  leave();
}

// Of what was acknowledged nothing is written over before it is kept.
TEST_F(LogScanTest, OnADiskThatIsFullABrokenLogIsARefusalAndStaysAsItIs) {
  change_byte(32 + kFrame + 1000);
  const auto bytes = fs::file_size(log());
  {
    const ShortFiles full{8192};
    const auto opened = SqliteJournal::open({.folder = left().string()});
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message,
                AllOf(HasSubstr("has a break"), HasSubstr("larder copies it before it goes on")));
  }

  EXPECT_EQ(fs::file_size(log()), bytes);
  EXPECT_FALSE(fs::exists(log() + ".broken1.part"));
  EXPECT_THAT(kept_log().value(), HasSubstr("broken1"));
}

}  // namespace
}  // namespace larder::behind
