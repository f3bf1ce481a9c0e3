#include <gmock/gmock.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "access/shell.hpp"
#include "behind/journal_file.hpp"
#include "behind/sqlite_journal.hpp"
#include "cli/run_larder.hpp"

namespace larder {
namespace {

namespace fs = std::filesystem;
using behind::Durability;
using behind::SqliteJournal;
using testing::AllOf;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Where programs that are run meanwhile keep their temporary files.
class TemporaryFiles {
 public:
  explicit TemporaryFiles(fs::path folder) : folder_{std::move(folder)} {
    if (const char* before = std::getenv("TMPDIR")) before_ = before;
    fs::create_directory(folder_);
    ::setenv("TMPDIR", folder_.c_str(), 1);
  }
  ~TemporaryFiles() {
    if (before_) {
      ::setenv("TMPDIR", before_->c_str(), 1);
    } else {
      ::unsetenv("TMPDIR");
    }
  }
  TemporaryFiles(const TemporaryFiles&) = delete;
  TemporaryFiles& operator=(const TemporaryFiles&) = delete;

  [[nodiscard]] const fs::path& folder() const { return folder_; }

 private:
  const fs::path folder_;
  std::optional<std::string> before_;
};

// A journal with two writes that pend, and a third that was refused: 2.
class JournalCommand : public ::testing::Test {
 protected:
  JournalCommand() {
    std::string name = (fs::temp_directory_path() / "larder_journal_XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    with_journal([&](SqliteJournal& journal) {
      const auto log = journal.of("product", Durability::kSync);
      keep(*log, "product:1", R"({"price":1})");
      const auto refused = keep(*log, "product:2", R"({"price":-1})");
      keep(*log, "product:3", std::nullopt);
      log->bury(refused, {Errc::kRejected, "CHECK constraint failed: price > 0", "23514"});
    });
  }
  ~JournalCommand() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  template <class Use>
  void with_journal(Use use) {
    auto journal = SqliteJournal::open({.folder = place()});
    ASSERT_TRUE(journal) << journal.error().message;
    use(**journal);
    EXPECT_TRUE((*journal)->close());
  }
  static behind::Position keep(behind::WriteLog& log, std::string key,
                               std::optional<std::string> value) {
    std::promise<Result<behind::Position>> told;
    log.append(std::move(key), std::move(value),
               [&](Result<behind::Position> position) { told.set_value(std::move(position)); });
    return told.get_future().get().value();
  }
  std::vector<std::string> pending() {
    std::vector<std::string> writes;
    with_journal([&](SqliteJournal& journal) {
      for (const auto& write : journal.take_recovered()) {
        writes.push_back(write.key + " " + write.value.value_or("removed"));
      }
    });
    return writes;
  }
  [[nodiscard]] std::string place() const { return (folder_ / "journal").string(); }
  [[nodiscard]] std::string bytes() const { return bytes_of(folder_ / "journal" / "journal.db"); }
  static std::string bytes_of(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  // The journal as a kill leaves it, with so many writes more in its log, each a commit.
  [[nodiscard]] fs::path killed(int writes) {
    fs::path left = folder_ / "killed";
    with_journal([&](SqliteJournal& journal) {
      const auto log = journal.of("product", Durability::kSync);
      for (int i = 0; i < writes; ++i) keep(*log, "product:9", R"({"price":9})");
      fs::copy(place(), left);
    });
    return left;
  }
  test::Ran run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "journal");
    return test::run_larder(arguments);
  }

  fs::path folder_;
};

TEST_F(JournalCommand, ShowsWhatPendsAndWhatWasRefusedAndWhy) {
  const std::string before = bytes();

  const test::Ran ran = run({"show", place()});

  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("cache product: 2 writes pending, 29B of keys and values"),
                             HasSubstr("2  product:2  {\"price\":-1}"), HasSubstr("23514"),
                             HasSubstr("CHECK constraint failed: price > 0")));
  EXPECT_EQ(bytes(), before);
}

