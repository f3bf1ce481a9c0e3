#include "server/differential/servers.hpp"

#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <utility>
#include <vector>

namespace larder::test {

namespace {

// What `redis-server --version` prints.
std::string installed_version() {
  std::string text(256, '\0');
  FILE* const pipe = ::popen("redis-server --version", "r");
  if (pipe == nullptr) return "unknown";
  text.resize(std::fread(text.data(), 1, text.size(), pipe));
  ::pclose(pipe);
  return text;
}

std::vector<KeyspaceCache> one_cache() {
  std::vector<KeyspaceCache> all;
  all.push_back({KeyPattern::parse("{key}").value(), {.name = "any", .ttl = kLife, .jitter = 0}});
  return all;
}

}  // namespace

std::string Redis::missing() {
  if (!RedisServer::installed()) return "redis-server is not installed: `./dev setup` does it";
  // Later versions answer some commands otherwise; larder says that it is 7.0.
  const std::string version = installed_version();
  return version.find("v=7.0.") == std::string::npos ? "not Redis 7.0: " + version : "";
}

Redis::Redis()
    : server_{{"--databases", "1", "--proto-max-bulk-len", std::to_string(kMostBytes)}} {}

Larder::Larder(Limits limits)
    : keyspace_{runtime_, {.capacity = {256 << 20}}, one_cache()},
      server_{Server::start(runtime_, keyspace_, {.port = 0, .limits = limits},
                            std::make_shared<spdlog::logger>(
                                "test", std::make_shared<spdlog::sinks::null_sink_mt>()))
                  .value()} {}

}  // namespace larder::test
