#include "redis/topology.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "redis/slot.hpp"

namespace larder::redis {

namespace {

using resp::Reply;

// The value of a field of a map, which RESP2 sends as an array.
const Reply* field(const Reply& map, std::string_view name) {
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
    if (map.items[i].text == name) return &map.items[i + 1];
  }
  return nullptr;
}

std::string_view text_field(const Reply& map, std::string_view name) {
  const Reply* const found = field(map, name);
  return found == nullptr ? std::string_view{} : std::string_view{found->text};
}

std::optional<std::uint16_t> slot_in(const Reply& reply) {
  if (reply.kind != Reply::Kind::kInteger || reply.integer < 0 || reply.integer >= kSlots)
    return {};
  return static_cast<std::uint16_t>(reply.integer);
}

std::optional<std::uint16_t> port_in(const Reply* reply) {
  if (reply == nullptr || reply->integer < 1 || reply->integer > 65'535) return {};
  return static_cast<std::uint16_t>(reply->integer);
}

// Whether it is a host's name or address, which also stands in logs.
bool named(std::string_view host) {
  constexpr std::size_t kLongest = 255;
  const bool plain = std::ranges::all_of(host, [](char c) { return c > ' ' && c <= '~'; });
  return !host.empty() && host != "?" && plain && host.size() <= kLongest;
}

std::unexpected<Error> not_understood(std::string_view command) {
  return fail(Errc::kSourceFailed,
              "an answer to " + std::string{command} + " that is not understood");
}

// None: the node is no master, or cannot be reached by this way.
std::optional<Place> master_in(const Reply& node, std::string_view asked, bool tls) {
  if (text_field(node, "role") != "master") return std::nullopt;
  const auto port = port_in(field(node, tls ? "tls-port" : "port"));
  if (!port) return std::nullopt;
  std::string_view host = text_field(node, "endpoint");
  if (!named(host)) host = text_field(node, "ip");
  return Place{.host = std::string{named(host) ? host : asked}, .port = *port};
}

// The master of a shard; none: there is none that can be reached by this way. Redis 8
// still calls one that has failed a master, beside the replica that took over.
std::optional<Place> master_of(const Reply& nodes, std::string_view asked, bool tls) {
  std::optional<Place> failed;
  for (const Reply& node : nodes.items) {
    const auto place = master_in(node, asked, tls);
    if (!place) continue;
    if (text_field(node, "health") != "fail") return place;
    if (!failed) failed = place;
  }
  return failed;
}

Master& master_at(Topology& topology, const Place& place) {
  const auto found = std::ranges::find(topology, place, &Master::place);
  if (found != topology.end()) return *found;
  return topology.emplace_back(Master{.place = place, .slots = {}});
}

}  // namespace

std::string to_string(const Place& place) {
  const bool bracketed = place.host.contains(':');
  return (bracketed ? "[" + place.host + "]" : place.host) + ":" + std::to_string(place.port);
}

bool Master::has(std::uint16_t slot) const {
  return std::ranges::any_of(
      slots, [slot](const SlotRange& range) { return range.first <= slot && slot <= range.last; });
}

Result<Topology> topology_in_shards(const Reply& reply, std::string_view asked, bool tls) {
  if (reply.kind != Reply::Kind::kArray) return not_understood("CLUSTER SHARDS");
  Topology topology;
  for (const Reply& shard : reply.items) {
    const Reply* const slots = field(shard, "slots");
    const Reply* const nodes = field(shard, "nodes");
    if (slots == nullptr || nodes == nullptr) return not_understood("CLUSTER SHARDS");
    const auto place = master_of(*nodes, asked, tls);
    if (!place) continue;
    for (std::size_t i = 0; i + 1 < slots->items.size(); i += 2) {
      const auto first = slot_in(slots->items[i]);
      const auto last = slot_in(slots->items[i + 1]);
      if (!first || !last) return not_understood("CLUSTER SHARDS");
      master_at(topology, *place).slots.push_back({.first = *first, .last = *last});
    }
  }
  return topology;
}

Result<Topology> topology_in_slots(const Reply& reply, std::string_view asked) {
  if (reply.kind != Reply::Kind::kArray) return not_understood("CLUSTER SLOTS");
  Topology topology;
  for (const Reply& range : reply.items) {
    if (range.items.size() < 3 || range.items[2].items.size() < 2) {
      return not_understood("CLUSTER SLOTS");
    }
    const auto first = slot_in(range.items[0]);
    const auto last = slot_in(range.items[1]);
    const std::string_view host = range.items[2].items[0].text;
    const auto port = port_in(&range.items[2].items[1]);
    if (!first || !last || !port) return not_understood("CLUSTER SLOTS");
    const Place place{.host = std::string{named(host) ? host : asked}, .port = *port};
    master_at(topology, place).slots.push_back({.first = *first, .last = *last});
  }
  return topology;
}

Result<Topology> topology_in_sentinel(const Reply& reply, std::string_view master) {
  std::uint16_t port = 0;
  if (reply.items.size() == 2 && named(reply.items[0].text)) {
    const std::string& text = reply.items[1].text;
    std::from_chars(text.data(), text.data() + text.size(), port);
  }
  if (port == 0) {
    return fail(Errc::kSourceFailed,
                "the sentinel knows no master called \"" + std::string{master} + "\"");
  }
  return Topology{{.place = {.host = reply.items[0].text, .port = port},
                   .slots = {{.first = 0, .last = kSlots - 1}}}};
}

// "ASK SLOT HOST:PORT"; the host is missing where the node does not know it, and an address of
// IPv6 has no brackets.
std::optional<Place> place_to_ask(std::string_view error, std::string_view asked) {
  if (!error.starts_with("ASK ")) return std::nullopt;
  const std::string_view place = error.substr(error.rfind(' ') + 1);
  const std::size_t colon = place.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view digits = place.substr(colon + 1);
  std::uint16_t port = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (port == 0 || read.ptr != digits.data() + digits.size()) return std::nullopt;
  const std::string_view host = place.substr(0, colon);
  return Place{.host = std::string{named(host) ? host : asked}, .port = port};
}

bool is_redirect(std::string_view error) {
  return error.starts_with("MOVED ") || error.starts_with("ASK ") || error.starts_with("TRYAGAIN");
}

}  // namespace larder::redis
