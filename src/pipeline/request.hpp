// What a client asks of a server at once, and what it waits for.
//
// Threads: plain values.
#pragma once

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
