#include "admin/admin_server.hpp"

#include <openssl/ssl.h>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <future>
#include <new>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "larder/version.hpp"

namespace larder {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::uint32_t kHeaderLimit = 8192;   // bytes
constexpr std::chrono::seconds kPatience{10};  // for one request or one response
constexpr unsigned kMostConnections = 64;
constexpr std::chrono::milliseconds kRetry{100};  // after a failed accept

}  // namespace

// What listens, and what its connections share. Confined to one I/O thread.
class AdminServer::Door : public std::enable_shared_from_this<Door> {
 public:
  Door(tcp::acceptor acceptor, AdminPages pages, AdminGuard guard, Certificates certificates)
      : acceptor_{std::move(acceptor)},
        retry_{acceptor_.get_executor()},
        pages_{std::move(pages)},
        guard_{std::move(guard)},
        certificates_{std::move(certificates)} {}

  void accept() {
    acceptor_.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
      self->accepted(error, std::move(socket));
    });
  }

  void close() {
    error_code ignored;
    acceptor_.close(ignored);
    retry_.cancel();
    pages_.clear();
  }

  [[nodiscard]] tcp::acceptor::executor_type executor() { return acceptor_.get_executor(); }

  [[nodiscard]] AdminPage page(http::verb method, std::string_view target) const {
    if (method != http::verb::get && method != http::verb::head) {
      return {.status = 405, .body = "only GET and HEAD are answered here\n"};
    }
    const auto found = pages_.find(target.substr(0, target.find('?')));
    if (found != pages_.end()) return found->second();
    AdminPage missing{.status = 404, .body = "there is no such page; there are:\n"};
    for (const auto& [path, make] : pages_) missing.body += path + "\n";
    return missing;
  }

  class Connection;

 private:
  void accepted(error_code error, tcp::socket socket);

  friend class Connection;
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  AdminPages pages_;
  const AdminGuard guard_;
  const Certificates certificates_;
  unsigned connections_ = 0;
};

