// What goes wrong outside: each gives a clear error, and never a wrong answer.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <random>
#include <thread>

#include "sqlite/messages.hpp"
#include "sqlite/shop_file.hpp"

namespace larder {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

// Never ends by itself.
const std::string kRunaway =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n "
    "WHERE i = :id";
const std::string kRead = "SELECT id, name FROM p WHERE id = :id";

using Results = std::vector<Loaded<std::string>>;

// A load that is on its way.
std::future<Results> start(SqlReader& reader, SqlParameters key = id(1)) {
  auto promise = std::make_shared<std::promise<Results>>();
  auto future = promise->get_future();
  reader.load({std::move(key)},
              [promise](Results results) { promise->set_value(std::move(results)); });
  return future;
}
void wait_until_it_runs(const SqlReader& reader, std::uint64_t queries = 1) {
  while (reader.queries() < queries) std::this_thread::yield();
}
Error error_of(std::future<Results>& load) {
  const Results results = load.get();
  return results.front() ? Error{Errc::kInternal, "there is a value"} : results.front().error();
}

class SqliteFailure : public SqliteTest {
 protected:
  void make_shop(const std::string& name = "tea") {
    execute("CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT); INSERT INTO p VALUES (1, '" + name +
            "')");
  }
  // A closed file beside the shop.
  std::string other_file(const std::string& sql) {
    std::string path = directory_.file("other.db");
    OtherProgram{path}.execute(sql);
    return path;
  }
  std::string open_error(SqliteOptions options = {}) {
    auto opened = open_sqlite(runtime_, path_, options);
    return opened ? "it opens" : opened.error().message;
  }
};

TEST_F(SqliteFailure, AMissingFileIsAnErrorAndIsNotCreated) {
  EXPECT_EQ(open_error(), path_ + " does not exist; a database is never created here");
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_THROW((void)sqlite(runtime_, path_), Failure);
}

TEST_F(SqliteFailure, AFileThatIsNoDatabaseIsAnError) {
  std::ofstream{path_} << std::string(5000, 'x');

  EXPECT_THAT(open_error(), HasSubstr("is not a SQLite database"));
}

TEST_F(SqliteFailure, AFolderIsAnError) {
  std::filesystem::create_directory(path_);

  EXPECT_THAT(open_error(), HasSubstr("is a folder"));
}

// What SQLite says itself misleads: nobody asked it to write. (The superuser, as whom
// tests may run, is never refused.)
TEST(SqliteMessage, AFolderThatCannotBeWrittenIsNamedAsTheReason) {
  EXPECT_THAT(explain(SQLITE_READONLY, "shop.db", "attempt to write a readonly database", 5s),
              HasSubstr("its folder writable while it is in WAL mode"));
}

TEST_F(SqliteFailure, APipeIsAnErrorAndIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);

  EXPECT_THAT(open_error(), HasSubstr("is a pipe"));
  EXPECT_THAT(open_error({.read_only = true}), HasSubstr("is a pipe"));
}

TEST_F(SqliteFailure, APipeInTheFilesPlaceIsAnErrorUntilTheFileIsBack) {
  make_shop();
  const auto reader = prepare(kRead);
  const std::string away = path_ + ".away";
  std::filesystem::rename(path_, away);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);

  EXPECT_THAT(value(*reader, id(1)), HasSubstr("is a pipe"));
  std::filesystem::remove(path_);
  std::filesystem::rename(away, path_);

  EXPECT_EQ(value(*reader, id(1)), R"({"id":1,"name":"tea"})");
}

TEST_F(SqliteFailure, MemoryAndOptionsThatCannotWorkAreRefused) {
  make_shop();
  const auto refusal = [&](const std::string& path, SqliteOptions options = {}) {
    return open_sqlite(runtime_, path, options).error().message;
  };

  EXPECT_THAT(refusal(":memory:"), HasSubstr("needs the path of a file"));
  EXPECT_THAT(refusal("sqlite:"), HasSubstr("needs the path of a file"));
  EXPECT_THAT(refusal(path_, {.connections = 0}), HasSubstr("connections must be 1 to 256"));
  EXPECT_THAT(refusal(path_, {.query_timeout = 0s}), HasSubstr("query_timeout must be positive"));
}

TEST_F(SqliteFailure, TheUrlNamesTheSameFile) {
  make_shop();

  EXPECT_TRUE(open_sqlite(runtime_, "sqlite:" + path_));
}

