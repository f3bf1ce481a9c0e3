#include "server/differential/servers.hpp"

#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace larder::test {

namespace {

using namespace std::chrono_literals;

std::optional<std::filesystem::path> find_program(std::string_view name) {
  std::istringstream path{std::getenv("PATH") != nullptr ? std::getenv("PATH") : ""};
  for (std::string folder; std::getline(path, folder, ':');) {
    const auto program = std::filesystem::path{folder} / name;
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  return std::nullopt;
}

// What `program --version` prints.
std::string version_of(const std::filesystem::path& program) {
  std::string text(256, '\0');
  FILE* const pipe = ::popen((program.string() + " --version").c_str(), "r");
  if (pipe == nullptr) return "unknown";
  text.resize(std::fread(text.data(), 1, text.size(), pipe));
  ::pclose(pipe);
  return text;
}

std::filesystem::path make_directory() {
  std::string name = std::filesystem::temp_directory_path() / "larder-redis-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::system_error{errno, std::generic_category(), "mkdtemp"};
  }
  return name;
}

demo::Child start(const std::filesystem::path& program, const std::filesystem::path& directory) {
  auto child = demo::Child::start(
      program,
      {"--port", "0", "--unixsocket", directory / "socket", "--save", "", "--appendonly", "no",
       "--databases", "1", "--dir", directory, "--proto-max-bulk-len", std::to_string(kMostBytes)},
      directory / "log");
  if (!child) throw std::runtime_error{child.error().message};
  return std::move(*child);
}

std::vector<KeyspaceCache> one_cache() {
  std::vector<KeyspaceCache> all;
  all.push_back({KeyPattern::parse("{key}").value(), {.name = "any", .ttl = kLife, .jitter = 0}});
  return all;
}

}  // namespace

std::string Redis::missing() {
  const auto program = find_program("redis-server");
  if (!program) return "redis-server is not installed: apt-get install redis-server";
  // Later versions answer some commands otherwise; larder says that it is 7.0.
  const std::string version = version_of(*program);
  return version.find("v=7.0.") == std::string::npos ? "not Redis 7.0: " + version : "";
}

Redis::Redis()
    : directory_{make_directory()},
      child_{start(find_program("redis-server").value(), directory_)} {}

Redis::~Redis() {
  child_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

Peer Redis::connect() {
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  for (;;) {
    try {
      Peer peer = Peer::to_socket(directory_ / "socket");
      if (peer.ask({"PING"}).text == "PONG") return peer;
    } catch (const std::system_error&) {
      if (std::chrono::steady_clock::now() > deadline || child_->wait(20ms)) throw;
    }
  }
}

Larder::Larder(Limits limits)
    : keyspace_{runtime_, {.capacity = {256 << 20}}, one_cache()},
      server_{Server::start(runtime_, keyspace_, {.port = 0, .limits = std::move(limits)},
                            std::make_shared<spdlog::logger>(
                                "test", std::make_shared<spdlog::sinks::null_sink_mt>()))
                  .value()} {}

}  // namespace larder::test
