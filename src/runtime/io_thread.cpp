#include "runtime/io_thread.hpp"

namespace larder {

namespace {

// The runtime that the calling thread does I/O for.
thread_local const void* io_runtime = nullptr;

}  // namespace

IoThread::IoThread(const void* runtime)
    : thread_{[this, runtime] {
        io_runtime = runtime;
        context_.run();
      }} {}

bool IoThread::is_of(const void* runtime) { return io_runtime == runtime; }

void IoThread::stop() {
  {
    const MutexLock lock{mutex_};
    if (std::exchange(stopping_, true)) return;
    boost::asio::post(context_, [this] { context_.stop(); });  // behind what is there already
  }
  thread_.join();
  context_.shutdown();
}

}  // namespace larder
