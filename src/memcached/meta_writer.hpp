// Writes what a client asks of a Memcached server, in its meta commands.
//
// Pure logic: no I/O. Appends to an OutputBuffer that must outlive it. Each member writes
// one command, which has one reply.
//
// Threads: as its buffer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "resp/output_buffer.hpp"

namespace larder::memcached {

// The longest key that memcached takes, and whether it takes this one: its bytes are those
// of one word.
inline constexpr std::size_t kLongestKey = 250;
[[nodiscard]] bool is_key(std::string_view key);

// What memcached takes for a time from now; what is more it takes for a date.
inline constexpr std::chrono::seconds kLongestLife = std::chrono::hours{24 * 30};

class MetaWriter {
 public:
  explicit MetaWriter(resp::OutputBuffer& output) : output_{output} {}

  // REQUIRES of all: is_key(key), 0 <= life <= kLongestLife; life 0 is without end.

  // mg: value, what is left of its life, CAS. EN without an item.
  void get(std::string_view key);
  // ms: whatever is there.
  void set(std::string_view key, std::string_view value, std::chrono::seconds life);
  // ms in mode add. NS: there is an item.
  void add(std::string_view key, std::string_view value, std::chrono::seconds life);
  // ms of the item that has this CAS. EX: it is another; NF: there is none.
  void replace(std::string_view key, std::string_view value, std::chrono::seconds life,
               std::uint64_t cas);
  // md. NF: there is none.
  void remove(std::string_view key);
  // md of the item that has this CAS. EX, NF: as above.
  void remove(std::string_view key, std::uint64_t cas);
  // md with I: the item stays, stale and with another CAS. NF: there is none.
  void invalidate(std::string_view key);

  // VERSION.
  void version();
  // stats settings: a STAT for each, and END.
  void settings();

 private:
  void write_set(std::string_view key, std::string_view value, std::chrono::seconds life,
                 std::string_view mode, std::optional<std::uint64_t> cas);
  void number(std::uint64_t value);

  resp::OutputBuffer& output_;
};

}  // namespace larder::memcached
