// What is asked of a Memcached server on each new connection: which version it is, and
// whether it can do what larder needs of it.
//
// Pure logic: no I/O. Threads: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "larder/error.hpp"
#include "memcached/meta_reply.hpp"
#include "pipeline/protocol.hpp"
#include "resp/output_buffer.hpp"

namespace larder::memcached {

struct Session {
  std::uint64_t number = 0;      // of the connection, which is one run of a server; each another
  std::string version{};         // of the server
  std::size_t largest_item = 0;  // bytes, all in all
};

class Handshake {
 public:
  // `place` is for messages.
  explicit Handshake(std::string place) : place_{std::move(place)} {}

  using Step = pipeline::Step;  // never kSend

  // All that is asked.
  static void write(resp::OutputBuffer& output);
  [[nodiscard]] Step take(const MetaReply& reply);

  [[nodiscard]] const Session& session() const { return session_; }  // once done
  [[nodiscard]] const Error& error() const { return error_; }        // once failed

 private:
  Step refuse(std::string why);
  void take_setting(std::string_view setting);

  std::string place_;
  Session session_{};
  bool cas_ = true;
  Error error_{};
};

}  // namespace larder::memcached
