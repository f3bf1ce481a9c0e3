// The RESP door: listens, and serves a keyspace to Redis clients.
//
// Threads: start(), shut_down() and the destructor by one thread, which is not an
// I/O thread. The Runtime, which accepts and keeps time, and the Keyspace must
// outlive the server.
#pragma once

#include <spdlog/logger.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "access/authenticator.hpp"
#include "cache/keyspace.hpp"
#include "config/shown.hpp"
#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "larder/runtime.hpp"
#include "server/admission.hpp"
#include "server/limits.hpp"
#include "server/listening_socket.hpp"
#include "server/server_state.hpp"
#include "tls/tls_context.hpp"

namespace larder {

class Listener;
class Shedder;
class Worker;

struct ServerOptions {
  std::string host = "127.0.0.1";  // empty: no TCP
  std::uint16_t port = 6380;       // 0: any free one
  std::string unix_socket{};       // the path; empty: none
  mode_t unix_permissions = 0600;
  std::string config_file{};             // as INFO shows it
  std::vector<ShownSetting> settings{};  // as CONFIG GET shows them
  unsigned threads = 0;                  // that serve clients; 0: one a core
  AdmissionLimits admission{};
  Limits limits{};
  std::shared_ptr<Authenticator> authenticator{};   // null: whoever connects may do everything
  std::shared_ptr<TlsCertificates> certificates{};  // null: no TLS; never on the Unix socket
  StartReload start_reload{};                       // what LARDER RELOAD does; empty: refuses
};

class Server {
 public:
  // Listens and serves, on threads of its own. kRefused: the address cannot be
  // listened on, or the system has no more descriptors, with the system's reason.
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(Runtime& runtime, Keyspace& keyspace,
                                                             const ServerOptions& options,
                                                             std::shared_ptr<spdlog::logger> log);
  // Closes everything at once, unless shut_down() did.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Stops accepting, answers what was asked, and closes; what takes longer than
  // `patience` is cut off. Returns when all is closed: true if nothing was cut off.
  bool shut_down(Duration patience);

  // Puts other limits in force, and does `swap`, while no command is carried out: what
  // that replaces (caches, users) changes for all clients in one step. Returns when
  // every thread has taken notice, and none holds what was before. One thread at a
  // time, which is not an I/O thread.
  void change(const Limits& limits, AdmissionLimits admission, const std::function<void()>& swap);

  // Where it listens, as people have it; and the TCP port, 0 without one.
  [[nodiscard]] const std::vector<std::string>& addresses() const { return addresses_; }
  [[nodiscard]] std::uint16_t port() const { return state_->identity().port; }
  // What CONFIG GET shows from now on. Any thread.
  void show_settings(std::shared_ptr<const std::vector<ShownSetting>> settings) {
    state_->show_settings(std::move(settings));
  }
  [[nodiscard]] const ServerState& state() const { return *state_; }

 private:
  Server(Runtime& runtime, Keyspace& keyspace, const ServerOptions& options,
         std::vector<ListeningSocket> sockets, std::shared_ptr<spdlog::logger> log);

  std::vector<std::string> addresses_;
  std::vector<SocketFile> files_;
  // Shared with operations that may end after the server.
  const std::shared_ptr<ServerState> state_;
  std::vector<std::shared_ptr<Worker>> workers_;  // one a thread
  const std::shared_ptr<Admission> admission_;
  std::shared_ptr<Listener> listener_;
  std::shared_ptr<Shedder> shedder_;
  bool down_ = false;
};

}  // namespace larder
