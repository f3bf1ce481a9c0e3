// The threads that larder runs on.
//
// I/O threads each run one io_context and never wait; blocking threads run what
// may wait (a user's loading function, a SQLite query).
//
// Lifetime: a Runtime is passed to what needs it. What may outlive it, as a cache
// may, keeps a RuntimeHandle and is told of its end through Closable.
//
// Threads: any thread may call any member.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#include "larder/clock.hpp"
#include "larder/closable.hpp"
#include "larder/error.hpp"
#include "larder/timers.hpp"

namespace larder {

class BlockingThreads;
namespace detail {
class RuntimeThreads;
}

struct RuntimeOptions {
  unsigned io_threads = 0;         // 0: one a core
  unsigned blocking_threads = 32;  // that work at a time, at most; started when needed
  unsigned waiting_threads = 128;  // further ones, for those that wait inside larder (WaitScope)
  const Clock* clock = nullptr;    // null: the steady clock; outlives the runtime and its caches
};

// A share in a runtime's threads that may outlive them. When the runtime has
// stopped every call is still allowed, and runs nothing.
// Threads: as Runtime. Cheap to copy.
class RuntimeHandle {
 public:
  explicit RuntimeHandle(std::shared_ptr<detail::RuntimeThreads> threads);

  // As Runtime's members, but that executor() is the system's once the runtime stops.
  [[nodiscard]] boost::asio::any_io_executor executor() const;
  [[nodiscard]] bool on_io_thread() const;
  void block(std::move_only_function<void()> work) const;
  [[nodiscard]] std::shared_ptr<Timers> timers() const;

 private:
  std::shared_ptr<detail::RuntimeThreads> threads_;
};

// Says that the calling thread is about to wait for what may itself need a blocking
// thread. If it is a blocking thread, of whichever runtime, another may take its
// place meanwhile. On any other thread it does nothing. The cache's blocking calls
// do this themselves; a loading function that waits for other things may.
//
// Threads: confined to the one that made it.
class WaitScope {
 public:
  // kOverloaded: RuntimeOptions::waiting_threads wait already, so that waiting
  // might be for ever.
  [[nodiscard]] static Result<WaitScope> begin();
  ~WaitScope();
  WaitScope(WaitScope&& other) noexcept : pool_{std::exchange(other.pool_, nullptr)} {}
  WaitScope& operator=(WaitScope&&) = delete;

 private:
  explicit WaitScope(BlockingThreads* pool) : pool_{pool} {}

  BlockingThreads* pool_;  // null: nothing to give back
};

class Runtime : public Timers {
 public:
  Runtime() : Runtime{RuntimeOptions{}} {}
  explicit Runtime(RuntimeOptions options);
  ~Runtime() override { stop(); }
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Ends it, in this order: closes what asked for it (caches: whoever waits for a
  // load gets kCancelled); destroys the blocking work that has not begun, and waits
  // for what has; lets the I/O threads do what was posted to them until then, and
  // destroys what else is pending there; joins all threads. Idempotent: a second
  // call waits for the first. Throws std::logic_error on one of its own threads,
  // which cannot wait for itself (in the destructor, that ends the program).
  void stop();

  [[nodiscard]] const Clock& clock() const;

  [[nodiscard]] std::size_t io_threads() const;
  // REQUIRES: index < io_threads().
  [[nodiscard]] boost::asio::io_context& io(std::size_t index);
  // An I/O thread's executor, each in turn.
  [[nodiscard]] boost::asio::any_io_executor executor();
  // Whether the calling thread is one of this runtime's I/O threads, which must not wait.
  [[nodiscard]] bool on_io_thread() const { return handle_.on_io_thread(); }

  // Runs `work` on a blocking thread. Work waits in order while all are busy;
  // its callers bound how much waits. Work that has not begun when the runtime
  // stops is destroyed without being run, and so is what comes later.
  void block(std::move_only_function<void()> work) { handle_.block(std::move(work)); }

  // Timers count real time, whatever the clock. Those that are not due when the
  // runtime stops never are.
  [[nodiscard]] TimePoint now() const override { return steady_clock().now(); }
  [[nodiscard]] std::unique_ptr<Timer> after(Duration delay,
                                             std::move_only_function<void()> due) override;

  [[nodiscard]] RuntimeHandle handle() const { return handle_; }
  // Has stop() close it first; at once, when the runtime has stopped.
  void close_at_stop(std::weak_ptr<Closable> closable);

 private:
  std::shared_ptr<detail::RuntimeThreads> threads_;
  RuntimeHandle handle_;
};

}  // namespace larder
