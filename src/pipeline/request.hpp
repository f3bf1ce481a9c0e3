// What a client asks of a server at once, and what it waits for.
//
// Threads: plain values.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

#include "larder/clock.hpp"
#include "larder/error.hpp"

namespace larder::pipeline {

// Gets the replies in the order of the commands, error replies among them; or why there
// are none: kTimeout, kCancelled (closed), kSourceFailed (the connection broke). Then the
// commands may have been carried out all the same.
template <class Reply>
using Done = std::move_only_function<void(Result<std::vector<Reply>>)>;

// So long a request is waited for. A server that is well takes a while for each command, those in
// front of it among them: `waiting` of them in all, with its own. One that hangs answers none.
[[nodiscard]] constexpr Duration patience(Duration timeout, std::size_t waiting) {
  constexpr std::chrono::microseconds kOfACommand{50};
  return timeout + kOfACommand * static_cast<Duration::rep>(waiting);
}

// Commands that were written one behind the other.
template <class Reply>
struct Request {
  std::size_t commands = 1;
  TimePoint sent{};
  TimePoint deadline{};
  Done<Reply> done;  // null: it was told already, and late replies are dropped
  std::vector<Reply> replies{};
};

}  // namespace larder::pipeline