TEST_F(JournalCommand, VerifiesThatEveryRowIsAsItWasWritten) {
  EXPECT_THAT(run({"verify", place()}).out,
              HasSubstr("ok, 2 writes pending, 1 dead letter, 0 damaged rows"));

  std::string changed = bytes();
  changed[changed.find("\"price\":1}") + 8] = '7';
  std::ofstream{folder_ / "journal" / "journal.db", std::ios::binary} << changed;

  const test::Ran ran = run({"verify", place() + "/journal.db"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.err, HasSubstr("the row 1, of the key product:1, does not fit its checksum"));
  EXPECT_THAT(run({"dump", place()}).out, HasSubstr(R"("value":{"price":7},"damaged":true)"));
}

TEST_F(JournalCommand, DumpsALineOfJsonForEachRow) {
  const test::Ran ran = run({"dump", place()});

  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr(R"({"state":"pending","position":1,"written_at_ms":)"),
                    HasSubstr(R"("cache":"product","key":"product:1","value":{"price":1}})"),
                    HasSubstr(R"("key":"product:3","removal":true})"),
                    HasSubstr(R"({"state":"dead","position":2,)"),
                    HasSubstr(R"("code":"23514","message":"CHECK constraint failed: price > 0")")));
}

TEST_F(JournalCommand, ADeadLetterIsRetriedAtItsPlace) {
  EXPECT_EQ(run({"retry", place(), "2"}).out, "2 is pending again\n");

  EXPECT_THAT(pending(), ElementsAre(R"(product:1 {"price":1})", R"(product:2 {"price":-1})",
                                     "product:3 removed"));
  EXPECT_THAT(run({"show", place()}).out, HasSubstr("no dead letters"));
}

TEST_F(JournalCommand, ADeadLetterIsGivenAnotherValue) {
  EXPECT_EQ(run({"edit", place(), "2", "--value", "7"}).exit_code, 1);
  EXPECT_EQ(run({"edit", place(), "2", "--value", R"({"price":2})"}).exit_code, 0);

  EXPECT_THAT(pending(), ElementsAre(R"(product:1 {"price":1})", R"(product:2 {"price":2})",
                                     "product:3 removed"));
}

TEST_F(JournalCommand, AnEditedValueHasTheFieldsOfWhatWasRefused) {
  const test::Ran ran = run({"edit", place(), "2", "--value", R"({"prize":2})"});

  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.err, HasSubstr("the value lacks price"));
  EXPECT_THAT(run({"show", place()}).out, HasSubstr("2  product:2"));
}

TEST_F(JournalCommand, WhatNobodyCanFlushIsParkedAndComesBackByRetry) {
  with_journal([&](SqliteJournal& journal) {
    keep(*journal.of("gone", Durability::kSync), "gone:1", R"({"n":1})");
    keep(*journal.of("gone", Durability::kSync), "gone:2", R"({"n":2})");
  });
  EXPECT_EQ(run({"park", place()}).exit_code, 2);

  EXPECT_EQ(run({"park", place(), "--cache", "gone", "--key", "gone:1"}).out,
            "4 is a dead letter now\n");
  EXPECT_EQ(run({"park", place(), "--cache", "gone"}).out, "5 is a dead letter now\n");
  EXPECT_THAT(run({"park", place(), "--cache", "gone"}).out, HasSubstr("there is none"));

  EXPECT_THAT(
      run({"show", place()}).out,
      AllOf(HasSubstr("parked"), HasSubstr("4  gone:1  {\"n\":1}"), Not(HasSubstr("cache gone"))));
  EXPECT_THAT(run({"verify", place()}).out, HasSubstr("ok, 2 writes pending, 3 dead letters"));
  EXPECT_EQ(run({"retry", place(), "5"}).exit_code, 0);
  EXPECT_THAT(pending(),
              ElementsAre(R"(product:1 {"price":1})", "product:3 removed", R"(gone:2 {"n":2})"));
}

TEST_F(JournalCommand, OfSeveralPositionsAllAreChangedOrNone) {
  const test::Ran ran = run({"park", place(), "1", "77"});

  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.err, HasSubstr("no write 77 is pending"));
  EXPECT_THAT(pending(), ElementsAre(R"(product:1 {"price":1})", "product:3 removed"));
}

TEST_F(JournalCommand, SaysWhereAFileWasCutOff) {
  const fs::path file = folder_ / "journal" / "journal.db";
  fs::resize_file(file, fs::file_size(file) - 5000);

  const test::Ran dumped = run({"dump", place()});
  EXPECT_EQ(dumped.exit_code, 1);
  EXPECT_THAT(dumped.err, AllOf(HasSubstr("is cut off or damaged"), HasSubstr("keep the file")));

  fs::resize_file(file, 0);
  EXPECT_THAT(run({"dump", place()}).err, HasSubstr("is empty"));
}

