#include "server/work_queue.hpp"

#include <sys/eventfd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace larder {

WorkQueue::WorkQueue() : event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
  if (!event_) throw std::system_error{errno, std::system_category(), "eventfd"};
}

void WorkQueue::start(Poller& poller) {
  if (!poller.watch(event_.get(), *this)) {
    throw std::system_error{errno, std::system_category(), "epoll_ctl"};
  }
}

void WorkQueue::post(Work work) {
  {
    const MutexLock lock{mutex_};
    posted_.push_back(std::move(work));
    if (posted_.size() > 1) return;  // whoever posted the first wakes the poller
  }
  // Each write is an edge, so the count need not be read back; it would take 500
  // years to overflow.
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
}

void WorkQueue::ready(Poller::Readiness) {
  {
    const MutexLock lock{mutex_};
    std::swap(posted_, running_);
  }
  for (Work& work : running_) work();
  running_.clear();
}

}  // namespace larder
