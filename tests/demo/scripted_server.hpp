// A server of the Redis protocol that says what a test wants it to say, whatever
// bytes those are; on a port of its own, on a thread of its own.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "resp/command_decoder.hpp"

namespace larder::test {

class ScriptedServer {
 public:
  using Arguments = std::span<const std::string_view>;
  // What to send for a command; an empty string closes the connection. Called on
  // the server's thread, one command at a time.
  using Script = std::function<std::string(Arguments)>;

  explicit ScriptedServer(Script script) : script_{std::move(script)} {
    accept();
    thread_ = std::jthread{[this] { context_.run(); }};
  }
  ~ScriptedServer() { context_.stop(); }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  using Tcp = boost::asio::ip::tcp;

  struct Client {
    explicit Client(Tcp::socket connected) : socket{std::move(connected)} {}
    Tcp::socket socket;
    resp::CommandDecoder decoder;
    std::string received;
    std::array<char, 4096> buffer{};
  };

  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, Tcp::socket socket) {
      if (error) return;
      read(std::make_shared<Client>(std::move(socket)));
      accept();
    });
  }

  void read(const std::shared_ptr<Client>& client) {
    client->socket.async_read_some(
        boost::asio::buffer(client->buffer),
        [this, client](boost::system::error_code error, std::size_t size) {
          if (error) return;
          client->received.append(client->buffer.data(), size);
          if (answer(*client)) read(client);
        });
  }

  // False: the connection is to be closed.
  bool answer(Client& client) {
    using Outcome = resp::CommandDecoder::Outcome;
    for (;;) {
      const Outcome outcome = client.decoder.decode(client.received);
      if (outcome == Outcome::kError) return false;
      if (outcome == Outcome::kNeedMore) break;
      const std::string reply = script_(client.decoder.arguments());
      client.received.erase(0, client.decoder.consumed());
      boost::system::error_code error;
      boost::asio::write(client.socket, boost::asio::buffer(reply), error);
      if (reply.empty() || error) return false;
    }
    client.received.erase(0, client.decoder.consumed());
    return true;
  }

  Script script_;
  boost::asio::io_context context_{1};
  Tcp::acceptor acceptor_{context_, {boost::asio::ip::address_v4::loopback(), 0}};
  std::jthread thread_;
};

}  // namespace larder::test
