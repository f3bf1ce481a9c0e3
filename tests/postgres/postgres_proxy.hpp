// Stands between a client and a PostgreSQL, on Unix sockets, and cuts connections where a test
// says so.
//
// Threads: any.
#pragma once

#include <boost/asio.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace larder {

class PostgresProxy {
 public:
  // Listens in `directory` as a server with port 5432 would, for the one in `server`.
  PostgresProxy(const std::filesystem::path& directory, const std::filesystem::path& server);
  ~PostgresProxy();
  PostgresProxy(const PostgresProxy&) = delete;
  PostgresProxy& operator=(const PostgresProxy&) = delete;

  // What a server says next is dropped, and its connection cut, once. Other connections live.
  void swallow_next_answer();
  // Every connection is cut now. The server has what was sent before.
  void cut();

 private:
  using Socket = boost::asio::local::stream_protocol::socket;
  struct Pair {
    explicit Pair(boost::asio::io_context& context) : client{context}, server{context} {}
    void close();

    Socket client;
    Socket server;
    std::array<char, 16 * 1024> to_server{};
    std::array<char, 16 * 1024> to_client{};
  };
  using PairPtr = std::shared_ptr<Pair>;

  void accept();
  void forward(const PairPtr& pair);
  void answer(const PairPtr& pair);

  boost::asio::io_context context_;
  boost::asio::local::stream_protocol::endpoint server_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  bool swallow_ = false;  // this and what follows: of thread_
  std::vector<std::weak_ptr<Pair>> pairs_;
  std::jthread thread_;
};

}  // namespace larder