TEST_F(SqliteFailure, AFileLockedBeyondTheBusyTimeoutIsAnErrorUntilItIsFree) {
  make_shop();
  database({.read_only = true, .busy_timeout = 20ms});
  const auto reader = prepare(kRead);

  execute("BEGIN EXCLUSIVE");
  EXPECT_THAT(value(*reader, id(1)),
              AllOf(HasSubstr("is locked by another process"), HasSubstr("20ms"),
                    HasSubstr("WAL mode"), HasSubstr("SqliteOptions::busy_timeout")));
  execute("COMMIT");

  EXPECT_EQ(value(*reader, id(1)), R"({"id":1,"name":"tea"})");
}

TEST_F(SqliteFailure, AFileLockedAtTheStartIsAnError) {
  make_shop();
  execute("BEGIN EXCLUSIVE");

  EXPECT_THAT(open_error({.busy_timeout = 20ms}), HasSubstr("is locked by another process"));
  EXPECT_THAT(open_error({.read_only = true, .busy_timeout = 20ms}),
              HasSubstr("is locked by another process"));
}

TEST_F(SqliteFailure, AWaitForALockEndsWhenTheDatabaseCloses) {
  make_shop();
  // One connection: the second load has that of the first, and runs.
  database({.read_only = true, .busy_timeout = 1h, .query_timeout = 1h, .connections = 1});
  const auto reader = prepare(kRead);
  (void)value(*reader, id(1));
  execute("BEGIN EXCLUSIVE");
  auto load = start(*reader);
  wait_until_it_runs(*reader, 2);

  database_->close();

  EXPECT_EQ(error_of(load).code, Errc::kCancelled);
}

// A new connection looks at the file before it runs anything.
TEST_F(SqliteFailure, AWaitForALockOfANewConnectionEndsWhenTheDatabaseCloses) {
  make_shop();
  database({.read_only = true, .busy_timeout = 1h, .query_timeout = 1h});
  const auto reader = prepare(kRead);
  execute("BEGIN EXCLUSIVE");
  auto load = start(*reader);

  database_->close();

  EXPECT_EQ(error_of(load).code, Errc::kCancelled);
}

TEST_F(SqliteFailure, AColumnThatIsDroppedIsAnErrorForTheCallUntilItIsBack) {
  make_shop();
  const auto reader = prepare(kRead);
  ASSERT_EQ(value(*reader, id(1)), R"({"id":1,"name":"tea"})");

  execute("ALTER TABLE p RENAME COLUMN name TO title");
  EXPECT_THAT(value(*reader, id(1)), HasSubstr("no such column: name"));
  execute("ALTER TABLE p RENAME COLUMN title TO name");

  EXPECT_EQ(value(*reader, id(1)), R"({"id":1,"name":"tea"})");
}

TEST_F(SqliteFailure, ATableThatIsDroppedIsAnErrorAndNotAbsence) {
  make_shop();
  const auto reader = prepare(kRead);
  ASSERT_EQ(value(*reader, id(1)), R"({"id":1,"name":"tea"})");

  execute("DROP TABLE p");

  EXPECT_THAT(value(*reader, id(1)), HasSubstr("no such table: p"));
}

// A connection that has not prepared the statement yet, as after many reads at once.
TEST_F(SqliteFailure, ATableThatIsDroppedIsTheSourcesFaultOnANewConnectionToo) {
  make_shop();
  const auto reader = prepare(kRead);

  execute("DROP TABLE p");
  auto load = start(*reader);

  const Error error = error_of(load);
  EXPECT_EQ(error.code, Errc::kSourceFailed);
  EXPECT_THAT(error.message, HasSubstr("no such table: p"));
}

TEST_F(SqliteFailure, ColumnsThatChangeCarryTheirOwnNames) {
  make_shop();
  database({.connections = 1});
  const auto reader = prepare("SELECT * FROM p WHERE id = :id");
  ASSERT_EQ(value(*reader, id(1)), R"({"id":1,"name":"tea"})");

  execute("ALTER TABLE p RENAME COLUMN name TO title; ALTER TABLE p ADD COLUMN price DEFAULT 3");

  EXPECT_EQ(value(*reader, id(1)), R"({"id":1,"title":"tea","price":3})");
}

TEST_F(SqliteFailure, ColumnsOfManyThatNoLongerAgreeAreReadOneByOne) {
  make_shop();
  execute("INSERT INTO p VALUES (2, 'milk')");
  database({.connections = 1});
  const auto reader =
      prepare({.one = "SELECT * FROM p WHERE id = :id",
               .many = "SELECT id, name FROM p WHERE id IN (SELECT value FROM json_each(:ids))",
               .many_key = "id"});
  ASSERT_EQ(values(*reader, {id(1), id(2)}).back(), R"({"id":2,"name":"milk"})");
  ASSERT_EQ(reader->queries(), 1U);

  execute("ALTER TABLE p ADD COLUMN price DEFAULT 3");
  (void)value(*reader, id(1));

  EXPECT_EQ(values(*reader, {id(1), id(2)}).back(), R"({"id":2,"name":"milk","price":3})");
}

