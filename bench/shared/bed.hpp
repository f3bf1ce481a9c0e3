// What the questions share: a redis-server on a processor of its own, so that what a
// client costs is not the server's, and keys that a larder has filled.
//
// Threads: the main one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "larder/runtime.hpp"
#include "larder/shared_tier.hpp"
#include "redis/redis_server.hpp"
#include "shared/redis_tier.hpp"

namespace larder::bench {

// Starts a server on the last processor that this process may use, and keeps this process
// to the others, if there are two.
[[nodiscard]] std::unique_ptr<test::RedisServer> start_server();

// One larder process's sight of the tier, with one I/O thread.
class Sight {
 public:
  explicit Sight(const test::RedisServer& server);
  ~Sight() { tier_->close(); }
  Sight(const Sight&) = delete;
  Sight& operator=(const Sight&) = delete;

  [[nodiscard]] Runtime& runtime() { return runtime_; }
  [[nodiscard]] shared::RedisTier& tier() { return *tier_; }
  [[nodiscard]] const std::shared_ptr<SharedCopies>& copies() const { return copies_; }

 private:
  Runtime runtime_{{.io_threads = 1}};
  std::shared_ptr<shared::RedisTier> tier_;
  std::shared_ptr<SharedCopies> copies_;
};

inline constexpr std::size_t kValueSize = 100;
inline constexpr std::size_t kKeys = 1'000;

// The keys that are there, as the cache names them.
[[nodiscard]] std::vector<std::string> fill_keys(Sight& sight);

}  // namespace larder::bench
