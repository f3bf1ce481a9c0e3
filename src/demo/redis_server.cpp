#include "demo/redis_server.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <sstream>

#include "demo/resp_client.hpp"

namespace larder::demo {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr Duration kStartingMost = 10s;

// As the shell finds it; empty if it does not.
fs::path find_program(const char* name) {
  const char* const path = std::getenv("PATH");
  std::istringstream directories{path != nullptr ? path : "/usr/bin"};
  for (std::string directory; std::getline(directories, directory, ':');) {
    const fs::path program = fs::path{directory} / name;
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  return {};
}

}  // namespace

Result<void> RedisServer::look() {
  if (!find_program("redis-server").empty()) return {};
  return fail(Errc::kRefused,
              "a fleet shares a Redis, and there is no redis-server here: install Debian's package "
              "redis-server (./dev demo --fleet does)");
}

Result<RedisServer> RedisServer::start(const fs::path& directory, std::uint16_t port,
                                       const std::stop_token& stop) {
  RedisServer server{directory / "redis.log", port};
  if (auto started = server.restart(stop); !started) return std::unexpected{started.error()};
  return server;
}

Result<void> RedisServer::restart(const std::stop_token& stop) {
  auto child = Child::start(find_program("redis-server"),
                            {"--port", std::to_string(port_), "--bind", "127.0.0.1", "--save", "",
                             "--appendonly", "no", "--daemonize", "no"},
                            log_);
  if (!child) return std::unexpected{child.error()};
  child_.emplace(std::move(*child));
  const TimePoint give_up = std::chrono::steady_clock::now() + kStartingMost;
  while (std::chrono::steady_clock::now() < give_up && !stop.stop_requested()) {
    // Its end would be an event; that it listens is none that one could wait for.
    if (const auto code = child_->wait(10ms)) {
      return fail(Errc::kSourceFailed, fmt::format("redis-server ended with exit code {}: see {}",
                                                   *code, log_.string()));
    }
    auto client = RespClient::connect(port_);
    if (client && client->ask({"PING"})) return {};
  }
  if (stop.stop_requested()) return fail(Errc::kCancelled, "starting redis-server was called off");
  return fail(Errc::kTimeout, "redis-server did not answer: see " + log_.string());
}

void RedisServer::kill() {
  child_->kill();
  (void)child_->wait();
  child_.reset();
}

}  // namespace larder::demo
