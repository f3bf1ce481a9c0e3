// A client of one Memcached server: one connection, on which the commands of all callers go
// out together, and which is made anew when it is lost. It behaves as redis::Client does.
//
//   auto client = Client::start(runtime, {.place = place}, events);
//   client->submit({.commands = 1}, [&](MetaWriter& write) { write.get(key); },
//                  [](Result<Replies> replies) { … });
//
// The server carries commands out in the order in which submit() was called. While there is
// no connection, submit() refuses at once. Commands that were on their way when a connection
// broke end with its error, and are never sent again: whether they were carried out is not
// known. A server that leaves a command without an answer for its whole timeout, and says
// nothing else meanwhile, is given up as well.
//
// Threads: any thread may call any member; events and replies come on one I/O thread of
// the runtime, never inside a call. Lifetime: close() or the destructor end it; the runtime
// may end before it.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/backoff.hpp"
#include "larder/clock.hpp"
#include "larder/closable.hpp"
#include "larder/error.hpp"
#include "larder/runtime.hpp"
#include "larder/thread_annotations.hpp"
#include "larder/units.hpp"
#include "memcached/connection.hpp"
#include "memcached/handshake.hpp"
#include "memcached/memcached_url.hpp"
#include "memcached/meta_writer.hpp"
#include "memcached/request.hpp"
#include "resp/output_buffer.hpp"

namespace larder::memcached {

struct ClientOptions {
  Place place{};
  // Behaviour.
  Duration timeout = std::chrono::milliseconds{250};  // of a command that names no other
  Duration connect_timeout = std::chrono::seconds{2};
  BackoffOptions backoff{};  // between attempts to connect
  // Limits; what is more is refused with kOverloaded.
  std::size_t most_commands = 65'536;  // without an answer yet
  ByteCount most_unsent{64ULL << 20};  // bytes not taken by a write yet
};

// What happens to a client. Called one at a time, on its I/O thread.
class ClientEvents {
 public:
  virtual ~ClientEvents() = default;

  // It has a connection. What is submitted here goes before all that others submit
  // after they could know of it.
  virtual void connected(const Session& session) = 0;
  // The connection is lost, and all that was on its way has ended with that error; or
  // an attempt to connect failed.
  virtual void disconnected(const Error& why) = 0;
};

// Of one submit().
struct Submission {
  std::size_t commands = 1;                   // that are written
  std::optional<Duration> timeout{};          // none: the client's
  std::optional<std::uint64_t> connection{};  // its number; refused on another
};

struct ClientHealth {
  bool connected = false;
  Session session{};              // while connected
  std::string last_error{};       // empty: none yet
  std::uint64_t connections = 0;  // made since the start
  std::uint64_t commands = 0;     // submitted since the start
  std::uint64_t waiting = 0;      // without an answer now
};

class Client final : public Closable, public std::enable_shared_from_this<Client> {
 public:
  // Begins to connect; a server that is not there yet is no error. `events` may be null,
  // and is kept alive no longer than the client.
  [[nodiscard]] static std::shared_ptr<Client> start(Runtime& runtime, ClientOptions options,
                                                     std::weak_ptr<ClientEvents> events);
  ~Client() override = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Has `write(MetaWriter&)` write `submission.commands` commands, which are sent behind
  // all those before. None: `done` will be called, once. An error: it will not, and
  // nothing is sent: kSourceFailed (no connection, or another), kOverloaded, kCancelled
  // (closed). `write` runs under a lock: short, and no call of the client.
  template <class Write>
  [[nodiscard]] std::optional<Error> submit(const Submission& submission, Write&& write, Done done)
      LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    if (auto refused = refuse(submission)) return refused;
    MetaWriter writer{*unsent_};
    write(writer);
    remember(submission, std::move(done));
    return std::nullopt;
  }

  // Ends it: what waits gets kCancelled, on its I/O thread. Idempotent.
  void close() override LARDER_EXCLUDES(mutex_);

  [[nodiscard]] ClientHealth health() const LARDER_EXCLUDES(mutex_);
  [[nodiscard]] const Place& place() const { return options_.place; }

 private:
  Client(Runtime& runtime, ClientOptions options, std::weak_ptr<ClientEvents> events);

  // On the I/O thread.
  [[nodiscard]] static boost::asio::awaitable<void> run(std::shared_ptr<Client> self);
  [[nodiscard]] boost::asio::awaitable<Error> connect_and_serve();
  [[nodiscard]] bool refill(std::unique_ptr<resp::OutputBuffer>& bytes,
                            std::deque<Request>& in_flight) LARDER_EXCLUDES(mutex_);
  void open_up(Session session) LARDER_EXCLUDES(mutex_);
  void shut(const Error& why) LARDER_EXCLUDES(mutex_);

  [[nodiscard]] std::optional<Error> refuse(const Submission& submission) const
      LARDER_REQUIRES(mutex_);
  void remember(const Submission& submission, Done done) LARDER_REQUIRES(mutex_);
  [[nodiscard]] bool closed() const LARDER_EXCLUDES(mutex_);

  const ClientOptions options_;
  const boost::asio::any_io_executor executor_;
  const std::weak_ptr<ClientEvents> events_;

  // Of the I/O thread alone.
  std::shared_ptr<Connection> connection_;
  boost::asio::steady_timer* pause_ = nullptr;  // between two attempts
  Backoff backoff_;

  mutable Mutex mutex_;
  bool closed_ LARDER_GUARDED_BY(mutex_) = false;
  std::optional<Session> session_ LARDER_GUARDED_BY(mutex_);  // none: no connection
  std::unique_ptr<resp::OutputBuffer> unsent_ LARDER_GUARDED_BY(mutex_);
  std::deque<Request> unsent_requests_ LARDER_GUARDED_BY(mutex_);
  bool flush_posted_ LARDER_GUARDED_BY(mutex_) = false;
  std::string last_error_ LARDER_GUARDED_BY(mutex_);
  std::uint64_t connections_ LARDER_GUARDED_BY(mutex_) = 0;
  std::uint64_t commands_ LARDER_GUARDED_BY(mutex_) = 0;
  std::atomic<std::size_t> waiting_{0};
};

}  // namespace larder::memcached
