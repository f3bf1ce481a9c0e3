// One session with the server, driven by an I/O thread in pipeline mode.
//
// Commands go out in groups. A group is one transaction: the first command that
// fails ends it, and those after it are not run. Replies come in the order of the
// groups, whose number is not limited here.
//
// Threads: start(), send() and end() on the I/O thread of executor(); callbacks come
// there. Held by shared_ptr: what it waits for keeps it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "larder/runtime.hpp"
#include "postgres/describe.hpp"
#include "postgres/handles.hpp"

namespace larder {

// One statement with its parameters' values.
struct PostgresCommand {
  const PostgresStatement* statement;
  std::vector<std::optional<std::string>> values;
};

class PostgresConnection : public std::enable_shared_from_this<PostgresConnection> {
 public:
  // Who hands out the work. Called on the connection's thread.
  class Owner {
   public:
    virtual ~Owner() = default;
    // Everything that was sent has its reply.
    virtual void idle(const std::shared_ptr<PostgresConnection>& connection) = 0;
    // It is of no use any more. Called once, before the groups on their way are told.
    virtual void gone(const std::shared_ptr<PostgresConnection>& connection) = 0;
  };
  struct How {
    bool prepared = true;
    Duration patience{};  // for one group, from when the server may run it
  };

  // One result a command, in order: of a command that failed, the reason; of those after it
  // PGRES_PIPELINE_ABORTED. One more than commands: all ran, and the commit failed, with that
  // for its reason. Or why there are none: kTimeout, the group took too
  // long; kCancelled, end() was called; else the session was lost, and nobody knows
  // whether the commands were run.
  using Replies = Result<std::vector<PostgresResult>>;
  using Done = std::move_only_function<void(Replies replies)>;

  PostgresConnection(RuntimeHandle runtime, PostgresSession session, std::string name, How how,
                     std::weak_ptr<Owner> owner);
  ~PostgresConnection();
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  [[nodiscard]] const boost::asio::any_io_executor& executor() const { return executor_; }

  void start();
  // `keep` owns the commands' statements.
  void send(std::shared_ptr<const void> keep, std::vector<PostgresCommand> commands, Done done);
  // Whether it can be sent to.
  [[nodiscard]] bool open() const { return session_ != nullptr; }
  // Whether a group is on its way.
  [[nodiscard]] bool busy() const { return !groups_.empty(); }
  void end(const Error& why);

 private:
  struct Group {
    std::shared_ptr<const void> keep;
    std::vector<PostgresCommand> commands;
    std::vector<bool> prepares;  // by command: another one before it prepares it
    std::vector<PostgresResult> results;
    TimePoint first_since{};  // no other is before it
    Done done;
  };

  [[nodiscard]] bool send(const PostgresCommand& command, bool prepare);
  [[nodiscard]] Error lost();
  void flush();
  void wait_to_read();
  void wait_to_write();
  void read();
  void drain();
  void take(Group group);
  void watch();
  void look_at_clock();
  void give_up();

  const RuntimeHandle runtime_;
  const boost::asio::any_io_executor executor_;
  const std::string name_;
  const How how_;
  const std::weak_ptr<Owner> owner_;
  PostgresSession session_;  // null: it is gone
  std::optional<boost::asio::posix::stream_descriptor> socket_;
  std::optional<boost::asio::steady_timer> timer_;
  bool waits_to_write_ = false;
  bool watches_ = false;
  std::set<std::string, std::less<>> prepared_;
  std::deque<Group> groups_;
};

}  // namespace larder
