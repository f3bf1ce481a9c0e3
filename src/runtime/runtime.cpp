#include "larder/runtime.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
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

}  // namespace larder
