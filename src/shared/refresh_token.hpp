// The right to put a value in the place of one that stands in Memcached: nobody else's step
// may come between. Not a lease there, but the item as it was seen.
//
// Threads: pure functions and plain values.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace larder::shared {

struct RefreshToken {
  std::uint64_t connection = 0;  // on which the CAS is one
  std::uint64_t cas = 0;

  // As a SharedLease carries it: longer than any other token.
  [[nodiscard]] std::string bytes() const {
    std::string bytes(1 + 2 * sizeof cas, 'R');
    std::memcpy(bytes.data() + 1, &connection, sizeof connection);
    std::memcpy(bytes.data() + 1 + sizeof connection, &cas, sizeof cas);
    return bytes;
  }
  // None: another token.
  [[nodiscard]] static std::optional<RefreshToken> in(std::string_view bytes) {
    RefreshToken token;
    if (bytes.size() != 1 + 2 * sizeof token.cas) return std::nullopt;
    std::memcpy(&token.connection, bytes.data() + 1, sizeof token.connection);
    std::memcpy(&token.cas, bytes.data() + 1 + sizeof token.connection, sizeof token.cas);
    return token;
  }
};

}  // namespace larder::shared
