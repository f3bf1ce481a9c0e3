#include "redis/sentinel_group.hpp"

#include <chrono>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "demo/free_port.hpp"

namespace larder::test {

namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 60s;

template <class Condition>
void wait_for(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error{"the sentinels do not come to agree"};
    }
    std::this_thread::sleep_for(10ms);
  }
}

}  // namespace

SentinelGroup::SentinelGroup() {
  servers_.push_back(std::make_unique<RedisServer>());
  servers_.push_back(std::make_unique<RedisServer>(
      std::vector<std::string>{"--replicaof", "127.0.0.1 " + std::to_string(first().port()),
                               "--repl-diskless-sync-delay", "0"}));
  wait_for(
      [&] { return second().ask({"INFO", "replication"}).text.contains("master_link_status:up"); });
  for (std::size_t i = 0; i < kSentinels; ++i) start_sentinel();
  wait_for([&] {
    for (const std::uint16_t port : ports_) {
      if (field(port, "num-other-sentinels") != "2" || field(port, "num-slaves") != "1")
        return false;
    }
    return true;
  });
}

void SentinelGroup::start_sentinel() {
  const std::uint16_t port = demo::free_port(0, 0).value();
  const auto config = directory_.path() / ("sentinel-" + std::to_string(port) + ".conf");
  std::ofstream{config} << "bind 127.0.0.1\nport " << port << "\ndir " << directory_.path().string()
                        << "\nsentinel monitor shop 127.0.0.1 " << first().port()
                        << " 2\nsentinel down-after-milliseconds shop 500\n"
                           "sentinel failover-timeout shop 5000\n";
  auto started = demo::Child::start(RedisServer::program(), {config.string(), "--sentinel"},
                                    directory_.path() / "log");
  if (!started) throw std::runtime_error{started.error().message};
  sentinels_.push_back(std::move(*started));
  ports_.push_back(port);
}

// What a sentinel says of the master; empty: nothing yet.
std::string SentinelGroup::field(std::uint16_t sentinel, const std::string& name) {
  try {
    const auto reply = Peer::to_port(sentinel).ask({"SENTINEL", "MASTER", "shop"});
    for (std::size_t i = 0; i + 1 < reply.items.size(); i += 2) {
      if (reply.items[i].text == name) return reply.items[i + 1].text;
    }
  } catch (const std::exception&) {  // it does not listen yet
  }
  return {};
}

std::string SentinelGroup::url(const std::string& master) const {
  std::string url = "redis+sentinel://";
  for (const std::uint16_t port : ports_) {
    url += (port == ports_.front() ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(port);
  }
  return url + "/" + master;
}

void SentinelGroup::wait_for_master(const RedisServer& server) const {
  wait_for([&] {
    for (const std::uint16_t port : ports_) {
      if (field(port, "port") != std::to_string(server.port())) return false;
    }
    return true;
  });
}

}  // namespace larder::test
