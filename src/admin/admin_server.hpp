// The admin door: a small HTTP server for machines that watch larder.
//
// Answers GET and HEAD of the paths it was given; every other path is 404 with
// the list of them. With certificates it speaks TLS and nothing else. An AdminGuard says
// who may ask. Bounded: a request has 8 KiB of header and no
// body, a connection 10 seconds for each, and there are at most 64 connections.
//
// Threads: start() and the destructor by one thread, which is not an I/O thread.
// Pages are made on one of the runtime's I/O threads, and must not block.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "admin/admin_guard.hpp"
#include "larder/error.hpp"
#include "larder/runtime.hpp"
#include "tls/tls_context.hpp"

namespace larder {

struct AdminPage {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};
using AdminPages = std::map<std::string, std::function<AdminPage()>, std::less<>>;  // by path

class AdminServer {
 public:
  using Certificates = std::shared_ptr<TlsCertificates>;  // null: no TLS

  // kRefused: the address cannot be listened on, with the system's reason.
  [[nodiscard]] static Result<std::unique_ptr<AdminServer>> start(
      Runtime& runtime, const std::string& host, std::uint16_t port, AdminPages pages,
      AdminGuard guard = AdminGuard{}, Certificates certificates = {});
  // Accepts no more. What the pages refer to must live until then.
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const { return endpoint_; }

 private:
  class Door;

  AdminServer(std::shared_ptr<Door> door, boost::asio::ip::tcp::endpoint endpoint);

  std::shared_ptr<Door> door_;  // shared with operations that may end later
  boost::asio::ip::tcp::endpoint endpoint_;
};

}  // namespace larder