TEST_F(SqliteFailure, AFileThatIsRemovedIsAnErrorUntilItIsBack) {
  make_shop();
  const auto reader = prepare(kRead);
  ASSERT_EQ(value(*reader, id(1)), R"({"id":1,"name":"tea"})");

  std::filesystem::rename(path_, path_ + ".away");
  EXPECT_THAT(value(*reader, id(1)), HasSubstr("was removed while it was in use"));
  std::filesystem::rename(path_ + ".away", path_);

  EXPECT_EQ(value(*reader, id(1)), R"({"id":1,"name":"tea"})");
}

TEST_F(SqliteFailure, AFileThatIsReplacedIsReadAnew) {
  make_shop();
  execute("PRAGMA wal_checkpoint(TRUNCATE)");
  const auto reader = prepare(kRead);
  ASSERT_EQ(value(*reader, id(1)), R"({"id":1,"name":"tea"})");
  execute("PRAGMA wal_checkpoint(TRUNCATE)");
  writer_.reset();

  std::filesystem::rename(
      other_file("CREATE TABLE p(id, name); INSERT INTO p VALUES (1, 'coffee')"), path_);

  EXPECT_EQ(value(*reader, id(1)), R"({"id":1,"name":"coffee"})");
}

TEST_F(SqliteFailure, AFileReplacedByOneOfAnotherSchemaIsAnError) {
  make_shop();
  const auto reader = prepare(kRead);
  ASSERT_EQ(value(*reader, id(1)), R"({"id":1,"name":"tea"})");
  execute("PRAGMA wal_checkpoint(TRUNCATE)");
  writer_.reset();

  std::filesystem::rename(other_file("CREATE TABLE q(x)"), path_);

  EXPECT_THAT(value(*reader, id(1)), HasSubstr("no such table: p"));
}

TEST_F(SqliteFailure, AFileReplacedUnderItsOldLogIsAnErrorAndNoMixture) {
  make_shop();
  const auto reader = prepare(kRead);
  execute("UPDATE p SET name = 'in the log'");
  ASSERT_EQ(value(*reader, id(1)), R"({"id":1,"name":"in the log"})");

  std::filesystem::rename(
      other_file("CREATE TABLE p(id, name); INSERT INTO p VALUES (1, 'coffee')"), path_);

  EXPECT_THAT(value(*reader, id(1)), HasSubstr("the old file's write-ahead log is still there"));
}

TEST_F(SqliteFailure, ADamagedFileGivesErrorsOrValuesAndNeverACrash) {
  make_shop();
  execute(
      "CREATE INDEX by_name ON p(name);"
      "WITH RECURSIVE i(x) AS (SELECT 2 UNION ALL SELECT x + 1 FROM i LIMIT 999)"
      "INSERT INTO p SELECT x, printf('%.*c', 200, 'y') FROM i");
  writer_.reset();
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  std::ifstream in{path_, std::ios::binary};
  const std::string whole{std::istreambuf_iterator<char>{in}, {}};
  int errors = 0;

  for (int round = 0; round < 30; ++round) {
    std::string damaged = whole;
    const std::size_t spared = round % 2 == 0 ? 0 : 100;  // the header, or all is no database
    for (int flips = 0; flips < 300; ++flips) {
      damaged[spared + random() % (damaged.size() - spared)] = static_cast<char>(random());
    }
    if (round % 3 == 0) damaged.resize(random() % damaged.size());
    std::ofstream{path_, std::ios::binary} << damaged;
    auto opened = open_sqlite(runtime_, path_, {.read_only = true});
    auto reader = opened ? (*opened)->prepare({.one = kRead}, {"id"})
                         : Result<std::shared_ptr<SqlReader>>{std::unexpected{opened.error()}};
    if (!reader) {
      EXPECT_FALSE(reader.error().message.empty());
      ++errors;
      continue;
    }
    for (std::int64_t key = 1; key < 1000; key += 37) {
      const auto loaded = load(**reader, {id(key)}).front();
      if (!loaded) ++errors;
    }
  }

  EXPECT_GT(errors, 0);
}

