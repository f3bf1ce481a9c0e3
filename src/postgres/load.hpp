// Loading keys through one connection.
//
// Threads: as its connection.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "larder/source.hpp"
#include "larder/sql_database.hpp"
#include "postgres/connection.hpp"
#include "postgres/key_batch.hpp"
#include "postgres/plan.hpp"

namespace larder {

// A load as it came: whoever gets it calls `begin` once, and then `done`.
struct PostgresWork {
  std::shared_ptr<PostgresPlan> plan;
  std::vector<SqlParameters> keys;
  SqlReader::Begin begin;
  SqlReader::Done done;
  bool begun = false;
  bool resent = false;     // after a lost session
  bool rechecked = false;  // after a change of the schema
};

// Answers the work with one error for all its keys.
void fail_work(PostgresWork work, const Error& error);

// Loads of one plan that travel together.
class PostgresLoad : public std::enable_shared_from_this<PostgresLoad> {
 public:
  // What the load cannot settle on its connection. Called at most once.
  enum class Again : std::uint8_t {
    kResend,   // the session was lost, and nothing came of it
    kRecheck,  // the statements are not what they were
  };
  using Back =
      std::move_only_function<void(std::vector<PostgresWork> works, Again again, Error why)>;

  // REQUIRES: all of one plan, all begun. `sizes` bounds a value.
  PostgresLoad(std::shared_ptr<PostgresConnection> connection, std::vector<PostgresWork> works,
               std::string name, PostgresOptions options, Back back);

  void run();

 private:
  void together();
  void ask_many(std::span<const std::size_t> places);
  void ask_ones(std::vector<std::size_t> places);
  void ask(std::vector<PostgresCommand> commands,
           std::move_only_function<void(std::vector<PostgresResult>)> then);
  void take_many(const std::vector<std::size_t>& places, PostgresResult result);
  void take_ones(const std::vector<std::size_t>& places, std::vector<PostgresResult> results);
  [[nodiscard]] Loaded<std::string> value(const PGresult* result,
                                          const PostgresStatement& statement,
                                          std::span<const int> rows,
                                          std::span<const int> order) const;
  [[nodiscard]] bool outdated(const PGresult* result, const PostgresStatement& statement);
  void settled();
  void finish();

  const std::shared_ptr<PostgresConnection> connection_;
  const std::shared_ptr<PostgresPlan> plan_;
  const std::shared_ptr<const PostgresChecked> checked_;
  const std::string name_;
  const PostgresOptions options_;
  std::vector<PostgresWork> works_;
  Back back_;

  std::vector<SqlParameters> keys_;  // of all works, in their order
  std::optional<PostgresKeyBatch> batch_;
  std::vector<Loaded<std::string>> results_;
  std::vector<std::size_t> again_;  // places to be asked alone
  std::size_t under_way_ = 0;       // groups
  std::optional<Error> lost_;
  std::optional<Error> outdated_;
};

}  // namespace larder
