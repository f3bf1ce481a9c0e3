// Waits for several who are told something, as one.
//
// Threads: any.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <ranges>
#include <utility>

namespace larder::shared {

// Calls `then`, once, when each of `all`, pointers to who has once_told(), has called back: on
// the thread of the last; before this returns, if that is over by then.
template <std::ranges::sized_range All>
void once_told(const All& all, std::move_only_function<void()> then) {
  struct Waiting {
    std::atomic<std::size_t> left;
    std::move_only_function<void()> then;
  };
  if (std::ranges::empty(all)) return then();
  const auto waiting = std::make_shared<Waiting>(std::ranges::size(all), std::move(then));
  for (const auto& each : all) {
    each->once_told([waiting] {
      if (waiting->left.fetch_sub(1) == 1) waiting->then();
    });
  }
}

}  // namespace larder::shared
