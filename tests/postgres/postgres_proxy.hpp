// Stands between a client and a PostgreSQL, on Unix sockets, and cuts connections, or holds
// answers back, where a test says so.
//
// Threads: any.
#pragma once

#include <array>
#include <boost/asio.hpp>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
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
  // From now on nothing that the server says is passed on, on the connections that there are;
  // and what their clients have the server execute is counted from 0, after release() as well.
  // REQUIRES: they are idle.
  void hold_answers();
  // Waits until so many statements were to be executed since then; false: not within a minute.
  [[nodiscard]] bool executed(std::size_t count);
  // What was held is passed on, and what comes. How many were to be executed up to now.
  std::size_t release();
  // Every connection is cut now, and the server does not come to know of it before it answers. It
  // has what was sent before.
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
    bool is_cut = false;
    bool holds = false;
    bool counts = false;
    std::string asked{};  // since it counts, from the message on that is not whole yet
    std::string held{};
  };
  using PairPtr = std::shared_ptr<Pair>;

  void accept();
  void forward(const PairPtr& pair);
  void answer(const PairPtr& pair);
  void count(Pair& pair, std::size_t bytes);

  boost::asio::io_context context_;
  boost::asio::local::stream_protocol::endpoint server_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  bool swallow_ = false;  // this and what follows: of thread_
  std::vector<std::weak_ptr<Pair>> pairs_;
  std::mutex mutex_;
  std::condition_variable more_;
  std::size_t executed_ = 0;  // guarded by mutex_
  std::jthread thread_;
};

}  // namespace larder
