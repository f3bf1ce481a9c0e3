#include "server/poller.hpp"

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace larder {

namespace {

constexpr std::uint32_t kInput = EPOLLIN | EPOLLRDHUP | EPOLLET;

}  // namespace

Poller::Poller() : epoll_{::epoll_create1(EPOLL_CLOEXEC)} {
  if (!epoll_) throw std::system_error{errno, std::system_category(), "epoll_create1"};
}

bool Poller::watch(int descriptor, Watcher& watcher) {
  epoll_event event{.events = kInput, .data = {.ptr = &watcher}};
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void Poller::watch_room(int descriptor, Watcher& watcher) {
  epoll_event event{.events = kInput | EPOLLOUT, .data = {.ptr = &watcher}};
  // Of a descriptor that is watched this cannot fail.
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, descriptor, &event);
}

void Poller::wait(Wait wait) {
  const int count =
      ::epoll_wait(epoll_.get(), events_.data(), kAtOnce, wait == Wait::kYes ? -1 : 0);
  for (int i = 0; i < count; ++i) {  // -1 when a signal came between
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    const bool ended = (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    static_cast<Watcher*>(event.data.ptr)
        ->ready({.input = ended || (event.events & EPOLLIN) != 0,
                 .room = (event.events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0,
                 .ended = ended});
  }
}

}  // namespace larder
