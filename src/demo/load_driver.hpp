// Viewers of product pages over the Redis protocol: a TCP connection each, one
// request at a time on it, many connections a thread.
//
// Threads: one at a time; run() has threads of its own while it lasts.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <vector>

#include "demo/pace.hpp"
#include "demo/workload.hpp"
#include "larder/error.hpp"

namespace larder::demo {

struct DriverPlan {
  std::uint16_t port = 0;  // of 127.0.0.1
  unsigned viewers = 16;
  unsigned threads = 1;
  std::uint64_t seed = 42;
};

class LoadDriver {
 public:
  // Connects all viewers. REQUIRES: `popularity` outlives it; viewers and threads > 0.
  [[nodiscard]] static Result<LoadDriver> connect(const DriverPlan& plan,
                                                  const Popularity& popularity);
  LoadDriver(LoadDriver&&) noexcept;
  LoadDriver& operator=(LoadDriver&&) = delete;
  ~LoadDriver();

  // Lets all viewers look at pages, then waits until those asked for have come;
  // the viewers go on where they were the last time. `queries` of the result is
  // 0: the server knows. Every answer must be a page: an error reply, a missing
  // page, a page of another product or a lost connection is an Error, and no
  // further run is possible. kCancelled after `stop`.
  [[nodiscard]] Result<Measured> run(const Pace& pace, const std::stop_token& stop);

 private:
  class Thread;
  LoadDriver(std::vector<std::unique_ptr<Thread>> threads, unsigned viewers);

  std::vector<std::unique_ptr<Thread>> threads_;
  unsigned viewers_;
};

}  // namespace larder::demo
