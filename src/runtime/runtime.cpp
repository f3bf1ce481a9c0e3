#include "larder/runtime.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/system_executor.hpp>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "larder/thread_annotations.hpp"
#include "runtime/blocking_threads.hpp"
#include "runtime/io_thread.hpp"
#include "runtime/timer_queue.hpp"

namespace larder {

namespace asio = boost::asio;

namespace detail {

class RuntimeThreads final : public Timers {
 public:
  explicit RuntimeThreads(const RuntimeOptions& options)
      : clock_{options.clock != nullptr ? *options.clock : steady_clock()},
        blocking_{options.blocking_threads, options.waiting_threads} {
    const unsigned cores = std::max(std::thread::hardware_concurrency(), 1U);
    const unsigned count = options.io_threads != 0 ? options.io_threads : cores;
    for (unsigned i = 0; i < count; ++i) {
      io_.push_back(std::make_shared<IoThread>(this));
      timers_.push_back(std::make_shared<TimerQueue>(io_.back()));
    }
  }

  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] std::size_t io_threads() const { return io_.size(); }
  [[nodiscard]] IoThread& io(std::size_t index) { return *io_[index]; }
  [[nodiscard]] bool on_io_thread() const { return IoThread::is_of(this); }
  [[nodiscard]] bool stopping() const { return stopping_.load(std::memory_order_acquire); }
  [[nodiscard]] BlockingThreads& blocking() { return blocking_; }

  [[nodiscard]] asio::any_io_executor executor() { return next_io()->context().get_executor(); }

  [[nodiscard]] TimePoint now() const override { return steady_clock().now(); }
  [[nodiscard]] std::unique_ptr<Timer> after(Duration delay,
                                             std::move_only_function<void()> due) override {
    return timers_[next_index()]->after(delay, std::move(due));
  }

  void close_at_stop(std::weak_ptr<Closable> closable) LARDER_EXCLUDES(mutex_) {
    {
      const MutexLock lock{mutex_};
      if (!closed_all_) return remember(std::move(closable));
    }
    if (const auto alive = closable.lock()) alive->close();
  }

  void stop() {
    if (on_io_thread() || BlockingThreads::of_this_thread() == &blocking_) {
      throw std::logic_error{
          "a larder::Runtime is stopped or destroyed on one of its own threads, which cannot wait "
          "for itself to end: stop it elsewhere"};
    }
    std::call_once(once_, [this] {
      stopping_.store(true, std::memory_order_release);
      close_all();
      blocking_.stop();
      for (const auto& io : io_) io->stop();
    });
  }

 private:
  [[nodiscard]] std::size_t next_index() {
    return next_.fetch_add(1, std::memory_order_relaxed) % io_.size();
  }
  [[nodiscard]] const std::shared_ptr<IoThread>& next_io() { return io_[next_index()]; }

  // Forgets, now and then, those that are gone.
  void remember(std::weak_ptr<Closable> closable) LARDER_REQUIRES(mutex_) {
    if (closables_.size() == closables_.capacity()) {
      std::erase_if(closables_, [](const auto& each) { return each.expired(); });
      closables_.reserve(2 * closables_.size() + 1);
    }
    closables_.push_back(std::move(closable));
  }

  void close_all() LARDER_EXCLUDES(mutex_) {
    std::vector<std::weak_ptr<Closable>> closables;
    {
      const MutexLock lock{mutex_};
      closed_all_ = true;
      closables.swap(closables_);
    }
    for (const auto& each : closables) {
      if (const auto alive = each.lock()) alive->close();
    }
  }

  const Clock& clock_;
  std::vector<std::shared_ptr<IoThread>> io_;
  std::vector<std::shared_ptr<TimerQueue>> timers_;  // of each
  std::atomic<std::size_t> next_{0};
  BlockingThreads blocking_;
  std::once_flag once_;
  std::atomic<bool> stopping_{false};
  Mutex mutex_;
  std::vector<std::weak_ptr<Closable>> closables_ LARDER_GUARDED_BY(mutex_);
  bool closed_all_ LARDER_GUARDED_BY(mutex_) = false;
};

}  // namespace detail

Result<WaitScope> WaitScope::begin() {
  BlockingThreads* const pool = BlockingThreads::of_this_thread();
  if (pool == nullptr || pool->begin_wait()) return WaitScope{pool};
  return fail(Errc::kOverloaded,
              "too many loading functions wait for other loads: all of the runtime's "
              "waiting_threads do. Raise RuntimeOptions::waiting_threads, or let the caller, not "
              "the loading function, put such values together");
}

WaitScope::~WaitScope() {
  if (pool_ != nullptr) pool_->end_wait();
}

RuntimeHandle::RuntimeHandle(std::shared_ptr<detail::RuntimeThreads> threads)
    : threads_{std::move(threads)} {}

asio::any_io_executor RuntimeHandle::executor() const {
  if (threads_->stopping()) return asio::system_executor{};
  return threads_->executor();
}
bool RuntimeHandle::on_io_thread() const { return threads_->on_io_thread(); }
void RuntimeHandle::block(std::move_only_function<void()> work) const {
  threads_->blocking().run(std::move(work));
}
std::shared_ptr<Timers> RuntimeHandle::timers() const { return threads_; }

Runtime::Runtime(RuntimeOptions options)
    : threads_{std::make_shared<detail::RuntimeThreads>(options)}, handle_{threads_} {}

void Runtime::stop() { threads_->stop(); }
const Clock& Runtime::clock() const { return threads_->clock(); }
std::size_t Runtime::io_threads() const { return threads_->io_threads(); }
asio::any_io_executor Runtime::executor() { return threads_->executor(); }
asio::io_context& Runtime::io(std::size_t index) { return threads_->io(index).context(); }
std::unique_ptr<Timer> Runtime::after(Duration delay, std::move_only_function<void()> due) {
  return threads_->after(delay, std::move(due));
}
void Runtime::close_at_stop(std::weak_ptr<Closable> closable) {
  threads_->close_at_stop(std::move(closable));
}

}  // namespace larder
