#include <algorithm>
#include <filesystem>
#include <new>
#include <utility>

#include "base/sql_parameters.hpp"
#include "codec/write_fields.hpp"
#include "larder/sqlite.hpp"
#include "sqlite/load.hpp"
#include "sqlite/pool.hpp"
#include "sqlite/write_queue.hpp"

namespace larder {

namespace {

using Results = std::vector<Loaded<std::string>>;

// Closes the pool when its last owner lets go; work that runs keeps only the pool.
class SqliteDatabase final : public SqlDatabase,
                             public std::enable_shared_from_this<SqliteDatabase> {
 public:
  SqliteDatabase(std::shared_ptr<SqlitePool> pool, const RuntimeHandle& runtime)
      : pool_{std::move(pool)},
        writes_{std::make_shared<SqliteWriteQueue>(runtime, pool_->file(), pool_)} {}
  ~SqliteDatabase() override { shut(); }
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  Result<std::shared_ptr<SqlReader>> prepare(SqlRead read,
                                             std::vector<std::string> parameters) override;
  Result<std::shared_ptr<SqlWriter>> prepare_write(SqlWrite write,
                                                   std::vector<std::string> parameters) override;
  void close() override { shut(); }

  [[nodiscard]] SqlitePool& pool() { return *pool_; }
  [[nodiscard]] SqliteWriteQueue& writes() { return *writes_; }

 private:
  void shut() {
    pool_->close();
    writes_->close();
  }

  std::shared_ptr<SqlitePool> pool_;
  std::shared_ptr<SqliteWriteQueue> writes_;
  std::atomic<std::uint64_t> next_plan_{1};
};

class SqliteReader final : public SqlReader {
 public:
  SqliteReader(std::shared_ptr<SqliteDatabase> database, std::shared_ptr<SqlitePlan> plan)
      : database_{std::move(database)}, plan_{std::move(plan)} {}

  void submit(std::vector<SqlParameters> keys, Begin begin, Done done) override;

  [[nodiscard]] std::string describe() const override {
    return "sqlite:" + database_->pool().file().name + " · " + plan_->read.one;
  }
  [[nodiscard]] std::size_t most_keys() const override { return most_keys_of(plan_->read); }
  [[nodiscard]] std::uint64_t queries() const override {
    return plan_->queries.load(std::memory_order_relaxed);
  }

 private:
  std::shared_ptr<SqliteDatabase> database_;
  std::shared_ptr<SqlitePlan> plan_;
};

class SqliteRowWriter final : public SqlWriter {
 public:
  SqliteRowWriter(std::shared_ptr<SqliteDatabase> database, std::shared_ptr<SqliteWritePlan> plan)
      : database_{std::move(database)}, plan_{std::move(plan)} {}

