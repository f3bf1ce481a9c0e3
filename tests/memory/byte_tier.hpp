// A tier of bytes, whose clock stands still unless a test moves it.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "larder/memory_tier.hpp"

namespace larder {

using namespace std::chrono_literals;
using namespace literals;

using Bytes = MemoryTier<std::string, std::string>;

inline EntryInfo live_until(TimePoint until, Space space = 0) {
  return {.filled_at = {}, .fresh_until = until, .usable_until = until, .space = space};
}

class MemoryTierTest : public testing::Test {
 protected:
  void put(std::string_view key, std::string_view value, Duration ttl = 60s, Space space = 0) {
    ASSERT_EQ(tier_.put(key, value, live_until(now_ + ttl, space), now_), PutOutcome::kStored);
  }
  std::optional<std::string> get(std::string_view key) {
    std::optional<std::string> value;
    tier_.visit(key, now_, [&](std::string_view seen, const EntryInfo&) { value = seen; });
    return value;
  }

  TimePoint now_{1h};
  // Where entries lie, and so what is evicted for a large one, depends on their hashes.
  Bytes tier_{{.capacity = 1_MiB, .hash_seed = 7}};
};

}  // namespace larder
