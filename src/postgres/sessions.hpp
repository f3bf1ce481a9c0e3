// A bounded number of connections to one server, and the work that waits for one.
//
// Connections are opened when they are needed, on blocking threads, since libpq may
// wait there for names and handshakes. While the server cannot be reached and no
// connection is left, work fails at once, and the next try is put off for a
// moment that doubles. Work that waits is shared out: a connection that
// becomes free takes its part together.
//
// `Work` is what waits; fail_work(Work, const Error&) answers it with an error.
//
// Threads: any.
#pragma once

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/quantity.hpp"
#include "larder/closable.hpp"
#include "larder/postgres.hpp"
#include "larder/runtime.hpp"
#include "larder/thread_annotations.hpp"
#include "postgres/connection.hpp"
#include "postgres/target.hpp"

namespace larder {

template <class Work>
class PostgresSessions : public PostgresConnection::Owner,
                         public Closable,
                         public std::enable_shared_from_this<PostgresSessions<Work>> {
 public:
  using Connection = std::shared_ptr<PostgresConnection>;
  using Works = std::vector<Work>;

  // `doing` names the work in messages: "loads".
  PostgresSessions(Runtime& runtime, PostgresTarget target, PostgresOptions options,
                   std::string doing)
      : runtime_{runtime.handle()},
        target_{std::move(target)},
        options_{options},
        doing_{std::move(doing)} {}

  // Answers it, now or later.
  void submit(Work work) LARDER_EXCLUDES(mutex_) {
    std::optional<Error> refusal;
    {
      const MutexLock lock{mutex_};
      if (closed_) {
        refusal = closed_error();
      } else if (waiting_.size() >= options_.max_waiting) {
        refusal = Error{Errc::kOverloaded,
                        target_.name() + ": " + std::to_string(waiting_.size()) + ' ' + doing_ +
                            " wait for one of " + std::to_string(options_.connections) +
                            " connections already; the database is slower than it is "
                            "asked"};
      } else {
        waiting_.push_back(std::exchange(work, {}));
      }
    }
    if (refusal) return fail_work(std::move(work), *refusal);
    dispatch();
  }

  // Ends what is under way and what waits with kCancelled. Idempotent.
  void close() override LARDER_EXCLUDES(mutex_) {
    std::deque<Work> abandoned;
    {
      const MutexLock lock{mutex_};
      if (closed_) return;
      closed_ = true;
      abandoned.swap(waiting_);
      idle_.clear();
      for (const Connection& connection : all_) {
        boost::asio::post(connection->executor(),
                          [connection, why = closed_error()] { connection->end(why); });
      }
      all_.clear();
    }
    for (Work& work : abandoned) fail_work(std::move(work), closed_error());
  }

  [[nodiscard]] const PostgresTarget& target() const { return target_; }

 protected:
  // Runs `works` on the connection's thread. It is idle again when it has nothing more to
  // answer; if it gets nothing to do, this says so with idle().
  virtual void start(const Connection& connection, Works works) = 0;

  void idle(const Connection& connection) override LARDER_EXCLUDES(mutex_) {
    {
      const MutexLock lock{mutex_};
      const bool known = std::ranges::find(all_, connection) != all_.end();
      const bool counted = std::ranges::find(idle_, connection) != idle_.end();
      if (closed_ || !known || counted) return;
      idle_.push_back(connection);
    }
    dispatch();
  }

  void gone(const Connection& connection) override LARDER_EXCLUDES(mutex_) {
    {
      const MutexLock lock{mutex_};
      std::erase(all_, connection);
      std::erase(idle_, connection);
    }
    dispatch();
  }

  void put_in_front(Works works) LARDER_EXCLUDES(mutex_) {
    bool closed = false;
    {
      const MutexLock lock{mutex_};
      closed = closed_;
      while (!closed && !works.empty()) {
        waiting_.push_front(std::move(works.back()));
        works.pop_back();
      }
    }
    for (Work& work : works) fail_work(std::move(work), closed_error());
    dispatch();
  }

  // Among how many connections what waits is shared out, of which one takes its part now:
  // `all`, or those that are `free` or about to be.
  [[nodiscard]] virtual std::size_t sharing(std::size_t all, std::size_t free) const {
    (void)free;
    return all;
  }

  [[nodiscard]] Error closed_error() const {
    return {Errc::kCancelled, target_.name() + " is closed"};
  }

  [[nodiscard]] const RuntimeHandle& runtime() const { return runtime_; }
  [[nodiscard]] const PostgresOptions& options() const { return options_; }

 private:
  static constexpr std::size_t kMostAtOnce = 64;  // works in one pipeline
  static constexpr Duration kFirstRest = std::chrono::milliseconds{50};
  static constexpr Duration kLongestRest = std::chrono::seconds{2};
  // The server's own timeout comes first, and leaves the session alive.
  static constexpr Duration kGrace = std::chrono::seconds{1};

  // What is to be done once the lock is given back.
  struct Step {
    enum class Kind : std::uint8_t { kNothing, kOpen, kStart, kFail } kind = Kind::kNothing;
    Connection connection{};
    Works works{};
    Error why{};
  };

  void dispatch() LARDER_EXCLUDES(mutex_) {
    for (;;) {
      Step step;
      {
        const MutexLock lock{mutex_};
        step = next_step();
      }
      switch (step.kind) {
        case Step::Kind::kNothing: return;
        case Step::Kind::kOpen:
          runtime_.block([self = this->shared_from_this()] { self->open(); });
          break;
        case Step::Kind::kFail:
          for (Work& work : step.works) fail_work(std::move(work), step.why);
          break;
        case Step::Kind::kStart:
          boost::asio::post(step.connection->executor(),
                            [self = this->shared_from_this(), connection = step.connection,
                             works = std::move(step.works)]() mutable {
                              self->start(connection, std::move(works));
                            });
          break;
      }
    }
  }

  [[nodiscard]] Step next_step() LARDER_REQUIRES(mutex_) {
    if (closed_ || waiting_.empty()) return {};
    if (!idle_.empty()) {
      Step step{.kind = Step::Kind::kStart, .connection = std::move(idle_.back())};
      idle_.pop_back();
      const std::size_t parts = sharing(all_.size() + opening_, 1 + idle_.size() + opening_);
      step.works = take((waiting_.size() + parts - 1) / parts);
      return step;
    }
    if (all_.size() + opening_ >= options_.connections || opening_ >= waiting_.size()) return {};
    if (steady_clock().now() >= next_try_) {
      ++opening_;
      return {.kind = Step::Kind::kOpen};
    }
    if (!all_.empty() || opening_ > 0) return {};
    Error why = unreachable();
    return {.kind = Step::Kind::kFail, .works = take(waiting_.size()), .why = std::move(why)};
  }

  [[nodiscard]] Works take(std::size_t most) LARDER_REQUIRES(mutex_) {
    Works works;
    const std::size_t limit = std::min(most, std::max(kMostAtOnce, waiting_.size() / 64));
    while (!waiting_.empty() && works.size() < limit) {
      works.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    return works;
  }

  [[nodiscard]] Error unreachable() const LARDER_REQUIRES(mutex_) {
    const Duration left = std::max(next_try_ - steady_clock().now(), Duration{});
    return {last_failure_->code,
            last_failure_->message + "; next try in " + approximate_duration(left)};
  }

  void open() LARDER_EXCLUDES(mutex_) {
    Result<PostgresSession> session = target_.connect();
    Connection connection;
    {
      const MutexLock lock{mutex_};
      --opening_;
      if (closed_) return;
      if (session) {
        failures_ = 0;
        const PostgresConnection::How how{
            .prepared = options_.prepared,
            .patience = options_.query_timeout + (options_.prepared ? kGrace : Duration{})};
        connection = std::make_shared<PostgresConnection>(
            runtime_, std::move(*session), target_.name(), how, this->weak_from_this());
        all_.push_back(connection);
        // Under the lock: close() comes after it, and ends what is in all_.
        boost::asio::post(connection->executor(), [self = this->shared_from_this(), connection] {
          connection->start();
          self->idle(connection);
        });
      } else {
        last_failure_ = session.error();
        next_try_ = steady_clock().now() +
                    std::min(kFirstRest * (1U << std::min(failures_, 10U)), kLongestRest);
        ++failures_;
      }
    }
    if (!connection) dispatch();
  }

  const RuntimeHandle runtime_;
  const PostgresTarget target_;
  const PostgresOptions options_;
  const std::string doing_;

  Mutex mutex_;
  bool closed_ LARDER_GUARDED_BY(mutex_) = false;
  std::deque<Work> waiting_ LARDER_GUARDED_BY(mutex_);
  std::vector<Connection> all_ LARDER_GUARDED_BY(mutex_);
  std::vector<Connection> idle_ LARDER_GUARDED_BY(mutex_);
  unsigned opening_ LARDER_GUARDED_BY(mutex_) = 0;
  unsigned failures_ LARDER_GUARDED_BY(mutex_) = 0;  // to connect, one after the other
  TimePoint next_try_ LARDER_GUARDED_BY(mutex_){};
  std::optional<Error> last_failure_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder
