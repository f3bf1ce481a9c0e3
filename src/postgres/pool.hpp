// The connections of one database, and the loads that wait for one.
//
// Connections are opened when they are needed, on blocking threads, since libpq may
// wait there for names and handshakes. While the server cannot be reached and no
// connection is left, loads fail at once, and the next try is put off for a
// moment that doubles. Loads that wait are shared out evenly: a connection that
// becomes free takes its part as one pipeline.
//
// Threads: any.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "larder/closable.hpp"
#include "larder/postgres.hpp"
#include "larder/runtime.hpp"
#include "larder/thread_annotations.hpp"
#include "postgres/connection.hpp"
#include "postgres/load.hpp"
#include "postgres/target.hpp"

namespace larder {

class PostgresPool final : public PostgresConnection::Owner,
                           public Closable,
                           public std::enable_shared_from_this<PostgresPool> {
 public:
  PostgresPool(Runtime& runtime, PostgresTarget target, PostgresOptions options);

  // Answers it, now or later.
  void submit(PostgresWork work) LARDER_EXCLUDES(mutex_);
  // Ends what is under way and what waits with kCancelled. Idempotent.
  void close() override LARDER_EXCLUDES(mutex_);

  [[nodiscard]] const PostgresTarget& target() const { return target_; }

 private:
  using Connection = std::shared_ptr<PostgresConnection>;
  using Works = std::vector<PostgresWork>;

  // What is to be done once the lock is given back.
  struct Step {
    enum class Kind : std::uint8_t { kNothing, kOpen, kStart, kFail } kind = Kind::kNothing;
    Connection connection{};
    Works works{};
    Error why{};
  };

  void idle(const Connection& connection) override LARDER_EXCLUDES(mutex_);
  void gone(const Connection& connection) override LARDER_EXCLUDES(mutex_);

  void dispatch() LARDER_EXCLUDES(mutex_);
  [[nodiscard]] Step next_step() LARDER_REQUIRES(mutex_);
  [[nodiscard]] Works take(std::size_t most) LARDER_REQUIRES(mutex_);
  [[nodiscard]] Error unreachable() const LARDER_REQUIRES(mutex_);
  void open() LARDER_EXCLUDES(mutex_);
  void start(const Connection& connection, Works works);
  void start_one(const Connection& connection, Works works);
  void take_back(Works works, PostgresLoad::Again again, const Error& why);
  void recheck(Works works);
  void put_in_front(Works works) LARDER_EXCLUDES(mutex_);
  [[nodiscard]] Error closed_error() const;

  const RuntimeHandle runtime_;
  const PostgresTarget target_;
  const PostgresOptions options_;

  Mutex mutex_;
  bool closed_ LARDER_GUARDED_BY(mutex_) = false;
  std::deque<PostgresWork> waiting_ LARDER_GUARDED_BY(mutex_);
  std::vector<Connection> all_ LARDER_GUARDED_BY(mutex_);
  std::vector<Connection> idle_ LARDER_GUARDED_BY(mutex_);
  unsigned opening_ LARDER_GUARDED_BY(mutex_) = 0;
  unsigned failures_ LARDER_GUARDED_BY(mutex_) = 0;  // to connect, one after the other
  TimePoint next_try_ LARDER_GUARDED_BY(mutex_){};
  std::optional<Error> last_failure_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder
