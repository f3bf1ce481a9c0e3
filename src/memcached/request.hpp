// What a client of Memcached asks at once, and what it waits for.
//
// Threads: plain values.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "memcached/meta_reply.hpp"

namespace larder::memcached {

using Replies = std::vector<MetaReply>;

// Gets the replies in the order of the commands, error replies among them; or why there are
// none: kTimeout, kCancelled (closed), kSourceFailed (the connection broke). Then the
// commands may have been carried out all the same.
using Done = std::move_only_function<void(Result<Replies>)>;

// Commands that were written one behind the other.
struct Request {
  std::size_t commands = 1;
  TimePoint sent{};
  TimePoint deadline{};
  Done done;  // null: it was told already, and late replies are dropped
  Replies replies{};
};

}  // namespace larder::memcached
