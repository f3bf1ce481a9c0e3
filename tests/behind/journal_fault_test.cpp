// The journal on a disk that fails, loses power, or gives back other than it got.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <mutex>
#include <random>
#include <thread>

#include "behind/faulty_disk.hpp"
#include "behind/journal_fixture.hpp"

namespace larder::behind {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class JournalFaults : public JournalTest {
 protected:
  ~JournalFaults() override {
    log_.reset();
    if (journal_) (void)journal_->close();
    journal_.reset();
  }
  // Why a write is refused now.
  Error refusal() {
    const auto position = keep(*log_, "x", "x");
    EXPECT_FALSE(position);
    return position ? Error{Errc::kInternal, "it is not"} : position.error();
  }
  // The journal as a loss of power leaves it, in a folder of its own.
  fs::path without_power(std::uint64_t seed) {
    std::mt19937_64 random{seed};
    const fs::path left = folder_ / ("left" + std::to_string(seed));
    disk_.lose_power(place(), left, random);
    return left;
  }
  static std::vector<std::string> kept_at(const fs::path& place) {
    const auto opened = SqliteJournal::open({.folder = place.string()});
    EXPECT_TRUE(opened) << opened.error().message;
    if (!opened) return {};
    auto writes = kept(**opened);
    EXPECT_TRUE((*opened)->close());
    return writes;
  }

  test::FaultyDisk disk_;
};

TEST_F(JournalFaults, AFullDiskRefusesInWordsAndWritesGoOnWhenThereIsRoom) {
  open();
  keep("a", "1");
  disk_.leave_room(0);

  const Error error = refusal();
  EXPECT_EQ(error.code, Errc::kOverloaded);
  EXPECT_THAT(error.message, AllOf(HasSubstr("is full"), HasSubstr("nothing was written")));
  EXPECT_FALSE(journal_->stats().broken);

  disk_.leave_room(std::nullopt);
  keep("b", "2");
  close();
  EXPECT_EQ(kept_at(place()), (std::vector<std::string>{"1 a=1", "3 b=2"}));
}

TEST_F(JournalFaults, OnADiskThatIsFullItOpensAndWritesWhenThereIsRoom) {
  open();
  const Position first = keep("a", "1");
  close();
  disk_.leave_room(0);

  open();
  EXPECT_EQ(kept(*journal_), std::vector<std::string>{"1 a=1"});
  ASSERT_TRUE(journal_->stats().failure);
  EXPECT_THAT(journal_->stats().failure->message, HasSubstr("is full"));
  EXPECT_THAT(refusal().message, HasSubstr("is full"));
  log_->settle({first});

  disk_.leave_room(std::nullopt);
  const Position second = keep("b", "2");
  EXPECT_GT(second, first);
  EXPECT_FALSE(journal_->stats().failure);
  close();
  EXPECT_EQ(kept_at(place()), std::vector<std::string>{std::to_string(second) + " b=2"});
}

// Its position would be given out again: its mark in the source would stand for another write.
TEST_F(JournalFaults, OnADiskThatIsFullNothingIsAcknowledgedAtOnceBeforePositionsAreReserved) {
  open();
  const Position last = keep("a", "1");
  close();
  disk_.leave_room(0);
  open();
  const auto memory = journal_->of("product", Durability::kMemory);

  const auto refused = keep(*memory, "b", "2");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kOverloaded);
  EXPECT_THAT(refused.error().message, HasSubstr("is full"));

  disk_.leave_room(std::nullopt);
  keep("c", "3");
  const Position given = keep(*memory, "d", "4").value();
  EXPECT_GT(given, last);
  leave();
  open();
  EXPECT_GT(keep("e", "5"), given);
}

TEST_F(JournalFaults, OnADiskThatWasFullItIsWellOnceThereIsRoomThoughNobodyWrites) {
  open();
  keep("a", "1");
  close();
  disk_.leave_room(0);
  std::promise<void> well;
  auto opened = SqliteJournal::open({.folder = place().string(),
                                     .interval = std::chrono::milliseconds{1},
                                     .report = [&](const Error* failure) {
                                       if (failure == nullptr) well.set_value();
                                     }});
  ASSERT_TRUE(opened);
  journal_ = std::move(*opened);
  ASSERT_TRUE(journal_->stats().failure);

  disk_.leave_room(std::nullopt);

  well.get_future().wait();
  EXPECT_FALSE(journal_->stats().failure);
  leave();
}

