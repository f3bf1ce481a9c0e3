#include "postgres/postgres_proxy.hpp"

#include <utility>

namespace larder {

namespace asio = boost::asio;
using Error = boost::system::error_code;

namespace {

constexpr const char* kSocket = ".s.PGSQL.5432";

}  // namespace

void PostgresProxy::Pair::close() {
  Error ignored;
  client.close(ignored);
  server.close(ignored);
}

PostgresProxy::PostgresProxy(const std::filesystem::path& directory,
                             const std::filesystem::path& server)
    : server_{(server / kSocket).string()}, acceptor_{context_, {(directory / kSocket).string()}} {
  accept();
  thread_ = std::jthread{[this] { context_.run(); }};
}

PostgresProxy::~PostgresProxy() { context_.stop(); }

void PostgresProxy::swallow_next_answer() {
  asio::post(context_, asio::use_future([this] { swallow_ = true; })).get();
}

void PostgresProxy::cut() {
  asio::post(context_, asio::use_future([this] {
               for (const auto& each : std::exchange(pairs_, {})) {
                 if (const PairPtr pair = each.lock()) pair->close();
               }
             }))
      .get();
}

void PostgresProxy::accept() {
  auto pair = std::make_shared<Pair>(context_);
  acceptor_.async_accept(pair->client, [this, pair](const Error& error) {
    if (error) return;
    Error unreachable;
    pair->server.connect(server_, unreachable);
    if (!unreachable) {
      pairs_.push_back(pair);
      forward(pair);
      answer(pair);
    }
    accept();
  });
}

void PostgresProxy::forward(const PairPtr& pair) {
  pair->client.async_read_some(
      asio::buffer(pair->to_server), [this, pair](const Error& error, std::size_t count) {
        if (error) return pair->close();
        asio::async_write(pair->server, asio::buffer(pair->to_server, count),
                          [this, pair](const Error& failed, std::size_t) {
                            if (failed) return pair->close();
                            forward(pair);
                          });
      });
}

void PostgresProxy::answer(const PairPtr& pair) {
  pair->server.async_read_some(
      asio::buffer(pair->to_client), [this, pair](const Error& error, std::size_t count) {
        if (error || std::exchange(swallow_, false)) return pair->close();
        asio::async_write(pair->client, asio::buffer(pair->to_client, count),
                          [this, pair](const Error& failed, std::size_t) {
                            if (failed) return pair->close();
                            answer(pair);
                          });
      });
}

}  // namespace larder
