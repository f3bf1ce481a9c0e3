#include "demo/threaded_viewers.hpp"

#include <sys/prctl.h>

#include <string>
#include <thread>
#include <utility>

#include "demo/processor_time.hpp"

namespace larder::demo {

ThreadedViewers::ThreadedViewers(std::vector<PageFunction> pages, const Popularity& popularity,
                                 std::uint64_t seed) {
  for (PageFunction& page : pages) {
    const auto number = static_cast<std::uint32_t>(seats_.size());
    seats_.push_back({std::move(page), Viewer{popularity, seed, number}});
  }
}

Result<Measured> ThreadedViewers::run(const Pace& pace, const std::stop_token& stop) {
  const TimePoint start = std::chrono::steady_clock::now();
  std::vector<Result<Measured>> shares(seats_.size());
  std::stop_source over;  // called off, or one of them failed
  const std::stop_callback called_off{stop, [&] { over.request_stop(); }};
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < seats_.size(); ++i) {
      threads.emplace_back([&, i] {
        const auto viewers = static_cast<unsigned>(seats_.size());
        shares[i] = view(seats_[i], Schedule{pace, viewers, i, start}, over.get_token());
        if (!shares[i]) over.request_stop();
      });
    }
  }
  return merge(shares, std::chrono::steady_clock::now() - start, stop);
}

Result<Measured> ThreadedViewers::view(Seat& seat, Schedule schedule, const std::stop_token& stop) {
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // wakes when it is due, not 50 µs later
  Measured seen;
  TimePoint now = std::chrono::steady_clock::now();
  for (;;) {
    const TimePoint due = schedule.next(now);
    if (schedule.over(due, now) || stop.stop_requested()) break;
    if (due > now) std::this_thread::sleep_until(due);
    const std::int64_t product = seat.viewer.next();
    const Result<std::string_view> page = seat.page(product);
    if (!page) return std::unexpected{page.error()};
    if (page->empty()) {
      return fail(Errc::kBadValue, "there is no page of product " + std::to_string(product));
    }
    now = std::chrono::steady_clock::now();
    seen.latencies.record(now - due);
    ++seen.pages;
  }
  seen.serving = processor_time_of_this_thread();
  return seen;
}

}  // namespace larder::demo