// SQLite deletes a log that stands beside an empty database, and lays its pages over another's.
TEST_F(JournalCommand, ALogIsKeptThoughTheFileBesideItIsNotItsOwn) {
  const fs::path left = killed(3);
  const std::string log = bytes_of(left / "journal.db-wal");
  ASSERT_FALSE(log.empty());
  std::string other(8192, '\0');
  other.replace(0, 16, std::string{"SQLite format 3\0", 16});

  std::string programs = other;  // with a log of its own
  programs.replace(16, 4, std::string{"\x10\0\2\2", 4});
  programs[63] = 7;  // user_version

  // One that might be a journal in all but larder's mark: in its only page, its version, or both.
  std::string page(4096, '\0');
  page.replace(0, 20, programs, 0, 20);
  std::string second = programs;
  second[63] = 2;
  // With the mark, but pages of another size.
  std::string wider = second;
  wider[16] = '\x20';
  wider.replace(68, 4, "Lard");

  for (const std::string& file : {std::string{}, std::string{"x"}, std::string(5000, 'x'), other,
                                  programs, page, second, wider}) {
    for (const char* verb : {"show", "verify", "dump", "retry", "park", "drop"}) {
      std::ofstream{left / "journal.db", std::ios::binary} << file;

      const test::Ran ran = run({verb, left.string(), "2"});

      EXPECT_EQ(ran.exit_code, 1) << verb;
      EXPECT_THAT(ran.err, HasSubstr("journal.db-wal, "));
      EXPECT_EQ(bytes_of(left / "journal.db-wal"), log) << verb;
      EXPECT_EQ(bytes_of(left / "journal.db"), file) << verb;
    }
    EXPECT_FALSE(SqliteJournal::open({.folder = left.string()}));
    EXPECT_EQ(bytes_of(left / "journal.db-wal"), log);
  }
}

// Nothing of it is in the file yet but whose it is.
TEST_F(JournalCommand, AJournalThatNeverWasCopiedFromItsLogIsTakenForOne) {
  const fs::path kept = folder_ / "kept";
  {
    const auto made = behind::JournalFile::open((folder_ / "new").string());
    ASSERT_TRUE(made) << made.error().message;
    fs::copy(folder_ / "new", kept);
  }
  const std::string file = bytes_of(kept / "journal.db");
  ASSERT_EQ(file.size(), 4096U);
  ASSERT_EQ(file.substr(60, 12), std::string("\0\0\0\0\0\0\0\0Lard", 12));
  ASSERT_FALSE(bytes_of(kept / "journal.db-wal").empty());

  EXPECT_EQ(run({"verify", kept.string()}).exit_code, 0);
  EXPECT_TRUE(SqliteJournal::open({.folder = kept.string()}));
}

TEST_F(JournalCommand, AJournalOfAnotherVersionIsToldAsOneThoughALogStandsBesideIt) {
  const fs::path left = killed(3);
  const std::string log = bytes_of(left / "journal.db-wal");
  std::string later = bytes_of(left / "journal.db");
  later[63] = 9;  // user_version
  std::ofstream{left / "journal.db", std::ios::binary} << later;
  fs::resize_file(left / "journal.db-wal", 32 + 24);  // without a frame that would hide it

  EXPECT_THAT(run({"show", left.string()}).err, HasSubstr("its version is 9"));
  const auto opened = SqliteJournal::open({.folder = left.string()});
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("has the version 9"));
  EXPECT_EQ(bytes_of(left / "journal.db-wal"), log.substr(0, 32 + 24));
}

TEST_F(JournalCommand, ToLookChangesNoByteOfTheLogEither) {
  const fs::path left = killed(3);
  const std::string log = bytes_of(left / "journal.db-wal");
  const std::string file = bytes_of(left / "journal.db");

  for (const char* verb : {"show", "verify", "dump"}) {
    EXPECT_EQ(run({verb, left.string()}).exit_code, 0) << verb;
    EXPECT_EQ(bytes_of(left / "journal.db-wal"), log);
    EXPECT_EQ(bytes_of(left / "journal.db"), file);
  }
  EXPECT_THAT(run({"show", left.string()}).out, HasSubstr("5 writes pending"));
}