// As after a kill: with a log that is not in the database yet.
TEST_F(JournalFaults, OnADiskThatIsFullTheLogOfAKilledProcessIsReadToo) {
  open();
  keep("a", "1");
  const fs::path left = without_power(1);
  leave();
  disk_.leave_room(0);

  open_at(left);
  EXPECT_EQ(kept(*journal_), std::vector<std::string>{"1 a=1"});
  leave();

  disk_.leave_room(std::nullopt);
  EXPECT_EQ(kept_at(left), std::vector<std::string>{"1 a=1"});
}

TEST_F(JournalFaults, OnADiskThatIsFullANewOneIsNotMade) {
  disk_.leave_room(0);

  const auto opened = SqliteJournal::open({.folder = place().string()});

  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("is full"));
}

TEST_F(JournalFaults, AWriteThatWasAcknowledgedAtOnceGoesWithTheNextCommitThatSucceeds) {
  open();
  const auto memory = journal_->of("product", Durability::kMemory);
  disk_.leave_room(0);
  EXPECT_TRUE(keep(*memory, "a", "1"));
  (void)refusal();
  EXPECT_TRUE(keep(*memory, "a", "2"));
  (void)refusal();

  disk_.leave_room(std::nullopt);
  keep("b", "3");

  EXPECT_EQ(kept_at(without_power(1)), (std::vector<std::string>{"1 a=1", "3 a=2", "5 b=3"}));
}

TEST_F(JournalFaults, WhatWasAcknowledgedAtOnceIsTriedOnceMoreAtTheEnd) {
  open();
  const auto memory = journal_->of("product", Durability::kMemory);
  disk_.leave_room(0);
  EXPECT_TRUE(keep(*memory, "a", "1"));
  (void)refusal();

  disk_.leave_room(std::nullopt);
  close();

  EXPECT_EQ(kept_at(place()), std::vector<std::string>{"1 a=1"});
}

TEST_F(JournalFaults, WhatIsSettledWhileTheDiskIsFullIsSettledLater) {
  open();
  const Position first = keep("a", "1");
  disk_.leave_room(0);
  log_->settle({first});
  (void)refusal();

  disk_.leave_room(std::nullopt);
  keep("b", "2");
  close();

  EXPECT_EQ(kept_at(place()), std::vector<std::string>{"3 b=2"});
}

TEST_F(JournalFaults, AFailedSyncIsFinalThoughALaterOneWouldSucceed) {
  open();
  const Position first = keep("a", "1");
  disk_.fail_syncs(0);

  const Error unknown = refusal();
  EXPECT_EQ(unknown.code, Errc::kOutcomeUnknown);
  disk_.fail_syncs(std::nullopt);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(refusal().message, AllOf(HasSubstr("is not written any more"),
                                         HasSubstr("until larder is started again")));
  }
  const int syncs = disk_.syncs();
  log_->settle({first});
  log_.reset();
  const auto closed = journal_->close();

  EXPECT_TRUE(journal_->stats().broken);
  ASSERT_FALSE(closed);
  EXPECT_THAT(closed.error().message, HasSubstr("is not written any more"));
  EXPECT_EQ(disk_.syncs(), syncs);  // nothing was, nor tried
  journal_.reset();
  EXPECT_EQ(kept_at(without_power(1)).front(), "1 a=1");
}

// The next process reads from the system's memory what the disk does not have.
TEST_F(JournalFaults, AfterAFailedSyncTheNextProcessWritesAllOnceMore) {
  open();
  keep("a", "1");
  disk_.fail_syncs(0);
  (void)refusal();
  leave();
  disk_.fail_syncs(std::nullopt);

  open();
  keep("b", "2");

  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto writes = kept_at(without_power(seed));
    EXPECT_EQ(writes.front(), "1 a=1");
    EXPECT_THAT(writes.back(), HasSubstr("b=2"));
  }
}

TEST_F(JournalFaults, ASyncThatFailsAsTheLogIsCopiedIsFinalToo) {
  open({1ULL << 30});
  disk_.fail_syncs(std::nullopt);
  // Many times the log's length; the second sync of a commit is a copy's.
  for (int i = 0; i < 3000; ++i) {
    const int before = disk_.syncs();
    keep("k" + std::to_string(i), std::string(4000, 'v'));
    if (disk_.syncs() > before + 1) break;
  }
  const int before = disk_.syncs();
  int length = 0;
  while (disk_.syncs() - before <= length + 1 && length < 3000) {
    keep("l" + std::to_string(length++), std::string(4000, 'v'));
  }
  ASSERT_LT(length, 3000);

  // The same once more, but that the copy's sync fails.
  bool refused = false;
  for (int i = 0; i < 3000 && !refused; ++i) {
    disk_.fail_syncs(1);
    refused = !keep(*log_, "m", std::string(4000, 'v'));
  }

  EXPECT_TRUE(refused);
  EXPECT_TRUE(journal_->stats().broken);
}

