#include "redis/redis_cluster.hpp"

#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <thread>

#include "demo/free_port.hpp"
#include "redis/slot.hpp"

namespace larder::test {

namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 60s;

// What a command prints; throws if it fails.
std::string run(const std::string& command) {
  std::FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error{"cannot run " + command};
  std::string said;
  std::array<char, 4096> piece{};
  while (const std::size_t size = std::fread(piece.data(), 1, piece.size(), pipe)) {
    said.append(piece.data(), size);
  }
  if (::pclose(pipe) != 0) throw std::runtime_error{command + ": " + said};
  return said;
}

std::uint16_t free_port() { return demo::free_port(0, 0).value(); }

// The bus of a node is 10,000 above its port otherwise, where others' ports are.
std::vector<std::string> node_options(std::uint16_t bus) {
  return {"--cluster-enabled",
          "yes",
          "--cluster-node-timeout",
          "1000",
          "--cluster-port",
          std::to_string(bus),
          "--cluster-replica-validity-factor",
          "0",
          "--repl-diskless-sync-delay",
          "0"};
}

}  // namespace

bool RedisCluster::installed() {
  return RedisServer::installed() && std::system("command -v redis-cli >/dev/null") == 0;
}

RedisCluster::RedisCluster(bool networks) {
  std::string places;
  for (std::size_t i = 0; i < 2 * kMasters; ++i) {
    const std::uint16_t bus = free_port();
    std::vector<std::string> options = node_options(bus);
    const std::uint16_t to_clients = free_port();
    const std::uint16_t to_bus = free_port();
    if (networks) {
      options.insert(options.end(),
                     {"--cluster-announce-ip", "127.0.0.1", "--cluster-announce-port",
                      std::to_string(to_clients), "--cluster-announce-bus-port",
                      std::to_string(to_bus), "--replica-announce-ip", "127.0.0.1",
                      "--replica-announce-port", std::to_string(to_clients)});
    }
    nodes_.push_back(std::make_unique<RedisServer>(std::move(options)));
    if (networks) {
      networks_.push_back(
          {.clients = std::make_unique<FaultProxy>(nodes_.back()->port(), to_clients),
           .bus = std::make_unique<FaultProxy>(bus, to_bus)});
    }
    places += " 127.0.0.1:" + std::to_string(port(i));
  }
  (void)run("redis-cli --cluster create" + places + " --cluster-replicas 1 --cluster-yes");
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (const auto& node : nodes_) {
    for (;;) {
      const std::string info = node->ask({"CLUSTER", "INFO"}).text;
      const std::string replication = node->ask({"INFO", "replication"}).text;
      const bool follows = replication.contains("role:master")
                               ? replication.contains("connected_slaves:1")
                               : replication.contains("master_link_status:up");
      if (info.contains("cluster_state:ok") && info.contains("cluster_slots_ok:16384") && follows) {
        break;
      }
      if (std::chrono::steady_clock::now() > deadline) {
        throw std::runtime_error{"the cluster does not come up: " + info};
      }
      pause();
    }
  }
}

void RedisCluster::pause() { std::this_thread::sleep_for(10ms); }

std::uint16_t RedisCluster::port(std::size_t node) const {
  return networks_.empty() ? nodes_[node]->port() : networks_[node].clients->port();
}

std::string RedisCluster::url() const {
  std::string url = "redis+cluster://127.0.0.1:" + std::to_string(port(0));
  for (std::size_t i = 1; i < nodes_.size(); ++i) {
    url += ",127.0.0.1:" + std::to_string(port(i));
  }
  return url;
}

redis::Topology RedisCluster::topology(std::size_t seen_by) const {
  const auto reply = nodes_[seen_by]->ask({"CLUSTER", "SHARDS"});
  return redis::topology_in_shards(reply, "127.0.0.1", false).value();
}

std::size_t RedisCluster::owner(std::string_view key, std::size_t seen_by) const {
  // While one takes another's place, nobody has it for a moment.
  constexpr int kMostLooks = 1000;
  for (int looks = 0; looks < kMostLooks; ++looks) {
    for (const redis::Master& master : topology(seen_by)) {
      if (!master.has(redis::slot_of(key))) continue;
      for (std::size_t i = 0; i < nodes_.size(); ++i) {
        if (port(i) == master.place.port) return i;
      }
    }
    pause();
  }
  throw std::runtime_error{"nobody has the slot of " + std::string{key}};
}

std::string RedisCluster::id(std::size_t node) const {
  return nodes_[node]->ask({"CLUSTER", "MYID"}).text;
}

}  // namespace larder::test
