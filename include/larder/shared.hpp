// Shared tiers: Redis, Valkey, their clusters, Memcached, for the caches of a program.
//
//   auto redis = larder::shared_tier(runtime, "redis://localhost:6379");
//   larder::Cache<std::int64_t, Product> products{runtime, {
//       .name = "product",
//       .source = larder::sql<std::int64_t, Product>(shop, "SELECT …"),
//       .shared = redis,
//   }};
//
// Processes whose caches have the same name, source and types share their copies: one
// query for all of them, and what one invalidates or writes the others do not serve.
// docs/shared-tier.md says what holds and what remains.
//
// Threads: any.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "larder/runtime.hpp"
#include "larder/shared_tier.hpp"
#include "larder/shared_words.hpp"
#include "larder/units.hpp"

namespace larder {

struct SharedOptions {
  // In front of every key there: deployments that must not see each other's copies each have
  // their own. Letters, digits, '_', '-' and '.'; 64 at most.
  std::string name_space = "larder";
  // Beside Memcached, the URL of a Redis by which processes tell each other's memory what they
  // invalidate. Empty: nobody tells, and CacheOptions::memory_ttl is to be short.
  std::string backplane{};
  // Behaviour.
  Duration timeout = std::chrono::milliseconds{250};  // of a command; 1 ms to 60 s
  // How long after the last sign of life of a process that loads a key another may load it;
  // 100 ms to 10 min.
  Duration lease = std::chrono::seconds{3};
  // At least LoadLimits::timeout and wait_timeout together, of every cache: what takes longer is
  // loaded by others too. 1 ms to 24 h.
  Duration longest_load = std::chrono::seconds{30};
  // Limits.
  ByteCount max_value{32ULL << 20};  // one value; larger ones are not believed
  // Called when the tier is lost or is there again, with a sentence for the log; by any thread,
  // never often, perhaps while the runtime stops. It must not block; what it throws is dropped.
  std::function<void(bool there, const std::string& sentence)> tell{};
};

// Begins to connect to what `url` names (docs/shared-tier.md lists the URLs). Nobody needs to be
// there yet: reads go to the sources until somebody is. Errors: a URL or an option that cannot be
// (kInvalidArgument), TLS files that cannot be read.
[[nodiscard]] Result<std::shared_ptr<SharedTier>> open_shared_tier(Runtime& runtime,
                                                                   const std::string& url,
                                                                   SharedOptions options = {});

// The same, and throws Failure when it cannot.
[[nodiscard]] std::shared_ptr<SharedTier> shared_tier(Runtime& runtime, const std::string& url,
                                                      SharedOptions options = {});

}  // namespace larder