TEST_F(JournalFaults, AnErrorOfAWriteIsFinal) {
  open();
  keep("a", "1");
  disk_.fail_writes(0);
  (void)refusal();
  disk_.fail_writes(std::nullopt);

  EXPECT_THAT(refusal().message, HasSubstr("is not written any more"));
  EXPECT_EQ(kept_at(without_power(1)).front(), "1 a=1");
}

TEST_F(JournalFaults, AFileSystemThatTurnsReadOnlyRefusesInWords) {
  open();
  keep("a", "1");
  disk_.make_read_only(true);

  EXPECT_THAT(refusal().message, HasSubstr("Read-only file system"));
  EXPECT_THAT(refusal().message, HasSubstr("until larder is started again"));
  leave();
  const auto opened = SqliteJournal::open({.folder = place().string()});
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("cannot be opened"));
}

// Every value tells its key and its number.
class PowerCuts : public JournalFaults, public ::testing::WithParamInterface<std::uint64_t> {};

TEST_P(PowerCuts, WhatWasAcknowledgedIsThereAndNothingElseIs) {
  constexpr int kWriters = 4;
  open({1ULL << 26});
  std::mutex mutex;
  std::vector<Position> acknowledged(kWriters);          // the last of each writer
  std::vector<std::vector<Position>> pending(kWriters);  // not settled
  std::atomic<bool> stop = false;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      std::mt19937_64 random{GetParam() * 100 + static_cast<std::uint64_t>(w)};
      for (int i = 0; !stop; ++i) {
        const std::string key = std::to_string(w);
        const auto position = keep(
            *log_, key, key + ":" + std::to_string(i) + ":" + std::string(random() % 3000, 'v'));
        if (!position) return;
        std::vector<Position> settled;
        {
          const std::lock_guard lock{mutex};
          acknowledged[static_cast<std::size_t>(w)] = *position;
          auto& mine = pending[static_cast<std::size_t>(w)];
          mine.push_back(*position);
          if (mine.size() > 20 && random() % 2 == 0) settled = std::exchange(mine, {});
        }
        if (!settled.empty()) log_->settle(std::move(settled));
      }
    });
  }
  std::mt19937_64 random{GetParam()};
  for (int cut = 0; cut < 10; ++cut) {
    const std::uint64_t until = journal_->stats().commits + 1 + random() % 100;
    while (journal_->stats().commits < until) std::this_thread::yield();
    std::vector<std::vector<Position>> owed;
    {
      const std::lock_guard lock{mutex};
      owed = pending;
    }
    const fs::path left = without_power(GetParam() * 1000 + static_cast<std::uint64_t>(cut));
    std::vector<std::vector<Position>> settled_since;
    {
      const std::lock_guard lock{mutex};
      settled_since = pending;
    }
    const auto opened = SqliteJournal::open({.folder = left.string(), .limit = {1ULL << 26}});
    ASSERT_TRUE(opened) << opened.error().message;
    std::vector<Position> found;
    std::vector<int> last(kWriters, -1);
    for (const KeptWrite& write : (*opened)->take_recovered()) {
      ASSERT_TRUE(write.value && write.value->starts_with(write.key + ":"));
      const auto writer = static_cast<std::size_t>(std::stoi(write.key));
      const int number = std::stoi(write.value->substr(write.key.size() + 1));
      EXPECT_GT(number, last[writer]);
      last[writer] = number;
      found.push_back(write.position);
    }
    EXPECT_EQ((*opened)->stats().damaged, 0U);
    ASSERT_TRUE((*opened)->close());
    for (std::size_t w = 0; w < kWriters; ++w) {
      for (const Position position : owed[w]) {
        // Unless it was settled while the power went.
        if (std::ranges::find(settled_since[w], position) == settled_since[w].end()) continue;
        EXPECT_TRUE(std::ranges::binary_search(found, position))
            << "seed " << GetParam() << ", cut " << cut << ": lost " << position;
      }
    }
    fs::remove_all(left);
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
}

