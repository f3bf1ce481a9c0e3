// Two or more tiers over real Memcached servers, standing for as many processes.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "memcached/key_name.hpp"
#include "memcached/memcached_server.hpp"
#include "shared/pool_tier.hpp"
#include "shared/process.hpp"

namespace larder::shared {

using test::MemcachedServer;

inline void set_url(PoolOptions& options, const std::string& url) {
  options.url = memcached::parse_memcached_url(url).value();
  // A busy machine is no lost server.
  if (options.timeout == PoolOptions{}.timeout) options.timeout = 5s;
}

using PoolProcess = ProcessOver<PoolTier, PoolOptions>;

// What a key of the processes' cache is called in Memcached.
inline std::string item_of(const PoolTier& tier, const std::string& key) {
  return memcached::key_name(tier.names().value("product", key));
}

// Waits until that many servers of the pool may be asked.
inline void wait_for_servers(PoolProcess& process, std::size_t count) {
  const auto trusted = [&] {
    std::size_t there = 0;
    for (const auto& server : process.tier().servers()) there += server->trusted() ? 1 : 0;
    return there;
  };
  while (trusted() != count) std::this_thread::yield();
}

class PoolTierTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!MemcachedServer::installed()) GTEST_SKIP() << "memcached is not installed";
    servers_.push_back(std::make_unique<MemcachedServer>());
  }

  void grow_to(std::size_t count) {
    while (servers_.size() < count) servers_.push_back(std::make_unique<MemcachedServer>());
  }
  [[nodiscard]] MemcachedServer& server(std::size_t index = 0) { return *servers_[index]; }
  [[nodiscard]] std::string url() const {
    std::string url{"memcached://"};
    for (const auto& each : servers_) url += (&each == servers_.data() ? "" : ",") + each->place();
    return url;
  }

  std::vector<std::unique_ptr<MemcachedServer>> servers_;
};

}  // namespace larder::shared
