// What the questions share: a server on a processor of its own, so that what a
// client costs is not the server's, and keys that a larder has filled.
//
// Threads: the main one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "larder/runtime.hpp"
#include "larder/shared_copies.hpp"
#include "memcached/memcached_server.hpp"
#include "redis/redis_server.hpp"
#include "shared/tier.hpp"

namespace larder::bench {

// Keeps this process to the last processor that it may use, as its children will be for ever,
// and then to the others, if there are two.
class OnTheLastProcessor {
 public:
  OnTheLastProcessor();
  ~OnTheLastProcessor();
  OnTheLastProcessor(const OnTheLastProcessor&) = delete;
  OnTheLastProcessor& operator=(const OnTheLastProcessor&) = delete;

 private:
  std::vector<int> others_;
};

template <class Server>
std::unique_ptr<Server> start_server() {
  const OnTheLastProcessor place;
  return std::make_unique<Server>();
}

// One larder process's sight of the tier, with one I/O thread.
class Sight {
 public:
  explicit Sight(const test::RedisServer& server);
  explicit Sight(const test::MemcachedServer& server);
  ~Sight() { tier_->close(); }
  Sight(const Sight&) = delete;
  Sight& operator=(const Sight&) = delete;

  [[nodiscard]] Runtime& runtime() { return runtime_; }
  [[nodiscard]] shared::Tier& tier() { return *tier_; }
  [[nodiscard]] const std::shared_ptr<SharedCopies>& copies() const { return copies_; }

 private:
  Runtime runtime_{{.io_threads = 1}};
  std::shared_ptr<shared::Tier> tier_;
  std::shared_ptr<SharedCopies> copies_;
};

inline constexpr std::size_t kValueSize = 100;
inline constexpr std::size_t kKeys = 1'000;

// The keys that are there, as the cache names them.
[[nodiscard]] std::vector<std::string> fill_keys(Sight& sight);

}  // namespace larder::bench
