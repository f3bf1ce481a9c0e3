// What does a write cost by each strategy, beside the commit that a program makes itself, and
// beside Redis?
//
// 64 clients at a time each write one row of 10,000, on SQLite and on PostgreSQL, whose commits
// wait for the disk:
//   direct        UPDATE in a transaction of its own, each client with a session of its own
//   with re-read  the same with a SELECT in it: the client knows what the row is
//   through       Cache::put of a cache that writes through, which knows that too
//   behind        SET at `larder serve`, acknowledged when it is in the journal on disk
//   Redis         SET at redis-server, with appendfsync always and everysec
// Rounds alternate, since machines are not quiet; the medians stand below them, with the
// transactions that the writes behind came to.
#include <libpq-fe.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "larder/cache.hpp"
#include "larder/postgres.hpp"
#include "larder/sql.hpp"
#include "larder/sql_writer.hpp"
#include "larder/sqlite.hpp"
#include "postgres/postgres_server.hpp"
#include "writes/doors.hpp"

namespace larder {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr int kRows = 10'000;
constexpr unsigned kClients = 64;
constexpr const char* kRead = "SELECT id, name, price FROM products WHERE id = :id";
constexpr const char* kWrite = "UPDATE products SET price = :price WHERE id = :id";

void check(bool good, const std::string& what) {
  if (!good) throw std::runtime_error{what};
}

// Writes a second of `clients` at once, each with what `make` gives it.
double measure(const std::function<SetPrice()>& make, steady_clock::duration time) {
  std::atomic<bool> over{false};
  std::atomic<std::uint64_t> writes{0};
  std::vector<SetPrice> own;
  for (unsigned i = 0; i < kClients; ++i) own.push_back(make());
  const auto began = steady_clock::now();
  {
    std::vector<std::jthread> clients;
    for (unsigned i = 0; i < kClients; ++i) {
      clients.emplace_back([&, i] {
        std::mt19937 random{i};
        for (int price = 1; !over.load(std::memory_order_relaxed); ++price) {
          own[i](static_cast<int>(random() % kRows), price);
          writes.fetch_add(1, std::memory_order_relaxed);
        }
      });
    }
    std::this_thread::sleep_for(time);
    over = true;
  }
  const std::chrono::duration<double> took = steady_clock::now() - began;
  return static_cast<double>(writes.load()) / took.count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// A cache over `database`, and how a client writes through it.
class Through {
 public:
  Through(Runtime& runtime, const std::shared_ptr<SqlDatabase>& database)
      : writer_{*database->prepare_write({.write = kWrite, .read = {.one = kRead}}, {"id"})},
        cache_{
            runtime,
            {.name = "product",
             .source = sql<std::int64_t, std::string>(database, std::string{kRead}),
             .writer = sql_detail::make_writer<std::int64_t, std::string>(
                 writer_,
                 [](std::int64_t id) -> Result<SqlParameters> { return SqlParameters{{"id", id}}; },
                 [](const std::string& value) -> Result<std::string> { return value; },
                 [](std::string row) -> Result<std::string> { return row; })}} {}

  SetPrice client() {
    return [this](int id, int price) {
      const auto put = cache_.put(id, R"({"price":)" + std::to_string(price) + '}');
      check(put.has_value(), put ? "" : put.error().message);
    };
  }

 private:
  std::shared_ptr<SqlWriter> writer_;
  Cache<std::int64_t, std::string> cache_;
};

struct Way {
  const char* name;
  std::function<SetPrice()> make;
  std::vector<double> rates{};  // writes a second, by round

  [[nodiscard]] double rate() const { return median(rates); }
};

// `direct` and `reread`: as the program does it itself.
void compare(const char* database, const std::string& url, std::function<SetPrice()> direct,
             std::function<SetPrice()> reread, Through& through, bool brief) {
  const WriteBehindDoor behind{url};
  const RedisDoor always{"always"};
  const RedisDoor everysec{"everysec"};
  Way ways[] = {{"direct", std::move(direct)},
                {"with re-read", std::move(reread)},
                {"through", [&] { return through.client(); }},
                {"behind", [&] { return behind.client(); }},
                {"Redis always", [&] { return always.client(); }},
                {"Redis everysec", [&] { return everysec.client(); }}};
  const auto time = brief ? steady_clock::duration{50ms} : steady_clock::duration{2s};
  for (int round = 0; round < (brief ? 1 : 3); ++round) {
    std::printf("%-10s ", database);
    for (Way& way : ways) {
      way.rates.push_back(measure(way.make, time));
      behind.wait_until_flushed();  // so that it does not burden the others
      std::printf("  %s %.0f/s", way.name, way.rates.back());
      std::fflush(stdout);
    }
    std::puts("");
  }
  const auto& [alone, known, kept, later, redis, relaxed] = ways;
  std::printf("%-10s  medians:", database);
  for (const Way& way : ways) std::printf("  %s %.0f/s", way.name, way.rate());
  std::printf(
      "\n%-10s  through is %.2f x the direct commits with their re-read; behind is %.1f x the "
      "direct commits, %.2f x Redis always, and needs %.0f x fewer transactions\n",
      database, kept.rate() / known.rate(), later.rate() / alone.rate(),
      later.rate() / redis.rate(), behind.written() / std::max(behind.transactions(), 1.0));
}

// A connection to SQLite, as a program has it.
class SqliteClient {
 public:
  explicit SqliteClient(const std::string& path) {
    check(sqlite3_open(path.c_str(), &connection_) == SQLITE_OK, "SQLite does not open");
    sqlite3_busy_timeout(connection_, 60'000);
    execute("PRAGMA synchronous = FULL");
    write_ = prepare("UPDATE products SET price = ?2 WHERE id = ?1");
    read_ = prepare("SELECT id, name, price FROM products WHERE id = ?1");
  }
  ~SqliteClient() {
    sqlite3_finalize(write_);
    sqlite3_finalize(read_);
    sqlite3_close(connection_);
  }
  SqliteClient(const SqliteClient&) = delete;
  SqliteClient& operator=(const SqliteClient&) = delete;

  void execute(const char* sql) {
    check(sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr) == SQLITE_OK,
          sqlite3_errmsg(connection_));
  }
  void write(int id, int price, bool reread) {
    execute("BEGIN IMMEDIATE");
    sqlite3_bind_int(write_, 1, id);
    sqlite3_bind_int(write_, 2, price);
    check(sqlite3_step(write_) == SQLITE_DONE, sqlite3_errmsg(connection_));
    sqlite3_reset(write_);
    if (reread) {
      sqlite3_bind_int(read_, 1, id);
      check(sqlite3_step(read_) == SQLITE_ROW, sqlite3_errmsg(connection_));
      sqlite3_reset(read_);
    }
    execute("COMMIT");
  }

 private:
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(connection_, sql, -1, &statement, nullptr) == SQLITE_OK,
          sqlite3_errmsg(connection_));
    return statement;
  }

