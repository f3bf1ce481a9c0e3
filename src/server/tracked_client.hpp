// What CLIENT TRACKING and SUBSCRIBE made of a client, as its session knows it.
//
// Threads: confined to its session's.
#pragma once

#include <cstddef>
#include <string_view>

#include "server/tracking.hpp"

namespace larder {

// The one channel that there is: on it clients are told that speak RESP2, which has no pushes.
inline constexpr std::string_view kInvalidationChannel = "__redis__:invalidate";

struct TrackedClient {
  bool on = false;
  Tracking::Options options{};  // with all prefixes
  bool opt_in = false;          // reads count only behind CLIENT CACHING YES
  bool opt_out = false;         // and unless behind CLIENT CACHING NO
  bool caching = false;         // that was said for the next command
  bool subscribed = false;

  // Whether what it reads now is to be remembered.
  [[nodiscard]] bool remembers() const {
    if (!on || options.broadcasts) return false;
    return opt_in ? caching : !(opt_out && caching);
  }
  [[nodiscard]] std::size_t bytes() const {
    std::size_t all = 0;
    for (const auto& prefix : options.prefixes) all += sizeof(std::string) + prefix.size();
    return all;
  }
};

}  // namespace larder
