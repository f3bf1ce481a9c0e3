// Sockets that clients connect to, TCP's and Unix ones.
//
// A Unix socket is a file. One that a process left behind when it died is taken
// over; one that somebody listens on, or a file of another kind, is left alone and
// is an error. Its permissions hold before the first client can connect.
//
// Threads: functions without state; a SocketFile belongs to one thread at a time.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <string>

#include "larder/error.hpp"
#include "server/descriptor.hpp"

namespace larder {

// The file of a Unix socket, which goes with this, unless another stands in its place.
class SocketFile {
 public:
  SocketFile() = default;  // none
  // REQUIRES: it is there.
  explicit SocketFile(std::string path);
  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&&) = delete;
  ~SocketFile() { remove(); }

  void remove();

 private:
  std::string path_;  // empty: none
  dev_t device_ = 0;
  ino_t number_ = 0;
};

struct ListeningSocket {
  Descriptor socket;       // listens, and does not block
  std::string shown;       // "127.0.0.1:6380", "unix:/run/larder/larder.sock"
  std::uint16_t port = 0;  // 0: of a Unix socket
  SocketFile file{};       // of a Unix socket
};

// Errors are kRefused, with the system's reason and the setting to look at.
//
// Port 0: any free one. Resolves a name, which may block.
[[nodiscard]] Result<ListeningSocket> listen_on_tcp(boost::asio::io_context& io,
                                                    const std::string& host, std::uint16_t port);
// `permissions` as chmod takes them.
[[nodiscard]] Result<ListeningSocket> listen_on_unix(const std::string& path, mode_t permissions);

}  // namespace larder
