// One io_context and the thread that runs it.
//
// Threads: any. Held by shared_ptr: what has an executor of the context holds it
// too, and so outlives its thread safely.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <thread>
#include <utility>

#include "larder/thread_annotations.hpp"

namespace larder {

class IoThread {
 public:
  // `runtime` names the runtime, for is_of().
  explicit IoThread(const void* runtime);
  ~IoThread() { stop(); }
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  [[nodiscard]] boost::asio::io_context& context() { return context_; }

  // Whether the calling thread is an I/O thread of `runtime`.
  [[nodiscard]] static bool is_of(const void* runtime);

  // Has the thread call `work`; once it is stopping, drops it. What is posted to the
  // context by other ways after that is kept for as long as the context, so
  // that work which owns the context would keep it for ever.
  template <class Work>
  void post(Work work) LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    if (!stopping_) boost::asio::post(context_, std::move(work));
  }

  // Lets the thread do what was posted until now, joins it, and destroys what else
  // is pending. Once; the destructor's call then does nothing.
  void stop() LARDER_EXCLUDES(mutex_);

 private:
  // Lets what is pending be destroyed before the context is.
  struct Context : boost::asio::io_context {
    using boost::asio::execution_context::shutdown;
    using boost::asio::io_context::io_context;
  };

  Context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      context_.get_executor()};
  Mutex mutex_;
  bool stopping_ LARDER_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace larder
