#include "postgres/pool.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/quantity.hpp"

namespace larder {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kMostAtOnce = 64;  // loads in one pipeline
constexpr Duration kFirstRest = 50ms;
constexpr Duration kLongestRest = 2s;
// The server's own timeout comes first, and leaves the session alive.
constexpr Duration kGrace = 1s;

}  // namespace

PostgresPool::PostgresPool(Runtime& runtime, PostgresTarget target, PostgresOptions options)
    : runtime_{runtime.handle()}, target_{std::move(target)}, options_{options} {}

void PostgresPool::submit(PostgresWork work) {
  std::optional<Error> refusal;
  {
    const MutexLock lock{mutex_};
    if (closed_) {
      refusal = closed_error();
    } else if (waiting_.size() >= options_.max_waiting) {
      refusal = Error{Errc::kOverloaded,
                      target_.name() + ": " + std::to_string(waiting_.size()) +
                          " loads wait for one of " + std::to_string(options_.connections) +
                          " connections already; the database is slower than it is asked"};
    } else {
      waiting_.push_back(std::exchange(work, {}));
    }
  }
  if (refusal) return fail_work(std::move(work), *refusal);
  dispatch();
}

void PostgresPool::dispatch() {
  for (;;) {
    Step step;
    {
      const MutexLock lock{mutex_};
      step = next_step();
    }
    switch (step.kind) {
      case Step::Kind::kNothing: return;
      case Step::Kind::kOpen: runtime_.block([self = shared_from_this()] { self->open(); }); break;
      case Step::Kind::kFail:
        for (PostgresWork& work : step.works) fail_work(std::move(work), step.why);
        break;
      case Step::Kind::kStart:
        asio::post(step.connection->executor(),
                   [self = shared_from_this(), connection = step.connection,
                    works = std::move(step.works)]() mutable {
                     self->start(connection, std::move(works));
                   });
        break;
    }
  }
}

PostgresPool::Step PostgresPool::next_step() {
  if (closed_ || waiting_.empty()) return {};
  if (!idle_.empty()) {
    Step step{.kind = Step::Kind::kStart, .connection = std::move(idle_.back())};
    idle_.pop_back();
    const std::size_t sharing = all_.size() + opening_;
    step.works = take((waiting_.size() + sharing - 1) / sharing);
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

PostgresPool::Works PostgresPool::take(std::size_t most) {
  Works works;
  const std::size_t limit = std::min(most, std::max(kMostAtOnce, waiting_.size() / 64));
  while (!waiting_.empty() && works.size() < limit) {
    works.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return works;
}

Error PostgresPool::unreachable() const {
  const Duration left = std::max(next_try_ - steady_clock().now(), Duration{});
  return {last_failure_->code,
          last_failure_->message + "; next try in " + approximate_duration(left)};
}

void PostgresPool::open() {
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
      connection = std::make_shared<PostgresConnection>(runtime_, std::move(*session),
                                                        target_.name(), how, weak_from_this());
      all_.push_back(connection);
      // Under the lock: close() comes after it, and ends what is in all_.
      asio::post(connection->executor(), [self = shared_from_this(), connection] {
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

void PostgresPool::idle(const Connection& connection) {
  {
    const MutexLock lock{mutex_};
    const bool known = std::ranges::find(all_, connection) != all_.end();
    const bool counted = std::ranges::find(idle_, connection) != idle_.end();
    if (closed_ || !known || counted) return;
    idle_.push_back(connection);
  }
  dispatch();
}

void PostgresPool::gone(const Connection& connection) {
  {
    const MutexLock lock{mutex_};
    std::erase(all_, connection);
    std::erase(idle_, connection);
  }
  dispatch();
}

// Loads of one plan that has a statement for many keys become one; the others stand
// beside each other in the pipeline.
void PostgresPool::start(const Connection& connection, Works works) {
  std::vector<Works> parts;
  for (PostgresWork& work : works) {
    if (!work.begun && !work.begin()) continue;  // given up: its Done is destroyed
    work.begun = true;
    const auto fits = [&](const Works& part) {
      return part.front().plan == work.plan && work.plan->checked()->many.has_value();
    };
    const auto part = std::ranges::find_if(parts, fits);
    if (part != parts.end())
      part->push_back(std::move(work));
    else
      parts.emplace_back().push_back(std::move(work));
  }
  for (Works& part : parts) start_one(connection, std::move(part));
  if (!connection->busy()) idle(connection);
}

void PostgresPool::start_one(const Connection& connection, Works works) {
  std::make_shared<PostgresLoad>(
      connection, std::move(works), target_.name(), options_,
      [self = shared_from_this()](Works back, PostgresLoad::Again again, const Error& why) {
        self->take_back(std::move(back), again, why);
      })
      ->run();
}

// Reading twice is safe, so what a lost session owes is asked again, once; what
// took too long is not.
void PostgresPool::take_back(Works works, PostgresLoad::Again again, const Error& why) {
  const bool resend = again == PostgresLoad::Again::kResend;
  const bool final_error = why.code == Errc::kTimeout || why.code == Errc::kCancelled;
  Works retried;
  for (PostgresWork& work : works) {
    bool& before = resend ? work.resent : work.rechecked;
    if (before || final_error) {
      Error error = why;
      if (error.code == Errc::kTimeout) error.code = Errc::kSourceFailed;
      fail_work(std::move(work), error);
    } else {
      before = true;
      retried.push_back(std::move(work));
    }
  }
  if (retried.empty()) return;
  if (resend) return put_in_front(std::move(retried));
  recheck(std::move(retried));
}

void PostgresPool::recheck(Works works) {
  runtime_.block([self = shared_from_this(), works = std::move(works)]() mutable {
    const Result<void> checked = works.front().plan->check(self->target_);
    if (checked) return self->put_in_front(std::move(works));
    const Error error{
        Errc::kSourceFailed,
        "the schema changed, and the statement no longer fits it: " + checked.error().message};
    for (PostgresWork& work : works) fail_work(std::move(work), error);
  });
}

void PostgresPool::put_in_front(Works works) {
  bool closed = false;
  {
    const MutexLock lock{mutex_};
    closed = closed_;
    while (!closed && !works.empty()) {
      waiting_.push_front(std::move(works.back()));
      works.pop_back();
    }
  }
  for (PostgresWork& work : works) fail_work(std::move(work), closed_error());
  dispatch();
}

Error PostgresPool::closed_error() const {
  return {Errc::kCancelled, target_.name() + " is closed"};
}

void PostgresPool::close() {
  std::deque<PostgresWork> abandoned;
  {
    const MutexLock lock{mutex_};
    if (closed_) return;
    closed_ = true;
    abandoned.swap(waiting_);
    idle_.clear();
    for (const Connection& connection : all_) {
      asio::post(connection->executor(),
                 [connection, why = closed_error()] { connection->end(why); });
    }
    all_.clear();
  }
  for (PostgresWork& work : abandoned) fail_work(std::move(work), closed_error());
}

}  // namespace larder
