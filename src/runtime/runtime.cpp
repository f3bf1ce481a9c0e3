#include "larder/runtime.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <stop_token>
#include <thread>
#include <vector>

#include "larder/thread_annotations.hpp"

namespace larder {

namespace asio = boost::asio;

namespace {

// The runtime that the calling thread does I/O for.
thread_local const void* io_runtime = nullptr;

// One io_context and the thread that runs it.
struct IoThread {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::jthread thread;
};

// A timer that may be destroyed on any thread, while Asio's own may not: the
// destructor only says that it is over, and the I/O thread does the rest.
class AsioTimer final : public Timer {
  // Longer than any process runs, and far from where a time point overflows.
  static constexpr Duration kLongest = std::chrono::hours{24 * 365 * 100};

 public:
  AsioTimer(asio::any_io_executor executor, Duration delay, std::move_only_function<void()> due)
      : state_{std::make_shared<State>(executor, std::move(due))} {
    const auto until = std::chrono::steady_clock::now() + std::min(delay, kLongest);
    asio::post(executor, [state = state_, until] {
      if (state->over.load(std::memory_order_acquire)) return;
      state->timer.expires_at(until);
      state->timer.async_wait([state](const boost::system::error_code& error) {
        if (error || state->over.exchange(true, std::memory_order_acq_rel)) return;
        state->due();
      });
    });
  }

  ~AsioTimer() override {
    if (state_->over.exchange(true, std::memory_order_acq_rel)) return;
    asio::post(state_->timer.get_executor(), [state = state_] { state->timer.cancel(); });
  }
  AsioTimer(const AsioTimer&) = delete;
  AsioTimer& operator=(const AsioTimer&) = delete;

 private:
  struct State {
    State(const asio::any_io_executor& executor, std::move_only_function<void()> what)
        : timer{executor}, due{std::move(what)} {}

    asio::steady_timer timer;  // touched on its I/O thread only
    std::move_only_function<void()> due;
    std::atomic<bool> over{false};  // called, or called off
  };

  std::shared_ptr<State> state_;
};

// Threads that may wait, started as work comes while all are busy.
class BlockingThreads {
 public:
  explicit BlockingThreads(unsigned most) : most_{std::max(most, 1U)} {}

  ~BlockingThreads() {
    {
      const MutexLock lock{mutex_};
      stopping_ = true;
    }
    woken_.notify_all();
    for (std::jthread& thread : threads_) thread.join();
  }
  BlockingThreads(const BlockingThreads&) = delete;
  BlockingThreads& operator=(const BlockingThreads&) = delete;

  void run(std::move_only_function<void()> work) LARDER_EXCLUDES(mutex_) {
    {
      const MutexLock lock{mutex_};
      if (stopping_) return;
      queue_.push_back(std::move(work));
      if (queue_.size() > idle_ && threads_.size() < most_) {
        threads_.emplace_back([this] { loop(); });
      }
    }
    woken_.notify_one();
  }

 private:
  void loop() LARDER_EXCLUDES(mutex_) {
    for (;;) {
      std::move_only_function<void()> work;
      {
        const MutexLock lock{mutex_};
        ++idle_;
        while (queue_.empty() && !stopping_) woken_.wait(mutex_);
        --idle_;
        if (stopping_) return;
        work = std::move(queue_.front());
        queue_.pop_front();
      }
      work();
    }
  }

  const unsigned most_;
  Mutex mutex_;
  Condition woken_;
  std::deque<std::move_only_function<void()>> queue_ LARDER_GUARDED_BY(mutex_);
  std::size_t idle_ LARDER_GUARDED_BY(mutex_) = 0;
  bool stopping_ LARDER_GUARDED_BY(mutex_) = false;
  // Grows under the lock; joined by the destructor, when nobody else calls.
  std::vector<std::jthread> threads_;
};

}  // namespace

class Runtime::Threads {
 public:
  explicit Threads(const RuntimeOptions& options)
      : clock_{options.clock != nullptr ? *options.clock : steady_clock()},
        blocking_{options.blocking_threads} {
    const unsigned cores = std::max(std::thread::hardware_concurrency(), 1U);
    const unsigned count = options.io_threads != 0 ? options.io_threads : cores;
    for (unsigned i = 0; i < count; ++i) io_.push_back(std::make_unique<IoThread>());
    for (auto& io : io_) {
      io->thread = std::jthread{[this, &context = io->context] {
        io_runtime = this;
        context.run();
      }};
    }
  }

  ~Threads() {
    for (auto& io : io_) io->context.stop();
    for (auto& io : io_) io->thread.join();
  }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  const Clock& clock_;
  std::vector<std::unique_ptr<IoThread>> io_;
  std::atomic<std::size_t> next_{0};
  BlockingThreads blocking_;  // stops first: its work may still post to the contexts
};

Runtime::Runtime(RuntimeOptions options) : threads_{std::make_unique<Threads>(options)} {}
Runtime::~Runtime() = default;

const Clock& Runtime::clock() const { return threads_->clock_; }
std::size_t Runtime::io_threads() const { return threads_->io_.size(); }
asio::io_context& Runtime::io(std::size_t index) { return threads_->io_[index]->context; }

asio::any_io_executor Runtime::executor() {
  const std::size_t turn = threads_->next_.fetch_add(1, std::memory_order_relaxed);
  return threads_->io_[turn % threads_->io_.size()]->context.get_executor();
}

bool Runtime::on_io_thread() const { return io_runtime == threads_.get(); }

void Runtime::block(std::move_only_function<void()> work) {
  threads_->blocking_.run(std::move(work));
}

std::unique_ptr<Timer> Runtime::after(Duration delay, std::move_only_function<void()> due) {
  return std::make_unique<AsioTimer>(executor(), delay, std::move(due));
}

}  // namespace larder
