// Stands between a client on TCP and a PostgreSQL on a Unix socket, and, where a test says so,
// takes nothing from its clients for a while, as a network that is cut: what they send then stays
// with their own system, which tries on.
//
// Threads: any.
#pragma once

#include <array>
#include <boost/asio.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace larder {

class StalledNetwork {
 public:
  // For the server with port 5432 in `server`.
  explicit StalledNetwork(const std::filesystem::path& server)
      : server_{(server / ".s.PGSQL.5432").string()}, acceptor_{context_} {
    const Tcp::endpoint anywhere{boost::asio::ip::address_v4::loopback(), 0};
    acceptor_.open(anywhere.protocol());
    acceptor_.set_option(Tcp::socket::receive_buffer_size{4096});  // of those it accepts
    acceptor_.bind(anywhere);
    acceptor_.listen();
    accept();
    thread_ = std::jthread{[this] { context_.run(); }};
  }
  ~StalledNetwork() { context_.stop(); }
  StalledNetwork(const StalledNetwork&) = delete;
  StalledNetwork& operator=(const StalledNetwork&) = delete;

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  void stall() {
    boost::asio::post(context_, boost::asio::use_future([this] { stalled_ = true; })).get();
  }
  void go_on() {
    boost::asio::post(context_, boost::asio::use_future([this] {
                        stalled_ = false;
                        for (const PairPtr& pair : std::exchange(waiting_, {})) forward(pair);
                      }))
        .get();
  }

 private:
  using Tcp = boost::asio::ip::tcp;
  using Error = boost::system::error_code;
  struct Pair {
    explicit Pair(boost::asio::io_context& context) : client{context}, server{context} {}
    void close() {
      Error ignored;
      client.close(ignored);
      server.close(ignored);
    }

    Tcp::socket client;
    boost::asio::local::stream_protocol::socket server;
    std::array<char, 4096> to_server{};
    std::array<char, 4096> to_client{};
  };
  using PairPtr = std::shared_ptr<Pair>;

  void accept() {
    auto pair = std::make_shared<Pair>(context_);
    acceptor_.async_accept(pair->client, [this, pair](const Error& error) {
      if (error) return;
      Error unreachable;
      pair->server.connect(server_, unreachable);
      if (!unreachable) {
        forward(pair);
        answer(pair);
      }
      accept();
    });
  }
  void forward(const PairPtr& pair) {
    if (stalled_) return waiting_.push_back(pair);
    pair->client.async_read_some(
        boost::asio::buffer(pair->to_server), [this, pair](const Error& error, std::size_t count) {
          if (error) return pair->close();
          boost::asio::async_write(pair->server, boost::asio::buffer(pair->to_server, count),
                                   [this, pair](const Error& failed, std::size_t) {
                                     if (failed) return pair->close();
                                     forward(pair);
                                   });
        });
  }
  void answer(const PairPtr& pair) {
    pair->server.async_read_some(
        boost::asio::buffer(pair->to_client), [this, pair](const Error& error, std::size_t count) {
          if (error) return pair->close();
          boost::asio::async_write(pair->client, boost::asio::buffer(pair->to_client, count),
                                   [this, pair](const Error& failed, std::size_t) {
                                     if (failed) return pair->close();
                                     answer(pair);
                                   });
        });
  }

  boost::asio::io_context context_;
  boost::asio::local::stream_protocol::endpoint server_;
  Tcp::acceptor acceptor_;
  bool stalled_ = false;  // this and what follows: of thread_
  std::vector<PairPtr> waiting_;
  std::jthread thread_;
};

}  // namespace larder
