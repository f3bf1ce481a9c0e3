// What clients may cost. Set by `[server]`; each with its unit there.
#pragma once

#include <chrono>
#include <cstddef>

#include "larder/clock.hpp"
#include "larder/units.hpp"

namespace larder {

struct Limits {
  unsigned max_clients = 10'000;
  ByteCount max_request{64ULL << 20};     // one command with all its arguments
  std::size_t max_arguments = 1'048'576;  // of one command
  ByteCount max_key{64ULL << 10};
  ByteCount max_value{32ULL << 20};
  ByteCount max_reply_buffer{64ULL << 20};    // replies of one connection that were not sent
  std::size_t max_pipeline = 10'000;          // replies of one connection that wait for loads
  ByteCount max_client_memory{512ULL << 20};  // all that connections keep, together

  ByteCount max_tracking_memory{64ULL << 20};  // what is remembered of what clients keep
  ByteCount max_lease_memory{16ULL << 20};     // all leases of keys; a client's: a sixteenth

  // A connection that says nothing, and waits for no load, is closed; 0: never.
  Duration idle_timeout{};
  // So is one that is nobody yet: no TLS handshake, no login; 0: never.
  Duration login_timeout = std::chrono::seconds{10};

  // Commands that take longer are kept for SLOWLOG, so many of them; 0: none.
  Duration slowlog_slower_than = std::chrono::milliseconds{10};
  std::size_t slowlog_entries = 128;

  // Replies beyond this many bytes are sent before further commands are looked at.
  ByteCount send_batch{256ULL << 10};
};

}  // namespace larder