TEST_F(SqliteFailure, DamageUnderARunningReaderIsAnErrorAndARestoredFileIsReadAgain) {
  make_shop(std::string(100, 'x'));
  writer_.reset();
  database({.read_only = true, .connections = 1});
  const auto reader = prepare(kRead);
  std::filesystem::copy_file(path_, path_ + ".good");
  // Page 2 is the table's: no kind of page begins with these bytes.
  std::filesystem::copy_file(path_, path_ + ".bad");
  std::fstream{path_ + ".bad", std::ios::in | std::ios::out | std::ios::binary}.seekp(4096)
      << std::string(200, '\x7f');

  std::filesystem::rename(path_ + ".bad", path_);
  EXPECT_THAT(value(*reader, id(1)), AllOf(HasSubstr("is damaged"), HasSubstr("integrity_check")));
  std::filesystem::rename(path_ + ".good", path_);

  EXPECT_THAT(value(*reader, id(1)), HasSubstr(R"({"id":1,"name":"xxx)"));
}

// SQLite itself takes what is missing for empty.
TEST_F(SqliteFailure, AFileThatWasCutOffIsAnErrorAndNotAbsence) {
  make_shop();
  writer_.reset();
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 2000);

  for (const bool read_only : {true, false}) {
    EXPECT_THAT(open_error({.read_only = read_only}),
                AllOf(HasSubstr("is damaged"), HasSubstr("2000 bytes are missing at its end")));
  }
}

TEST_F(SqliteFailure, PagesThatAreInTheLogAloneAreNotMissing) {
  make_shop();
  execute(
      "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;"
      "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n LIMIT 200)"
      "INSERT INTO p SELECT i, printf('%.1000c', 'y') FROM n");
  ASSERT_GT(std::filesystem::file_size(path_ + "-wal"), 100'000U);

  EXPECT_EQ(open_error(), "it opens");
}

TEST_F(SqliteFailure, ARunawayQueryIsInterruptedAtTheQueryTimeout) {
  make_shop();
  ManualClock clock;
  Runtime runtime{{.io_threads = 1, .clock = &clock}};
  const auto database = sqlite(runtime, path_, {.query_timeout = 10s});
  const auto reader = database->prepare({.one = kRunaway}, {"id"}).value();
  auto load = start(*reader);
  wait_until_it_runs(*reader);

  clock.advance(10s);

  const Error error = error_of(load);
  EXPECT_EQ(error.code, Errc::kSourceFailed);
  EXPECT_THAT(error.message, HasSubstr("longer than the query timeout of 10s"));
  EXPECT_EQ(value(*database->prepare({.one = kRead}, {"id"}).value(), id(1)),
            R"({"id":1,"name":"tea"})");
}

TEST_F(SqliteFailure, ClosingInterruptsWhatRunsAndFailsWhatWaitsAndWhatComes) {
  make_shop();
  database({.query_timeout = 1h, .connections = 1});
  const auto reader = prepare(kRunaway);
  auto running = start(*reader);
  wait_until_it_runs(*reader);
  auto waiting = start(*reader);

  database_->close();
  auto late = start(*reader);

  EXPECT_EQ(error_of(running).code, Errc::kCancelled);
  EXPECT_EQ(error_of(waiting).code, Errc::kCancelled);
  EXPECT_EQ(error_of(late).code, Errc::kCancelled);
}

TEST_F(SqliteFailure, LettingGoOfDatabaseAndReadersClosesIt) {
  make_shop();
  database({.query_timeout = 1h});
  auto reader = prepare(kRunaway);
  auto running = start(*reader);
  wait_until_it_runs(*reader);

  database_.reset();
  EXPECT_EQ(running.wait_for(0s), std::future_status::timeout);  // the reader keeps it open
  reader.reset();

  EXPECT_EQ(error_of(running).code, Errc::kCancelled);
}

TEST_F(SqliteFailure, ARunawayQueryDoesNotHoldTheRuntime) {
  make_shop();
  std::future<Results> running;
  {
    Runtime runtime{{.io_threads = 1}};
    const auto database = sqlite(runtime, path_, {.query_timeout = 1h});
    const auto reader = database->prepare({.one = kRunaway}, {"id"}).value();
    running = start(*reader);
    wait_until_it_runs(*reader);
  }

  EXPECT_EQ(error_of(running).code, Errc::kCancelled);
}

TEST_F(SqliteFailure, LoadsThatWaitAreBounded) {
  make_shop();
  database({.query_timeout = 1h, .connections = 1, .max_waiting = 2});
  const auto reader = prepare(kRunaway);
  auto running = start(*reader);
  wait_until_it_runs(*reader);
  auto first = start(*reader);
  auto second = start(*reader);

  auto third = start(*reader);

  const Error error = error_of(third);
  EXPECT_EQ(error.code, Errc::kOverloaded);
  EXPECT_THAT(error.message, HasSubstr("2 loads wait for a connection already"));
  database_->close();
  for (auto* load : {&running, &first, &second}) {
    EXPECT_EQ(error_of(*load).code, Errc::kCancelled);
  }
}

}  // namespace
}  // namespace larder
