// A Memcached of which a test says how it answers some of its commands; the others a real one
// answers. On a port of its own, on a thread of its own.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "memcached/memcached_server.hpp"
#include "memcached/meta_reply.hpp"

namespace larder::test {

class ScriptedMemcached {
 public:
  // What to answer a command, of which it is given the line without its end; none: what the
  // real one answers. Called on the server's thread, one command at a time.
  using Script = std::function<std::optional<std::string>(std::string_view line)>;

  ScriptedMemcached(const MemcachedServer& real, Script script)
      : real_{boost::asio::ip::address_v4::loopback(), real.port()}, script_{std::move(script)} {
    accept();
    thread_ = std::jthread{[this] { context_.run(); }};
  }
  ~ScriptedMemcached() { context_.stop(); }
  ScriptedMemcached(const ScriptedMemcached&) = delete;
  ScriptedMemcached& operator=(const ScriptedMemcached&) = delete;

  [[nodiscard]] std::string url() const {
    return "memcached://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }

 private:
  using Tcp = boost::asio::ip::tcp;

  struct Client {
    Client(Tcp::socket connected, boost::asio::io_context& context)
        : socket{std::move(connected)}, real{context} {}
    Tcp::socket socket;
    Tcp::socket real;
    std::string received;
    std::array<char, 4096> buffer{};
  };

  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, Tcp::socket socket) {
      if (error) return;
      const auto client = std::make_shared<Client>(std::move(socket), context_);
      client->real.connect(real_, error);
      if (!error) read(client);
      accept();
    });
  }

  void read(const std::shared_ptr<Client>& client) {
    client->socket.async_read_some(
        boost::asio::buffer(client->buffer),
        [this, client](boost::system::error_code error, std::size_t size) {
          if (error) return;
          client->received.append(client->buffer.data(), size);
          if (answer_all(*client)) read(client);
        });
  }

  // False: the connection is to be closed.
  bool answer_all(Client& client) {
    for (;;) {
      const std::size_t end = client.received.find("\r\n");
      if (end == std::string::npos) return true;
      const std::string line = client.received.substr(0, end);
      const std::size_t whole = end + 2 + value_behind(line);
      if (client.received.size() < whole) return true;
      std::optional<std::string> reply = script_(line);
      if (!reply) reply = ask_real(client, client.received.substr(0, whole));
      client.received.erase(0, whole);
      boost::system::error_code error;
      boost::asio::write(client.socket, boost::asio::buffer(*reply), error);
      if (error) return false;
    }
  }

  // How many bytes are the value of "ms KEY SIZE …" and its end.
  static std::size_t value_behind(std::string_view line) {
    if (!line.starts_with("ms ")) return 0;
    line.remove_prefix(line.find(' ', 3) + 1);
    std::size_t size = 0;
    std::from_chars(line.data(), line.data() + line.size(), size);
    return size + 2;
  }

  static std::string ask_real(Client& client, const std::string& command) {
    using Kind = memcached::MetaReply::Kind;
    boost::system::error_code error;
    boost::asio::write(client.real, boost::asio::buffer(command), error);
    std::string said;
    for (std::size_t seen = 0; !error;) {
      const auto next = memcached::decode_reply(std::string_view{said}.substr(seen));
      seen += next.consumed;
      if (next.outcome == memcached::DecodedReply::Outcome::kError) break;
      if (next.outcome == memcached::DecodedReply::Outcome::kReply) {
        if (next.reply.kind == Kind::kStat) continue;  // and more, until the end
        break;
      }
      std::array<char, 4096> room{};
      said.append(room.data(), client.real.read_some(boost::asio::buffer(room), error));
    }
    return said;
  }

  const Tcp::endpoint real_;
  const Script script_;
  boost::asio::io_context context_{1};
  Tcp::acceptor acceptor_{context_, {boost::asio::ip::address_v4::loopback(), 0}};
  std::jthread thread_;
};

}  // namespace larder::test
