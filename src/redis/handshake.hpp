// What a client says to a Redis or Valkey server before its first command: protocol,
// login, database; and what it must know of it: its run and its role.
//
//   Handshake handshake{url};
//   send(handshake.command());
//   while (handshake.take(reply) == Step::kSend) send(handshake.command());
//
// RESP3 where the server has it, else RESP2. Of a server that holds data a replica is refused: its
// copies may be older than what its master was told. So is a server that does not say which run it
// is, or that is still loading.
//
// Pure logic: no I/O. Threads: none of its own and no lock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "larder/error.hpp"
#include "pipeline/protocol.hpp"
#include "redis/redis_url.hpp"
#include "resp/output_buffer.hpp"
#include "resp/reply_decoder.hpp"

namespace larder::redis {

// What is known of a server once the handshake is done.
struct Session {
  // Another after each start of the server, and after each time that a replica became the
  // master: a hash of its run_id and of the history that it took over.
  std::uint64_t run = 0;
  std::string version;  // "7.0.15"; as it says
  bool resp3 = false;
  // It tells when a key changes that was read right behind CLIENT CACHING YES.
  bool tracking = false;
};

// Whom to expect. Others are refused, with a sentence that says so.
enum class Expect : std::uint8_t {
  kMaster,         // a server by itself
  kClusterMaster,  // a master that is part of a cluster
  kGuide,          // whoever tells where the masters are: any node, or a sentinel
};

class Handshake {
 public:
  using Step = pipeline::Step;  // kSend: command() is to be sent

  explicit Handshake(const RedisUrl& url, Expect expect = Expect::kMaster);

  [[nodiscard]] std::vector<std::string_view> command() const;
  void write(resp::OutputBuffer& output) const;
  [[nodiscard]] Step take(const resp::Reply& reply);

  [[nodiscard]] const Session& session() const { return session_; }
  // For people, without a secret; names the server's place.
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  enum class Stage : std::uint8_t { kHello, kAuth, kSelect, kServer, kReplication, kTracking };

  [[nodiscard]] Step refused(std::string_view reply);
  [[nodiscard]] Step fail_with(std::string why);
  [[nodiscard]] Step go_on(Stage stage);
  [[nodiscard]] Step logged_in();
  [[nodiscard]] Step take_server(const resp::Reply& reply);
  [[nodiscard]] Step take_replication(const resp::Reply& reply);

  RedisUrl url_;
  Expect expect_;
  std::string database_;
  std::string run_id_;
  Stage stage_ = Stage::kHello;
  Session session_;
  Error error_{};
};

}  // namespace larder::redis