TEST_F(JournalCommand, BeforeItIsMendedABrokenLogIsKept) {
  const fs::path left = killed(5);
  std::string log = bytes_of(left / "journal.db-wal");
  log[32 + 24 + 4096 + 24 + 1000] ^= 1;  // in the page of the second frame
  std::ofstream{left / "journal.db-wal", std::ios::binary} << log;
  EXPECT_EQ(run({"verify", left.string()}).exit_code, 1);

  const test::Ran ran = run({"retry", left.string(), "2"});

  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.err, AllOf(HasSubstr("has a break after its frame 1"),
                             HasSubstr("is kept in " + left.string() + "/journal.db-wal.broken1")));
  EXPECT_EQ(bytes_of(left / "journal.db-wal.broken1"), log);
}

TEST_F(JournalCommand, APositionThatIsNamedTwiceIsOne) {
  EXPECT_EQ(run({"park", place(), "1", "3", "1"}).out,
            "1 is a dead letter now\n3 is a dead letter now\n");
  EXPECT_EQ(run({"retry", place(), "3", "3"}).out, "3 is pending again\n");
  EXPECT_EQ(run({"drop", place(), "1", "--all"}).out, "1 is dropped\n2 is dropped\n");
}

TEST_F(JournalCommand, AnOptionOfAnotherVerbIsRefusedAndNothingChanged) {
  const test::Ran ran = run({"drop", place(), "--all", "--cache", "cart"});

  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("--cache"));
  EXPECT_EQ(run({"retry", place(), "2", "--value", "{}"}).exit_code, 2);
  EXPECT_THAT(run({"show", place()}).out, HasSubstr("2  product:2"));
}

TEST_F(JournalCommand, DeadLettersAreDropped) {
  EXPECT_EQ(run({"drop", place()}).exit_code, 2);
  EXPECT_EQ(run({"drop", place(), "--all"}).out, "2 is dropped\n");

  EXPECT_THAT(run({"show", place()}).out, HasSubstr("no dead letters"));
  const test::Ran again = run({"drop", place(), "2"});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.err, HasSubstr("there is no dead letter 2"));
}

TEST_F(JournalCommand, SaysWhoHasTheJournalThatIsToBeMended) {
  with_journal([&](SqliteJournal&) {
    for (const char* verb : {"retry", "park", "drop"}) {
      const test::Ran ran = run({verb, place(), "2"});

      EXPECT_EQ(ran.exit_code, 1);
      EXPECT_THAT(ran.err, AllOf(HasSubstr("process " + std::to_string(::getpid())),
                                 HasSubstr("has the journal"), HasSubstr("stop it first")));
    }
  });
}

TEST_F(JournalCommand, LooksIntoACopyWhileAServerHasTheJournal) {
  with_journal([&](SqliteJournal& journal) {
    keep(*journal.of("product", Durability::kSync), "product:4", R"({"price":4})");

    const test::Ran shown = run({"show", place()});
    EXPECT_EQ(shown.exit_code, 0) << shown.err;
    EXPECT_THAT(shown.out, AllOf(HasSubstr("cache product: 3 writes pending"),
                                 HasSubstr("CHECK constraint failed: price > 0")));
    EXPECT_THAT(shown.err, AllOf(HasSubstr("process " + std::to_string(::getpid())),
                                 HasSubstr("this is a copy of it")));
    EXPECT_THAT(run({"verify", place()}).out, HasSubstr("ok, 3 writes pending, 1 dead letter"));
    EXPECT_THAT(run({"dump", place()}).out, HasSubstr(R"("key":"product:4","value":{"price":4})"));

    keep(*journal.of("product", Durability::kSync), "product:5", R"({"price":5})");
    EXPECT_THAT(run({"show", place()}).out, HasSubstr("4 writes pending"));
  });
}

