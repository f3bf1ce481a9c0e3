// Writing rows through one connection: what waited together goes as one transaction, in one
// round trip, and when one write fails that and takes the others with it, each by itself.
//
// Threads: as its connection.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "larder/sql_database.hpp"
#include "postgres/connection.hpp"
#include "postgres/write_plan.hpp"

namespace larder {

// Writes as they came: whoever gets them calls `begin` once, and then `done`.
struct PostgresWriteWork {
  std::shared_ptr<PostgresWritePlan> plan;
  std::vector<SqlWriteItem> items;
  SqlWriter::Begin begin;
  SqlWriter::Done done;
};

// Answers the work with one error for all its writes.
void fail_work(PostgresWriteWork work, const Error& error);

class PostgresWriting : public std::enable_shared_from_this<PostgresWriting> {
 public:
  // `recheck` asks the database about the plan's statements anew, off this thread, and then
  // calls on this connection's thread what it is given.
  using Recheck = std::function<void(const std::shared_ptr<PostgresWritePlan>& plan,
                                     std::move_only_function<void()> then)>;

  // REQUIRES: all begun.
  PostgresWriting(std::shared_ptr<PostgresConnection> connection,
                  std::vector<PostgresWriteWork> works, std::string name, PostgresOptions options,
                  Recheck recheck);

  void run();

 private:
  using Outcome = Result<Stored<std::string>>;

  // One write, wherever it came from.
  struct Task {
    std::shared_ptr<PostgresWritePlan> plan;
    const SqlWriteItem* item;
    std::shared_ptr<const PostgresWriteChecked> checked{};  // with which it was sent last
    std::optional<Outcome> outcome{};
    bool rechecked = false;
    bool unmarked = false;     // likewise, since the table of marks was gone
    bool marked = false;       // its first command sets its mark
    std::size_t commands = 0;  // that were sent for it
  };
  using Places = std::vector<std::size_t>;

  void send(Places places);
  // `first` of its group.
  [[nodiscard]] Result<std::vector<PostgresCommand>> commands(Task& task, bool first) const;
  void take(const Places& places, PostgresConnection::Replies replies);
  void take_failed(const Places& places, std::size_t command, const PGresult* why);
  [[nodiscard]] std::size_t place_of(const Places& places, std::size_t command) const;
  void leave_unknown(const Places& places, const std::string& why);
  void take_marks_back(const Places& places);
  [[nodiscard]] Outcome outcome(const Task& task, std::span<const PostgresResult> results) const;
  [[nodiscard]] Outcome row(const Task& task, const PGresult* result,
                            const PostgresStatement& statement, std::span<const int> order) const;
  [[nodiscard]] Error nothing_changed(const Task& task,
                                      std::span<const PostgresResult> results) const;
  void ask_again(const std::shared_ptr<PostgresWritePlan>& plan, Places places);
  void settled();

  const std::shared_ptr<PostgresConnection> connection_;
  const std::string name_;
  const PostgresOptions options_;
  const Recheck recheck_;
  std::vector<PostgresWriteWork> works_;
  std::vector<Task> tasks_;    // of all works, in their order
  std::size_t under_way_ = 0;  // groups, and rechecks
};

}  // namespace larder
