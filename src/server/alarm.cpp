#include "server/alarm.hpp"

#include <sys/timerfd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace larder {

Alarm::Alarm(Poller& poller, std::function<void()> due)
    : due_{std::move(due)}, timer_{::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)} {
  if (!timer_ || !poller.watch(timer_.get(), *this)) {
    throw std::system_error{errno, std::system_category(), "timerfd"};
  }
}

void Alarm::set(std::chrono::nanoseconds delay) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(delay);
  const itimerspec once{
      .it_interval = {},
      .it_value = {.tv_sec = seconds.count(), .tv_nsec = (delay - seconds).count()}};
  ::timerfd_settime(timer_.get(), 0, &once, nullptr);
}

void Alarm::ready(Poller::Readiness) {
  std::uint64_t times = 0;  // 0: it was set anew since it went off
  if (::read(timer_.get(), &times, sizeof times) == sizeof times) due_();
}

}  // namespace larder
