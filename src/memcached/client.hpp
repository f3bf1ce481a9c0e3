// A client of one Memcached server, as pipeline/client.hpp says.
//
//   auto client = Client::start(runtime, {.place = place}, events);
//   client->submit({.commands = 1}, [&](MetaWriter& write) { write.get(key); },
//                  [](Result<Replies> replies) { … });
//
// A submission's session is the connection, by its number.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/backoff.hpp"
#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "larder/runtime.hpp"
#include "larder/units.hpp"
#include "memcached/handshake.hpp"
#include "memcached/memcached_url.hpp"
#include "memcached/meta_reply.hpp"
#include "memcached/meta_writer.hpp"
#include "pipeline/client.hpp"

namespace larder::memcached {

using Replies = std::vector<MetaReply>;
using Done = pipeline::Done<MetaReply>;
using ClientEvents = pipeline::ClientEvents<Session>;
using ClientHealth = pipeline::ClientHealth<Session>;
using pipeline::Submission;

struct ClientOptions {
  Place place{};
  // Behaviour.
  // Of a command that names no other; more for those in front of it, see pipeline::patience().
  Duration timeout = std::chrono::milliseconds{250};
  Duration connect_timeout = std::chrono::seconds{2};
  BackoffOptions backoff{};  // between attempts to connect
  // Limits; what is more is refused with kOverloaded.
  std::size_t most_commands = 65'536;  // without an answer yet
  ByteCount most_unsent{64ULL << 20};  // bytes not taken by a write yet
};

// What a connection speaks.
class Protocol {
 public:
  using Reply = MetaReply;
  using Session = memcached::Session;
  using Options = ClientOptions;
  using Events = ClientEvents;
  using Writer = MetaWriter;

  static constexpr std::string_view kName = "Memcached";
  static constexpr std::string_view kAnother = "has been lost since";

  explicit Protocol(const ClientOptions& options) : place_{options.place} {}

  [[nodiscard]] pipeline::Place place() const;
  [[nodiscard]] Handshake handshake() const { return Handshake{to_string(place_)}; }
  [[nodiscard]] pipeline::Outcome decode(std::string_view bytes, std::size_t& used);
  [[nodiscard]] MetaReply take() { return std::move(decoded_.reply); }
  [[nodiscard]] const std::string& error() const { return decoded_.error; }
  [[nodiscard]] static pipeline::Judgement judge(const MetaReply& reply);
  [[nodiscard]] static std::uint64_t id(const Session& session) { return session.number; }
  static void pushed(ClientEvents& /*events*/, const MetaReply& /*message*/) {}  // there are none

 private:
  Place place_;
  DecodedReply decoded_{};
};

}  // namespace larder::memcached

extern template class larder::pipeline::Connection<larder::memcached::Protocol>;
extern template class larder::pipeline::Client<larder::memcached::Protocol>;

namespace larder::memcached {

class Client final : public pipeline::Client<Protocol> {
 public:
  // Begins to connect. `events` may be null, and is kept alive no longer than the client.
  [[nodiscard]] static std::shared_ptr<Client> start(Runtime& runtime, ClientOptions options,
                                                     std::weak_ptr<ClientEvents> events);

  [[nodiscard]] const Place& place() const { return options().place; }

 private:
  using pipeline::Client<Protocol>::Client;
};

}  // namespace larder::memcached
