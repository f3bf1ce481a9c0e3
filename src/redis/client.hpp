// A client of one Redis or Valkey server, as pipeline/client.hpp says.
//
//   auto client = Client::start(runtime, {.url = url}, events);
//   client->submit({.commands = 1}, [&](RequestWriter& write) { write.command({"GET", key}); },
//                  [](Result<Replies> replies) { … });
//
// A server that turns out to be a replica is given up. A submission's session is the server's run.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/backoff.hpp"
#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "larder/runtime.hpp"
#include "larder/units.hpp"
#include "pipeline/client.hpp"
#include "redis/handshake.hpp"
#include "redis/redis_url.hpp"
#include "resp/reply_decoder.hpp"
#include "resp/request_writer.hpp"

namespace larder::redis {

using Replies = std::vector<resp::Reply>;
using Done = pipeline::Done<resp::Reply>;
using ClientHealth = pipeline::ClientHealth<Session>;
using pipeline::Submission;

struct ClientOptions {
  RedisUrl url{};
  Expect expect = Expect::kMaster;
  // Behaviour.
  // Of a command that names no other; more for those in front of it, see pipeline::patience().
  Duration timeout = std::chrono::milliseconds{250};
  Duration connect_timeout = std::chrono::seconds{2};
  BackoffOptions backoff{};  // between attempts to connect
  // Limits; what is more is refused with kOverloaded.
  std::size_t most_commands = 65'536;  // without an answer yet
  ByteCount most_unsent{64ULL << 20};  // bytes not taken by a write yet
};

// What happens to a client. Called one at a time, on its I/O thread.
class ClientEvents : public pipeline::ClientEvents<Session> {
 public:
  // RESP3 alone: a key that was read right behind CLIENT CACHING YES has changed since; none:
  // any may have.
  virtual void changed(std::optional<std::string_view> key) = 0;
  // RESP3 alone: a message on a channel that was subscribed to with SSUBSCRIBE; and the end of
  // such a subscription, because the channel's slot is another server's now.
  virtual void published(std::string_view /*channel*/, std::string_view /*message*/) {}
  virtual void unsubscribed(std::string_view /*channel*/) {}
};

// What a connection speaks.
class Protocol {
 public:
  using Reply = resp::Reply;
  using Session = redis::Session;
  using Options = ClientOptions;
  using Events = ClientEvents;
  using Writer = resp::RequestWriter;

  static constexpr std::string_view kName = "Redis";
  static constexpr std::string_view kAnother = "has been restarted since";

  explicit Protocol(const ClientOptions& options) : url_{options.url}, expect_{options.expect} {}

  [[nodiscard]] pipeline::Place place() const;
  [[nodiscard]] Handshake handshake() const { return Handshake{url_, expect_}; }
  [[nodiscard]] pipeline::Outcome decode(std::string_view bytes, std::size_t& used);
  [[nodiscard]] resp::Reply take() { return std::move(reply_); }
  [[nodiscard]] const std::string& error() const { return decoder_.error(); }
  [[nodiscard]] static pipeline::Judgement judge(const resp::Reply& reply);
  [[nodiscard]] std::string of_tls() const;
  [[nodiscard]] static std::uint64_t id(const Session& session) { return session.run; }
  static void pushed(ClientEvents& events, const resp::Reply& message);

 private:
  RedisUrl url_;
  Expect expect_;
  resp::ReplyDecoder decoder_;
  resp::Reply reply_{};  // the last one that was decoded
};

}  // namespace larder::redis

extern template class larder::pipeline::Connection<larder::redis::Protocol>;
extern template class larder::pipeline::Client<larder::redis::Protocol>;

namespace larder::redis {

class Client final : public pipeline::Client<Protocol> {
 public:
  // Begins to connect. Errors: kInvalidArgument for PEM files that cannot be read.
  // `events` may be null, and is kept alive no longer than the client.
  [[nodiscard]] static Result<std::shared_ptr<Client>> start(Runtime& runtime,
                                                             ClientOptions options,
                                                             std::weak_ptr<ClientEvents> events);

  [[nodiscard]] const RedisUrl& url() const { return options().url; }

 private:
  using pipeline::Client<Protocol>::Client;
};

}  // namespace larder::redis
