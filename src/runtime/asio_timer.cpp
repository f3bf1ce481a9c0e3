#include "runtime/asio_timer.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace larder {

namespace {

// Longer than any process runs, and far from where a time point overflows.
constexpr Duration kLongest = std::chrono::hours{24 * 365 * 100};

}  // namespace

AsioTimer::AsioTimer(const std::shared_ptr<IoThread>& io, Duration delay,
                     std::move_only_function<void()> due)
    : state_{std::make_shared<State>(io, std::move(due))} {
  const auto until = std::chrono::steady_clock::now() + std::min(delay, kLongest);
  io->post([state = state_, until] {
    if (state->over.load(std::memory_order_acquire)) return;
    state->timer.expires_at(until);
    state->timer.async_wait([state](const boost::system::error_code& error) {
      if (error || state->over.exchange(true, std::memory_order_acq_rel)) return;
      state->due();
    });
  });
}

AsioTimer::~AsioTimer() {
  if (state_->over.exchange(true, std::memory_order_acq_rel)) return;
  state_->io->post([state = state_] { state->timer.cancel(); });
}

}  // namespace larder
