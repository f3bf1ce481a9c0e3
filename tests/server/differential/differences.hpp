// What larder answers otherwise than Redis, on purpose: each with its reason. The
// same table stands in docs/redis-protocol.md.
//
// Threads: pure functions over immutable data.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "resp/reply_decoder.hpp"
#include "server/differential/peer.hpp"

namespace larder::test {

struct Difference {
  std::string_view what;
  std::string_view why;
  // Whether this is what makes the two replies to `words` differ. `name` is the
  // command's, in lower case.
  bool (*explains)(std::string_view name, const Words& words, const resp::Reply& redis,
                   const resp::Reply& larder);
};

[[nodiscard]] std::span<const Difference> differences();

// Whether the two say the same: to the byte, but for the order of what has none,
// for time that passed between the two, and for what each server chooses.
[[nodiscard]] bool same(const Words& words, const resp::Reply& redis, const resp::Reply& larder);
// Whether they say the same, or why they do not is known.
[[nodiscard]] bool explained(const Words& words, const resp::Reply& redis,
                             const resp::Reply& larder);

// As a person reads it.
[[nodiscard]] std::string shown(const Words& words);
[[nodiscard]] std::string shown(const resp::Reply& reply);

}  // namespace larder::test