INSTANTIATE_TEST_SUITE_P(Seeds, PowerCuts, ::testing::Range<std::uint64_t>(1, 9));

// What a file that was cut off, or has a byte changed, comes to.
class DamagedJournal : public JournalTest {
 protected:
  DamagedJournal() : JournalTest{memory()} {}
  // Thousands of files are made, and none has to last.
  static fs::path memory() {
    return fs::is_directory("/dev/shm") ? fs::path{"/dev/shm"} : fs::temp_directory_path();
  }
  static std::string read(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  ~DamagedJournal() override {
    if (journal_) leave();
  }
  // Opens a journal of these files. Either it says what is wrong, or what it gives is a part
  // of what was written, whole. How many writes it gives; none: it says what is wrong.
  std::optional<std::size_t> open_of(const std::string& database, const std::string& log,
                                     std::uint64_t* damaged = nullptr) {
    const fs::path copy = folder_ / "copy";
    fs::remove_all(copy);
    fs::create_directory(copy);
    std::ofstream{copy / "journal.db", std::ios::binary} << database;
    if (!log.empty()) std::ofstream{copy / "journal.db-wal", std::ios::binary} << log;
    const auto opened = SqliteJournal::open({.folder = copy.string()});
    if (!opened) {
      EXPECT_FALSE(opened.error().message.empty());
      return std::nullopt;
    }
    std::size_t count = 0;
    for (const KeptWrite& write : (*opened)->take_recovered()) {
      EXPECT_EQ(write.cache, "product");
      EXPECT_EQ(write.key, "k" + std::to_string(write.position));
      EXPECT_EQ(write.value, "value of " + write.key);
      ++count;
    }
    if (damaged != nullptr) *damaged = (*opened)->stats().damaged;
    (void)(*opened)->close();
    return count;
  }
  void write_some(int count) {
    for (int i = 1; i <= count; ++i) {
      keep("k" + std::to_string(i), "value of k" + std::to_string(i));
    }
  }

  test::FaultyDisk disk_;  // for nothing but that its syncs cost nothing
};

TEST_F(DamagedJournal, ALogCutAtEveryByteOfItsLastRecordsKeepsTheEarlierOnes) {
  open();
  write_some(3);
  const std::string three = read(place() / "journal.db-wal");
  keep("k4", "value of k4");
  keep("k5", "value of k5");
  const std::string database = read(place() / "journal.db");
  const std::string log = read(place() / "journal.db-wal");
  ASSERT_GT(log.size(), three.size());

  for (std::size_t size = three.size(); size <= log.size(); ++size) {
    const auto count = open_of(database, log.substr(0, size));

    ASSERT_TRUE(count) << size;
    EXPECT_GE(*count, 3U) << size;
    EXPECT_EQ(*count == 5, size == log.size()) << size;
  }
}

TEST_F(DamagedJournal, ALogWithAByteChangedNeverGivesGarbage) {
  open();
  write_some(5);
  const std::string database = read(place() / "journal.db");
  const std::string log = read(place() / "journal.db-wal");

  for (std::size_t at = 0; at < log.size(); at += 13) {
    std::string changed = log;
    changed[at] = static_cast<char>(changed[at] ^ (1 << (at % 8)));
    (void)open_of(database, changed);
  }
}

TEST_F(DamagedJournal, ADatabaseCutAnywhereNeverGivesGarbage) {
  open();
  write_some(5);
  close();
  const std::string database = read(place() / "journal.db");
  ASSERT_EQ(open_of(database, ""), 5U);

  for (std::size_t cut = 1; cut < database.size(); cut += cut < 4096 ? 7 : 509) {
    (void)open_of(database.substr(0, database.size() - cut), "");
  }
}

TEST_F(DamagedJournal, ADatabaseWithAByteChangedNeverGivesGarbage) {
  open();
  write_some(5);
  close();
  const std::string database = read(place() / "journal.db");
  int told = 0;

  for (std::size_t at = 0; at < database.size(); at += 11) {
    std::string changed = database;
    changed[at] = static_cast<char>(changed[at] ^ (1 << (at % 8)));
    std::uint64_t damaged = 0;
    const auto count = open_of(changed, "", &damaged);
    if (!count || damaged > 0) ++told;
  }

  EXPECT_GT(told, 0);
}

}  // namespace
}  // namespace larder::behind