// One client: a request, its response, and so on until it goes or idles.
class AdminServer::Door::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Door> door, tcp::socket socket)
      : door_{std::move(door)}, stream_{std::in_place_type<Plain>, std::move(socket)} {
    ++door_->connections_;
    if (!door_->certificates_) return;
    context_ = door_->certificates_->current();
    SSL* const ssl = SSL_new(context_->native());
    if (ssl == nullptr) throw std::bad_alloc{};
    Plain plain = std::move(std::get<Plain>(stream_));
    stream_.emplace<Encrypted>(std::move(plain), ssl);  // which frees it
  }
  ~Connection() { --door_->connections_; }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start() {
    auto* const encrypted = std::get_if<Encrypted>(&stream_);
    if (encrypted == nullptr) return read();
    plain().expires_after(kPatience);
    encrypted->async_handshake(asio::ssl::stream_base::server,
                               [self = shared_from_this()](error_code error) {
                                 if (!error) self->read();
                               });
  }

 private:
  using Plain = beast::tcp_stream;
  using Encrypted = asio::ssl::stream<Plain>;

  // The connection below TLS, if there is TLS.
  [[nodiscard]] Plain& plain() {
    auto* const encrypted = std::get_if<Encrypted>(&stream_);
    return encrypted != nullptr ? encrypted->next_layer() : std::get<Plain>(stream_);
  }

  void read() {
    parser_.emplace();
    parser_->header_limit(kHeaderLimit);
    parser_->body_limit(0);
    plain().expires_after(kPatience);
    std::visit(
        [&](auto& stream) {
          http::async_read(stream, buffer_, *parser_,
                           [self = shared_from_this()](error_code error, std::size_t) {
                             if (!error) return self->respond();
                             if (error != http::error::end_of_stream) self->refuse(error);
                           });
        },
        stream_);
  }

  void respond() {
    const auto& request = parser_->get();
    const std::string_view target = request.target();
    if (!door_->guard_.takes_host(request[http::field::host])) {
      return send({.status = 421,
                   .body = "the name in Host is not one of this server's; call it by its IP "
                           "address, or add the name to server.admin_hosts\n"},
                  request.version(), false, false);
    }
    if (!door_->guard_.asks(target.substr(0, target.find('?')))) return show();

    plain().expires_never();  // the password is not the client's to hurry
    error_code ignored;
    door_->guard_.let_in(
        request[http::field::authorization], plain().socket().remote_endpoint(ignored).address(),
        [self = shared_from_this()](const Login& login) mutable {
          // Moved, not copied: the connection must not end on the thread that checked.
          const auto executor = self->door_->executor();
          asio::post(executor, [self = std::move(self), login] { self->judge(login); });
        });
  }

  void judge(const Login& login) {
    const auto& request = parser_->get();
    const auto refuse_with = [&](AdminPage page) {
      send(std::move(page), request.version(), request.keep_alive(), false);
    };
    switch (login.outcome) {
      case Login::Outcome::kAccepted: return show();
      case Login::Outcome::kRejected:
        return refuse_with({.status = 401, .body = "a user and a password are needed\n"});
      case Login::Outcome::kLimited:
        return refuse_with({.status = 429, .body = "too many failed logins from this address\n"});
      case Login::Outcome::kBusy:
        return refuse_with({.status = 503, .body = "too many passwords are being checked\n"});
    }
  }

  void show() {
    const auto& request = parser_->get();
    AdminPage page = door_->page(request.method(), request.target());
    send(std::move(page), request.version(), request.keep_alive(),
         request.method() == http::verb::head);
  }

  // A request that is none: says so, if the client still listens, and closes.
  void refuse(error_code error) {
    if (error == beast::error::timeout || error == asio::error::operation_aborted) return;
    send({.status = 400, .body = "malformed request: " + error.message() + "\n"}, 11, false, false);
  }

  void send(AdminPage page, unsigned version, bool keep, bool head) {
    response_ = {};
    response_.version(version);
    response_.result(page.status);
    response_.set(http::field::server, "larder/" + std::string{kVersion});
    response_.set(http::field::content_type, page.content_type);
    response_.set(http::field::cache_control, "no-store");
    response_.set("X-Content-Type-Options", "nosniff");
    if (page.status == 401) {
      response_.set(http::field::www_authenticate, R"(Basic realm="larder", charset="UTF-8")");
    }
    response_.keep_alive(keep);
    response_.content_length(page.body.size());
    if (!head) response_.body() = std::move(page.body);
    plain().expires_after(kPatience);
    std::visit(
        [&](auto& stream) {
          http::async_write(stream, response_,
                            [self = shared_from_this()](error_code error, std::size_t) {
                              if (error) return;
                              self->response_.keep_alive() ? self->read() : self->close();
                            });
        },
        stream_);
  }

  // Says that nothing more comes; of TLS, so that a reply that was cut off is told from it.
  void close() {
    const auto shut = [self = shared_from_this()](error_code) {
      error_code ignored;
      self->plain().socket().shutdown(tcp::socket::shutdown_send, ignored);
    };
    auto* const encrypted = std::get_if<Encrypted>(&stream_);
    if (encrypted == nullptr) return shut({});
    plain().expires_after(kPatience);
    encrypted->async_shutdown(shut);
  }

  const std::shared_ptr<Door> door_;
  std::shared_ptr<const TlsContext> context_;  // what TLS was begun with
  std::variant<Plain, Encrypted> stream_;
  beast::flat_buffer buffer_{kHeaderLimit};
  std::optional<http::request_parser<http::empty_body>> parser_;
  http::response<http::string_body> response_;
};

void AdminServer::Door::accepted(error_code error, tcp::socket socket) {
  if (!acceptor_.is_open()) return;
  if (error) {
    retry_.expires_after(kRetry);
    retry_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled && self->acceptor_.is_open()) self->accept();
    });
    return;
  }
  if (connections_ < kMostConnections) {
    std::make_shared<Connection>(shared_from_this(), std::move(socket))->start();
  }
  accept();
}

Result<std::unique_ptr<AdminServer>> AdminServer::start(Runtime& runtime, const std::string& host,
                                                        std::uint16_t port, AdminPages pages,
                                                        AdminGuard guard,
                                                        Certificates certificates) {
  error_code error;
  tcp::acceptor acceptor{runtime.io(0)};
  const auto found = tcp::resolver{runtime.io(0)}.resolve(host, std::to_string(port), error);
  if (!error) {
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  }
  if (error) {
    return fail(Errc::kRefused, "cannot listen on " + host + ":" + std::to_string(port) + ": " +
                                    error.message() + "; see server.admin");
  }
  const tcp::endpoint endpoint = acceptor.local_endpoint();
  auto door = std::make_shared<Door>(std::move(acceptor), std::move(pages), std::move(guard),
                                     std::move(certificates));
  asio::post(runtime.io(0), [door] { door->accept(); });
  return std::unique_ptr<AdminServer>{new AdminServer{std::move(door), endpoint}};
}

AdminServer::AdminServer(std::shared_ptr<Door> door, tcp::endpoint endpoint)
    : door_{std::move(door)}, endpoint_{std::move(endpoint)} {}

AdminServer::~AdminServer() {
  // Waits until no page is being made, and none will be.
  std::promise<void> closed;
  asio::post(door_->executor(), [&] {
    door_->close();
    closed.set_value();
  });
  closed.get_future().wait();
}

}  // namespace larder
