// The threads that larder runs on.
//
// I/O threads each run one io_context and never wait; blocking threads run what
// may wait (a user's loading function, a SQLite query). A Runtime is passed to
// what needs it and must outlive it.
//
// Threads: any thread may call any member.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <functional>
#include <memory>

#include "larder/clock.hpp"
#include "larder/timers.hpp"

namespace larder {

struct RuntimeOptions {
  unsigned io_threads = 0;         // 0: one a core
  unsigned blocking_threads = 32;  // at most; started when needed
  const Clock* clock = nullptr;    // null: the steady clock; must outlive the runtime
};

class Runtime : public Timers {
 public:
  Runtime() : Runtime{RuntimeOptions{}} {}
  explicit Runtime(RuntimeOptions options);
  // Stops the I/O threads, lets blocking work that has begun finish, joins all.
  ~Runtime() override;
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  [[nodiscard]] const Clock& clock() const;

  [[nodiscard]] std::size_t io_threads() const;
  // REQUIRES: index < io_threads().
  [[nodiscard]] boost::asio::io_context& io(std::size_t index);
  // An I/O thread's executor, each in turn.
  [[nodiscard]] boost::asio::any_io_executor executor();
  // Whether the calling thread is one of this runtime's I/O threads, which must not wait.
  [[nodiscard]] bool on_io_thread() const;

  // Runs `work` on a blocking thread. Work waits in order while all are busy;
  // its callers bound how much waits. Work that has not begun when the runtime
  // is destroyed is destroyed without being run.
  void block(std::move_only_function<void()> work);

  // Timers count real time, whatever the clock.
  [[nodiscard]] std::unique_ptr<Timer> after(Duration delay,
                                             std::move_only_function<void()> due) override;

 private:
  class Threads;
  std::unique_ptr<Threads> threads_;
};

}  // namespace larder
