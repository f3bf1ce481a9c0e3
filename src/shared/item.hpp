// The lease protocol in Memcached: what a key holds there, and its steps, which lease.hpp has
// as scripts for Redis.
//
// An item holds what a key does in Redis, one of value, lease, failure and write marker, in
// the bytes that envelope.hpp says, but that
//
//   F           code 1 · token 16 of whose load failed · fingerprint 8 · message
//   M           contended 1 ('0' or '1') · of each writer at work its token 16, and how long
//               before the item's end its time is up, in seconds, 4 bytes, lowest first
//
// since Memcached tells no time but what an item has left.
//
// Two kinds of steps. An invalidation is one command whatever is there (md with I): the item
// is stale from then on, and another than the one that anybody has seen. A stale value, lease
// or failure is as none; a stale marker is a contended one. Every other step reads the item,
// decides here, and sets or deletes it if it is still the same (CAS), or begins again: as
// atomic as a script. Of two such steps at once one begins again.
//
// Memcached counts in seconds and rounds towards the end of the current one: an item with a
// life of n seconds is gone after n - 1 to n of them. So values get what they have left,
// rounded down, and all that must not go early a second more.
//
// Pure logic: no I/O, no clock. Threads: pure functions and plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "memcached/meta_reply.hpp"
#include "memcached/meta_writer.hpp"
#include "shared/lease.hpp"

namespace larder::shared {

struct Item {
  bool there = false;
  std::string bytes{};
  std::uint64_t cas = 0;
  std::chrono::seconds left{};  // 0: without end
  bool stale = false;
};

// What a reply to MetaWriter::get says. Anything else than a value is no item.
[[nodiscard]] Item item_in(memcached::MetaReply&& reply);

// What a step makes of an item.
struct Change {
  enum class Kind : std::uint8_t {
    kNone,
    kSet,  // `bytes`, for `life`
    kDelete,
    kInvalidate,  // whatever is there by then
  };
  Kind kind = Kind::kNone;
  std::string bytes{};
  std::chrono::seconds life{};
};

// Writes the command that changes the item if it is still the same. REQUIRES: a change.
void write(memcached::MetaWriter& write, std::string_view key, const Item& item,
           const Change& change);
// Whether such a command's reply says that it did; if not, and it is no error, the item was
// another.
[[nodiscard]] bool carried_out(const Change& change, const memcached::MetaReply& reply);

// How long an item is to live.
[[nodiscard]] std::chrono::seconds life_of_lease(Duration lease);
// None: it has too little left for Memcached's seconds.
[[nodiscard]] std::optional<std::chrono::seconds> life_of_value(Duration left);

// What a reader found. A value stays in the item; its `left` is at most what it is.
[[nodiscard]] Found found(const Item& item);

// A reader takes the lease, of a key that has none; who wants it anew takes it over as well, for
// its holder may have begun before what is asked for was true. The holder's steps then find
// another's.
[[nodiscard]] Change take_lease(std::string_view token, std::chrono::seconds life);
// What the lease's holder does; nothing if it is not this token's any more. `value` as seal()
// gives it.
[[nodiscard]] Change extend_lease(const Item& item, std::string_view token,
                                  std::chrono::seconds life);
[[nodiscard]] Change fill_lease(const Item& item, std::string_view token, const std::string& value,
                                std::chrono::seconds life);
[[nodiscard]] Change fail_lease(const Item& item, std::string_view token, std::uint64_t fingerprint,
                                const Error& error);
[[nodiscard]] Change release_lease(const Item& item, std::string_view token);
// The failure of that token's load has been told long enough.
[[nodiscard]] Change forget_failure(const Item& item, std::string_view token);

// A writer's mark, for so long, which is at least a second; again with the same token: from now on
// so long.
[[nodiscard]] Change set_mark(const Item& item, std::string_view token, Duration life);
// Whether the end of that writer's write may leave its value: it is the only one that the
// marker ever had, and nobody invalidated the key meanwhile.
[[nodiscard]] bool sole_writer(const Item& item, std::string_view token);
// `value` is kept if it may be; empty: none is to be.
[[nodiscard]] Change finish_mark(const Item& item, std::string_view token, const std::string& value,
                                 std::chrono::seconds life);

}  // namespace larder::shared