// Writers at full speed, past the length at which the log is begun anew: each copy has all that
// was acknowledged before, and nothing torn.
TEST_F(JournalCommand, ACopyOfAJournalThatIsWrittenHasAllThatWasAcknowledgedBefore) {
  with_journal([&](SqliteJournal& journal) {
    const auto log = journal.of("product", Durability::kSync);
    std::atomic<bool> stop = false;
    std::atomic<behind::Position> last = 0;
    std::jthread writer{[&] {
      for (behind::Position before = 0; !stop;) {
        const auto position = keep(*log, "product:9", std::string(20'000, 'v'));
        last = position;
        if (before > 0) log->settle({before});
        before = position;
      }
    }};
    const auto commits = [&] { return journal.stats().commits; };

    for (int i = 0; i < 8; ++i) {
      for (const auto until = commits() + 150; commits() < until;) std::this_thread::yield();
      const behind::Position acknowledged = last;
      const test::Ran dumped = run({"dump", place()});
      ASSERT_EQ(dumped.exit_code, 0) << dumped.err;
      const std::string_view newest = R"({"state":"pending","position":)";
      const std::size_t at = dumped.out.rfind(newest);
      ASSERT_NE(at, std::string::npos);
      EXPECT_GE(std::stoull(dumped.out.substr(at + newest.size())), acknowledged);
      EXPECT_THAT(run({"verify", place()}).out, HasSubstr(": ok, "));
    }
    stop = true;
  });
}

// The copy has the users' data, and as much of them as the journal.
TEST_F(JournalCommand, NothingIsLeftOfACopyWhicheverSignalEndsTheLook) {
  const TemporaryFiles files{folder_ / "temporary"};
  with_journal([&](SqliteJournal& journal) {
    keep(*journal.of("product", Durability::kSync), "product:4", std::string(1 << 20, 'v'));

    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGKILL}) {
      test::Larder dump{{"journal", "dump", place()}};
      ASSERT_TRUE(dump.says(R"("key":"product:1")"));  // and waits for us to read on
      EXPECT_TRUE(fs::is_empty(files.folder()));
      dump.signal(signal);
      EXPECT_EQ(dump.finish().exit_code, 128 + signal);
      EXPECT_TRUE(fs::is_empty(files.folder()));
    }
  });
}

TEST_F(JournalCommand, NothingIsLeftOfACopyThatIsNotYetWhole) {
  const TemporaryFiles files{folder_ / "temporary"};
  with_journal([&](SqliteJournal&) {
    fs::resize_file(folder_ / "journal" / "journal.db", 256 << 20);  // to take a while

    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      test::Larder show{{"journal", "show", place()}};
      while (fs::is_empty(files.folder())) std::this_thread::yield();
      show.signal(signal);
      // 0: the disk was quicker than this.
      EXPECT_THAT(show.finish().exit_code, AnyOf(128 + signal, 0));
      EXPECT_TRUE(fs::is_empty(files.folder()));
    }
  });
}

class JournalInAShell : public JournalCommand {
 protected:
  [[nodiscard]] std::string say(const std::string& line) const {
    return test::shell("LARDER=" LARDER_PROGRAM " JOURNAL=" + place() + "; " + line);
  }
};

TEST_F(JournalInAShell, WhatStandardOutputDoesNotTakeIsToldAndEndsIt) {
  for (const std::string verb : {"show", "verify", "dump"}) {
    EXPECT_EQ(say("$LARDER journal " + verb + " $JOURNAL >/dev/full; echo ends with $?"),
              "larder: standard output does not take all of it: No space left on device\n"
              "ends with 1\n");
  }
  EXPECT_THAT(say("$LARDER journal dump $JOURNAL >&-; echo ends with $?"),
              AllOf(HasSubstr("Bad file descriptor"), HasSubstr("ends with 1")));
  EXPECT_THAT(say("$LARDER journal retry $JOURNAL --all >/dev/full; echo ends with $?"),
              AllOf(HasSubstr("No space left on device; what was done to the journal is done"),
                    HasSubstr("ends with 1")));
  EXPECT_THAT(run({"show", place()}).out, HasSubstr("no dead letters"));
}

// Far more than a pipe holds, so that it is written to after its reader has gone.
TEST_F(JournalInAShell, AReaderThatGoesBeforeTheEndIsNoFailure) {
  with_journal([&](SqliteJournal& journal) {
    const auto log = journal.of("product", Durability::kMemory);
    for (int i = 0; i < 20; ++i) keep(*log, "product:9", std::string(1 << 20, 'v'));
  });

  EXPECT_EQ(say("{ $LARDER journal dump $JOURNAL; echo ends with $? >&2; } | head -c 9"),
            R"({"state":)"
            "ends with 0\n");
}

TEST_F(JournalCommand, SaysThatThereIsNone) {
  EXPECT_THAT(run({"show", (folder_ / "no").string()}).err, HasSubstr("there is no journal"));
  std::ofstream{folder_ / "text"} << "this is no journal, but it is long enough to look at";
  EXPECT_EQ(run({"show", (folder_ / "text").string()}).exit_code, 1);
  EXPECT_EQ(run({"shwo", place()}).exit_code, 2);
}

}  // namespace
}  // namespace larder
