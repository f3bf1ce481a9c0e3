// Which masters there are, and which slots each has, as a cluster's node or a sentinel
// tells it. Replicas are no part of it: they are never read.
//
// Pure logic. Threads: pure functions and plain values.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/error.hpp"
#include "resp/reply_decoder.hpp"

namespace larder::redis {

struct Place {
  std::string host;  // a name, or an address without brackets
  std::uint16_t port = 0;

  friend auto operator<=>(const Place&, const Place&) = default;
};

// "localhost:6379", "[::1]:6379".
[[nodiscard]] std::string to_string(const Place& place);

struct SlotRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;  // with it

  friend bool operator==(const SlotRange&, const SlotRange&) = default;
};

struct Master {
  Place place;
  std::vector<SlotRange> slots;  // ascending or not; of a sentinel's master, all

  [[nodiscard]] bool has(std::uint16_t slot) const;
  friend bool operator==(const Master&, const Master&) = default;
};

using Topology = std::vector<Master>;

// Of the reply to CLUSTER SHARDS, which Redis has since 7.0, or to CLUSTER SLOTS. `asked`
// is the host that was asked: a node that does not know its own address is there. Slots
// that nobody has are missing. Errors: the reply is no such thing.
[[nodiscard]] Result<Topology> topology_in_shards(const resp::Reply& reply, std::string_view asked,
                                                  bool tls);
[[nodiscard]] Result<Topology> topology_in_slots(const resp::Reply& reply, std::string_view asked);
// Of the reply to SENTINEL GET-MASTER-ADDR-BY-NAME. Errors: the sentinel knows no such master.
[[nodiscard]] Result<Topology> topology_in_sentinel(const resp::Reply& reply,
                                                    std::string_view master);

// Where an ASK sends to; `asked` as above. None: it is none.
[[nodiscard]] std::optional<Place> place_to_ask(std::string_view error, std::string_view asked);

// Whether an error is a cluster's way to say that the slot is, or that the key may be,
// elsewhere: MOVED, ASK, TRYAGAIN.
[[nodiscard]] bool is_redirect(std::string_view error);

}  // namespace larder::redis