  void submit(std::vector<SqlWriteItem> items, Begin begin, Done done) override {
    if (plan_->key.size() == 1) {
      for (SqlWriteItem& item : items) item.key.front().name = plan_->key.front();
    }
    database_->writes().submit({.plan = plan_,
                                .items = std::move(items),
                                .begin = std::move(begin),
                                .done = std::move(done)});
  }
  [[nodiscard]] std::string describe() const override {
    return "sqlite:" + database_->pool().file().name + " · " + plan_->write.write;
  }
  [[nodiscard]] bool removes() const override { return !plan_->write.remove.empty(); }
  [[nodiscard]] std::uint64_t transactions() const override {
    return plan_->transactions.load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool keeps_marks() const override {
    return plan_->keeps_marks.load(std::memory_order_relaxed);
  }

 private:
  const std::shared_ptr<SqliteDatabase> database_;
  const std::shared_ptr<SqliteWritePlan> plan_;
};

Results loaded(const Result<SqliteConnection*>& connection, const std::shared_ptr<SqlitePlan>& plan,
               const std::vector<SqlParameters>& keys, const SqliteFile& file) {
  if (!connection) return {keys.size(), std::unexpected{connection.error()}};
  try {
    return load_keys(**connection, plan, keys, file);
  } catch (const std::bad_alloc&) {
    return {keys.size(), fail(Errc::kOverloaded, file.name + ": there is not enough memory")};
  }
}

void SqliteReader::submit(std::vector<SqlParameters> keys, Begin begin, Done done) {
  SqlitePool& pool = database_->pool();
  // The pool, and so its file, lives as long as its work.
  pool.run([plan = plan_, keys = std::move(keys), begin = std::move(begin), done = std::move(done),
            &file = pool.file()](const Result<SqliteConnection*>& connection) mutable {
    if (begin()) done(loaded(connection, plan, keys, file));
  });
}

Result<std::shared_ptr<SqlReader>> SqliteDatabase::prepare(SqlRead read,
                                                           std::vector<std::string> parameters) {
  if (!read.many.empty() && parameters.size() != 1) {
    return fail(Errc::kInvalidArgument,
                "a statement for many keys needs keys of one part, and these have " +
                    std::to_string(parameters.size()) + ": leave it out");
  }
  auto plan = std::make_shared<SqlitePlan>();
  plan->id = next_plan_.fetch_add(1, std::memory_order_relaxed);
  plan->read = std::move(read);
  plan->parameters = std::move(parameters);
  if (const Result<void> checked = pool_->check(plan); !checked) {
    return std::unexpected{checked.error()};
  }
  return std::make_shared<SqliteReader>(shared_from_this(), std::move(plan));
}

Result<std::shared_ptr<SqlWriter>> SqliteDatabase::prepare_write(
    SqlWrite write, std::vector<std::string> parameters) {
  if (pool_->file().options.read_only) {
    return fail(
        Errc::kInvalidArgument,
        pool_->file().name + " is to be left as it is (read_only), so nothing can write it");
  }
  std::vector<std::string> in_read;
  for (const SqlParameterUse& use : sql_parameters(write.read.one, SqlDialect::kSqlite)) {
    const std::string name{use.name()};
    if (std::ranges::find(in_read, name) == in_read.end()) in_read.push_back(name);
  }
  auto names = key_names(parameters, in_read);
  if (!names) return std::unexpected{names.error()};
  auto read = std::make_shared<SqlitePlan>();
  read->id = next_plan_.fetch_add(1, std::memory_order_relaxed);
  read->read = write.read;
  read->read.many.clear();  // one key is read at a time
  read->parameters = *names;
  auto plan = std::make_shared<SqliteWritePlan>();
  plan->id = next_plan_.fetch_add(1, std::memory_order_relaxed);
  plan->write = std::move(write);
  plan->key = std::move(*names);
  plan->read = std::move(read);
  if (const Result<void> checked = writes_->check(plan); !checked) {
    return std::unexpected{checked.error()};
  }
  return std::make_shared<SqliteRowWriter>(shared_from_this(), std::move(plan));
}

std::optional<std::string> problem_with(const SqliteOptions& options) {
  if (options.connections < 1 || options.connections > 256) return "connections must be 1 to 256";
  if (options.max_waiting == 0) return "max_waiting must be at least 1";
  if (options.max_value.bytes == 0) return "max_value must be at least 1 byte";
  if (options.query_timeout <= Duration{}) return "query_timeout must be positive";
  if (options.busy_timeout < Duration{}) return "busy_timeout must not be negative";
  return std::nullopt;
}

}  // namespace

Result<std::shared_ptr<SqlDatabase>> open_sqlite(Runtime& runtime, std::string path,
                                                 SqliteOptions options) {
  if (path.starts_with("sqlite:")) path.erase(0, std::string_view{"sqlite:"}.size());
  if (path.empty() || path == ":memory:") {
    return fail(Errc::kInvalidArgument,
                "a SQLite source needs the path of a file: each connection would have a database "
                "of its own in memory");
  }
  if (const auto problem = problem_with(options)) {
    return fail(Errc::kInvalidArgument, path + ": " + *problem);
  }
  auto pool = SqlitePool::open(runtime, std::move(path), options);
  if (!pool) return std::unexpected{pool.error()};
  return std::make_shared<SqliteDatabase>(std::move(*pool), runtime.handle());
}

std::shared_ptr<SqlDatabase> sqlite(Runtime& runtime, std::string path, SqliteOptions options) {
  auto database = open_sqlite(runtime, std::move(path), options);
  if (!database) throw Failure{std::move(database.error())};
  return std::move(*database);
}

}  // namespace larder
