#include <algorithm>
#include <atomic>
#include <utility>

#include "base/sql_parameters.hpp"
#include "codec/write_fields.hpp"
#include "larder/postgres.hpp"
#include "postgres/load.hpp"
#include "postgres/plan.hpp"
#include "postgres/pool.hpp"
#include "postgres/target.hpp"
#include "postgres/write_pool.hpp"

namespace larder {

namespace {

// Closes the pools when its last owner lets go; work that runs keeps only the pool.
class PostgresDatabase final : public SqlDatabase,
                               public std::enable_shared_from_this<PostgresDatabase> {
 public:
  PostgresDatabase(std::shared_ptr<PostgresPool> pool, std::shared_ptr<PostgresWritePool> writes)
      : pool_{std::move(pool)}, writes_{std::move(writes)} {}
  ~PostgresDatabase() override { shut(); }
  PostgresDatabase(const PostgresDatabase&) = delete;
  PostgresDatabase& operator=(const PostgresDatabase&) = delete;

  Result<std::shared_ptr<SqlReader>> prepare(SqlRead read,
                                             std::vector<std::string> parameters) override;
  Result<std::shared_ptr<SqlWriter>> prepare_write(SqlWrite write,
                                                   std::vector<std::string> parameters) override;
  void close() override { shut(); }

  [[nodiscard]] PostgresPool& pool() { return *pool_; }
  [[nodiscard]] PostgresWritePool& writes() { return *writes_; }

 private:
  void shut() {
    pool_->close();
    writes_->close();
  }

  const std::shared_ptr<PostgresPool> pool_;
  const std::shared_ptr<PostgresWritePool> writes_;
  std::atomic<std::uint64_t> next_plan_{1};
};

class PostgresReader final : public SqlReader {
 public:
  PostgresReader(std::shared_ptr<PostgresDatabase> database, std::shared_ptr<PostgresPlan> plan)
      : database_{std::move(database)}, plan_{std::move(plan)} {}

  void submit(std::vector<SqlParameters> keys, Begin begin, Done done) override {
    database_->pool().submit({.plan = plan_,
                              .keys = std::move(keys),
                              .begin = std::move(begin),
                              .done = std::move(done)});
  }
  [[nodiscard]] std::string describe() const override {
    return database_->pool().target().name() + " · " + plan_->read().one;
  }
  [[nodiscard]] std::size_t most_keys() const override { return most_keys_of(plan_->read()); }
  [[nodiscard]] std::uint64_t queries() const override {
    return plan_->queries.load(std::memory_order_relaxed);
  }

 private:
  const std::shared_ptr<PostgresDatabase> database_;
  const std::shared_ptr<PostgresPlan> plan_;
};

class PostgresWriter final : public SqlWriter {
 public:
  PostgresWriter(std::shared_ptr<PostgresDatabase> database,
                 std::shared_ptr<PostgresWritePlan> plan)
      : database_{std::move(database)}, plan_{std::move(plan)} {}

  void submit(std::vector<SqlWriteItem> items, Begin begin, Done done) override {
    if (plan_->key().size() == 1) {
      for (SqlWriteItem& item : items) item.key.front().name = plan_->key().front();
    }
    database_->writes().submit({.plan = plan_,
                                .items = std::move(items),
                                .begin = std::move(begin),
                                .done = std::move(done)});
  }
  [[nodiscard]] std::string describe() const override {
    return database_->pool().target().name() + " · " + plan_->write().write;
  }
  [[nodiscard]] bool removes() const override { return !plan_->write().remove.empty(); }
  [[nodiscard]] std::uint64_t transactions() const override {
    return plan_->transactions.load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool keeps_marks() const override {
    const auto checked = plan_->checked();
    return checked && checked->marks;
  }

 private:
  const std::shared_ptr<PostgresDatabase> database_;
  const std::shared_ptr<PostgresWritePlan> plan_;
};

Result<std::shared_ptr<SqlReader>> PostgresDatabase::prepare(SqlRead read,
                                                             std::vector<std::string> parameters) {
  if (!read.many.empty() && parameters.size() != 1) {
    return fail(Errc::kInvalidArgument,
                "a statement for many keys needs keys of one part, and these have " +
                    std::to_string(parameters.size()) + ": leave it out");
  }
  auto plan = std::make_shared<PostgresPlan>(next_plan_.fetch_add(1, std::memory_order_relaxed),
                                             std::move(read), std::move(parameters));
  if (const Result<void> checked = plan->check(pool_->target()); !checked) {
    return std::unexpected{checked.error()};
  }
  return std::make_shared<PostgresReader>(shared_from_this(), std::move(plan));
}

Result<std::shared_ptr<SqlWriter>> PostgresDatabase::prepare_write(
    SqlWrite write, std::vector<std::string> parameters) {
  std::vector<std::string> in_read;
  for (const SqlParameterUse& use : sql_parameters(write.read.one, SqlDialect::kPostgres)) {
    const std::string name{use.name()};
    if (std::ranges::find(in_read, name) == in_read.end()) in_read.push_back(name);
  }
  auto key = key_names(parameters, in_read);
  if (!key) return std::unexpected{key.error()};
  auto plan = std::make_shared<PostgresWritePlan>(
      next_plan_.fetch_add(1, std::memory_order_relaxed), std::move(write), std::move(*key));
  if (const Result<void> checked = plan->check(writes_->target()); !checked) {
    return std::unexpected{checked.error()};
  }
  return std::make_shared<PostgresWriter>(shared_from_this(), std::move(plan));
}

std::optional<std::string> problem_with(const PostgresOptions& options) {
  if (options.connections < 1 || options.connections > 256) return "connections must be 1 to 256";
  if (options.max_waiting == 0) return "max_waiting must be at least 1";
  if (options.max_value.bytes == 0) return "max_value must be at least 1 byte";
  if (options.query_timeout <= Duration{}) return "query_timeout must be positive";
  return std::nullopt;
}

}  // namespace

Result<std::shared_ptr<SqlDatabase>> open_postgres(Runtime& runtime, const std::string& url,
                                                   PostgresOptions options) {
  Result<PostgresTarget> target = PostgresTarget::parse(url, options);
  if (!target) return std::unexpected{target.error()};
  if (const auto problem = problem_with(options)) {
    return fail(Errc::kInvalidArgument, target->name() + ": " + *problem);
  }
  if (const Result<PostgresSession> session = target->connect(); !session) {
    return std::unexpected{session.error()};
  }
  auto writes = std::make_shared<PostgresWritePool>(runtime, *target, options);
  auto pool = std::make_shared<PostgresPool>(runtime, std::move(*target), options);
  runtime.close_at_stop(pool);
  runtime.close_at_stop(writes);
  return std::make_shared<PostgresDatabase>(std::move(pool), std::move(writes));
}

std::shared_ptr<SqlDatabase> postgres(Runtime& runtime, const std::string& url,
                                      PostgresOptions options) {
  auto database = open_postgres(runtime, url, options);
  if (!database) throw Failure{std::move(database.error())};
  return std::move(*database);
}

}  // namespace larder