  sqlite3* connection_ = nullptr;
  sqlite3_stmt* write_ = nullptr;
  sqlite3_stmt* read_ = nullptr;
};

// A session with PostgreSQL, as a program has it: a round trip a statement.
class PostgresDirect {
 public:
  explicit PostgresDirect(const std::string& url) : session_{PQconnectdb(url.c_str())} {
    check(PQstatus(session_) == CONNECTION_OK, PQerrorMessage(session_));
    prepare("write", "UPDATE products SET price = $2 WHERE id = $1");
    prepare("read", "SELECT id, name, price FROM products WHERE id = $1");
  }
  ~PostgresDirect() { PQfinish(session_); }
  PostgresDirect(const PostgresDirect&) = delete;
  PostgresDirect& operator=(const PostgresDirect&) = delete;

  void write(int id, int price, bool reread) {
    const std::string key = std::to_string(id);
    const std::string value = std::to_string(price);
    const char* both[] = {key.c_str(), value.c_str()};
    if (reread) take(PQexec(session_, "BEGIN"));  // else the statement is a transaction itself
    take(PQexecPrepared(session_, "write", 2, both, nullptr, nullptr, 0));
    if (!reread) return;
    take(PQexecPrepared(session_, "read", 1, both, nullptr, nullptr, 0));
    take(PQexec(session_, "COMMIT"));
  }

 private:
  void prepare(const char* name, const char* sql) {
    take(PQprepare(session_, name, sql, 0, nullptr));
  }
  void take(PGresult* result) {
    const ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    check(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, PQerrorMessage(session_));
  }

  PGconn* session_;
};

void on_sqlite(bool brief) {
  std::string directory = (std::filesystem::temp_directory_path() / "larder-bench-XXXXXX").string();
  check(::mkdtemp(directory.data()) != nullptr, "no temporary directory");
  const std::string path = directory + "/shop.db";
  {
    sqlite3* shop = nullptr;
    sqlite3_open(path.c_str(), &shop);
    const std::string sql =
        "PRAGMA journal_mode = WAL; CREATE TABLE products(id INTEGER PRIMARY KEY, name TEXT, price "
        "REAL); WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT " +
        std::to_string(kRows) + ") INSERT INTO products SELECT i, 'Product ' || i, 1 FROM n";
    sqlite3_exec(shop, sql.c_str(), nullptr, nullptr, nullptr);
    sqlite3_close(shop);
  }
  {
    Runtime runtime;
    Through through{runtime, sqlite(runtime, path)};
    const auto client = [&](bool reread) {
      return [&, reread]() -> SetPrice {
        auto own = std::make_shared<SqliteClient>(path);
        return [own, reread](int id, int price) { own->write(id, price, reread); };
      };
    };
    compare("SQLite", "sqlite:" + path, client(false), client(true), through, brief);
  }
  std::filesystem::remove_all(directory);
}

void on_postgres(bool brief) {
  const auto server = PostgresServer::start({"fsync=on", "max_connections=100"});
  if (!server) {
    std::puts("PostgreSQL is not installed here");
    return;
  }
  PostgresClient{server->url()}.execute(
      "CREATE TABLE products AS SELECT i AS id, 'Product ' || i AS name, 1 AS price FROM "
      "generate_series(0, " +
      std::to_string(kRows - 1) + ") i; ALTER TABLE products ADD PRIMARY KEY (id)");
  Runtime runtime;
  Through through{runtime, postgres(runtime, server->url(), {.connections = 4})};
  const auto client = [&](bool reread) {
    return [&, reread]() -> SetPrice {
      auto own = std::make_shared<PostgresDirect>(server->url());
      return [own, reread](int id, int price) { own->write(id, price, reread); };
    };
  };
  compare("PostgreSQL", server->url(), client(false), client(true), through, brief);
}

int usage() {
  std::fprintf(stderr, "usage: bench_writes [sqlite | postgres | --short]\n");
  return 2;
}

}  // namespace
}  // namespace larder

int main(int count, char** words) {
  // One of the databases, or both.
  const std::string_view word = count > 1 ? words[1] : "";
  const bool known = word.empty() || word == "sqlite" || word == "postgres" || word == "--short";
  if (count > 2 || !known) return larder::usage();
  const bool brief = word == "--short";
  if (word != "postgres") larder::on_sqlite(brief);
  if (word != "sqlite") larder::on_postgres(brief);
}
