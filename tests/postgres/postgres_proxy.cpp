#include "postgres/postgres_proxy.hpp"

#include <chrono>
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

void PostgresProxy::hold_answers() {
  {
    const std::scoped_lock lock{mutex_};
    executed_ = 0;
  }
  asio::post(context_, asio::use_future([this] {
               for (const auto& each : pairs_) {
                 if (const PairPtr pair = each.lock()) pair->holds = pair->counts = true;
               }
             }))
      .get();
}

bool PostgresProxy::executed(std::size_t count) {
  std::unique_lock lock{mutex_};
  return more_.wait_for(lock, std::chrono::minutes{1}, [&] { return executed_ >= count; });
}

std::size_t PostgresProxy::release() {
  asio::post(context_, asio::use_future([this] {
               for (const auto& each : pairs_) {
                 const PairPtr pair = each.lock();
                 if (!pair || !std::exchange(pair->holds, false)) continue;
                 asio::write(pair->client, asio::buffer(std::exchange(pair->held, {})));
               }
             }))
      .get();
  const std::scoped_lock lock{mutex_};
  return executed_;
}

// A message is its letter and its length, of which the letter is no part.
void PostgresProxy::count(Pair& pair, std::size_t bytes) {
  pair.asked.append(pair.to_server.data(), bytes);
  std::size_t at = 0;
  std::size_t executed = 0;
  while (pair.asked.size() - at >= 5) {
    std::size_t length = 0;
    for (std::size_t i = 1; i < 5; ++i) {
      length = length << 8U | static_cast<unsigned char>(pair.asked[at + i]);
    }
    if (pair.asked.size() - at < 1 + length) break;
    if (pair.asked[at] == 'E') ++executed;
    at += 1 + length;
  }
  pair.asked.erase(0, at);
  const std::scoped_lock lock{mutex_};
  executed_ += executed;
  more_.notify_all();
}

void PostgresProxy::cut() {
  asio::post(context_, asio::use_future([this] {
               for (const auto& each : std::exchange(pairs_, {})) {
                 const PairPtr pair = each.lock();
                 if (!pair) continue;
                 pair->is_cut = true;
                 Error ignored;
                 pair->client.close(ignored);
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
        if (error) return pair->is_cut ? void() : pair->close();
        if (pair->counts) this->count(*pair, count);
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
        if (pair->holds) {
          pair->held.append(pair->to_client.data(), count);
          return answer(pair);
        }
        asio::async_write(pair->client, asio::buffer(pair->to_client, count),
                          [this, pair](const Error& failed, std::size_t) {
                            if (failed) return pair->close();
                            answer(pair);
                          });
      });
}

}  // namespace larder
