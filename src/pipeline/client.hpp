// A client of one server: one connection, on which the commands of all callers go out
// together, and which is made anew when it is lost. redis::Client and memcached::Client are
// such ones.
//
// What callers submit while a write is under way goes out with the next one, so many
// callers cost few system calls, and nobody waits for anybody's reply. The server carries
// commands out in the order in which submit() was called.
//
// While there is no connection, submit() refuses at once: whoever asks has somewhere else
// to go. Commands that were on their way when a connection broke end with its error, and
// are never sent again: whether they were carried out is not known.
//
// A server that leaves a command without an answer for its whole timeout, and says
// nothing else meanwhile, is given up as well.
//
// Protocol is what the server speaks, as protocol.hpp says.
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
#include "pipeline/connection.hpp"
#include "pipeline/request.hpp"
#include "resp/output_buffer.hpp"

namespace larder::pipeline {

// What happens to a client. Called one at a time, on its I/O thread.
template <class Session>
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
  std::size_t commands = 1;                // that are written
  std::optional<Duration> timeout{};       // none: the client's
  std::optional<std::uint64_t> session{};  // its id; refused on another
};

template <class Session>
struct ClientHealth {
  bool connected = false;
  Session session{};              // while connected
  std::string last_error{};       // empty: none yet
  std::uint64_t connections = 0;  // made since the start
  std::uint64_t commands = 0;     // submitted since the start
  std::uint64_t waiting = 0;      // without an answer now
};

template <class Protocol>
class Client : public Closable, public std::enable_shared_from_this<Client<Protocol>> {
 public:
  using Reply = typename Protocol::Reply;
  using Session = typename Protocol::Session;
  using Options = typename Protocol::Options;
  using Events = typename Protocol::Events;

  ~Client() override = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Has `write(Writer&)` write `submission.commands` commands, which are sent behind all
  // those before. None: `done` will be called, once. An error: it will not, and nothing is
  // sent: kSourceFailed (no connection, or another session), kOverloaded, kCancelled
  // (closed). `write` runs under a lock: short, and no call of the client.
  template <class Write>
  [[nodiscard]] std::optional<Error> submit(const Submission& submission, Write&& write,
                                            Done<Reply> done) LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    if (auto refused = refuse(submission)) return refused;
    typename Protocol::Writer writer{*unsent_};
    write(writer);
    remember(submission, std::move(done));
    return std::nullopt;
  }

  // Ends it: what waits gets kCancelled, on its I/O thread. Idempotent.
  void close() override LARDER_EXCLUDES(mutex_);

  [[nodiscard]] ClientHealth<Session> health() const LARDER_EXCLUDES(mutex_);
  [[nodiscard]] const Options& options() const { return options_; }

 protected:
  // `tls` is null for plain connections; `events` may be null, and is kept alive no longer
  // than the client.
  Client(Runtime& runtime, Options options, std::shared_ptr<const TlsContext> tls,
         std::weak_ptr<Events> events);
  // Begins to connect; a server that is not there yet is no error. Once.
  void begin(Runtime& runtime);

 private:
  // On the I/O thread.
  [[nodiscard]] static boost::asio::awaitable<void> run(std::shared_ptr<Client> self);
  [[nodiscard]] boost::asio::awaitable<Error> connect_and_serve();
  [[nodiscard]] bool refill(std::unique_ptr<resp::OutputBuffer>& bytes,
                            std::deque<Request<Reply>>& in_flight) LARDER_EXCLUDES(mutex_);
  void open_up(Session session) LARDER_EXCLUDES(mutex_);
  void shut(const Error& why) LARDER_EXCLUDES(mutex_);
  void pushed(const Reply& message);

  [[nodiscard]] std::optional<Error> refuse(const Submission& submission) const
      LARDER_REQUIRES(mutex_);
  void remember(const Submission& submission, Done<Reply> done) LARDER_REQUIRES(mutex_);
  [[nodiscard]] bool closed() const LARDER_EXCLUDES(mutex_);
  [[nodiscard]] bool was_connected() const LARDER_EXCLUDES(mutex_);

  const Options options_;
  const std::string name_;  // of the server's place
  const boost::asio::any_io_executor executor_;
  const std::shared_ptr<const TlsContext> tls_;
  const std::weak_ptr<Events> events_;

  // Of the I/O thread alone.
  std::shared_ptr<Connection<Protocol>> connection_;
  boost::asio::steady_timer* pause_ = nullptr;  // between two attempts
  Backoff backoff_;

  mutable Mutex mutex_;
  bool closed_ LARDER_GUARDED_BY(mutex_) = false;
  std::optional<Session> session_ LARDER_GUARDED_BY(mutex_);  // none: no connection
  std::unique_ptr<resp::OutputBuffer> unsent_ LARDER_GUARDED_BY(mutex_);
  std::deque<Request<Reply>> unsent_requests_ LARDER_GUARDED_BY(mutex_);
  bool flush_posted_ LARDER_GUARDED_BY(mutex_) = false;
  std::string last_error_ LARDER_GUARDED_BY(mutex_);
  std::uint64_t connections_ LARDER_GUARDED_BY(mutex_) = 0;
  std::uint64_t commands_ LARDER_GUARDED_BY(mutex_) = 0;
  std::atomic<std::size_t> waiting_{0};
};

}  // namespace larder::pipeline
