#include <functional>
#include <optional>
#include <utility>

#include "base/plain_name.hpp"
#include "larder/shared.hpp"
#include "memcached/memcached_url.hpp"
#include "redis/redis_url.hpp"
#include "shared/pool_tier.hpp"
#include "shared/routed_tier.hpp"

namespace larder {

namespace {

using namespace std::chrono_literals;

using Tell = std::function<void(bool there, const std::string& sentence)>;

std::unexpected<Error> wrong(const std::string& what, const std::string& why) {
  return fail(Errc::kInvalidArgument, "the shared tier's " + what + " " + why);
}

std::optional<Error> problem_with(const SharedOptions& options) {
  if (const auto problem = problem_with_shared_name(options.name_space)) {
    return wrong("namespace", *problem).error();
  }
  if (options.timeout < 1ms || options.timeout > 60s) {
    return wrong("timeout", "is to be between 1 ms and 60 s").error();
  }
  if (options.lease < 100ms || options.lease > 10min) {
    return wrong("lease", "is to be between 100 ms and 10 min").error();
  }
  if (options.longest_load < 1ms || options.longest_load > 24h) {
    return wrong("longest_load", "is to be between 1 ms and 24 h").error();
  }
  if (options.max_value.bytes == 0) return wrong("max_value", "is to be a size").error();
  return std::nullopt;
}

// What a program throws where it is told ends here.
Tell guarded(Tell tell) {
  if (!tell) return tell;
  return [tell = std::move(tell)](bool there, const std::string& sentence) {
    try {
      tell(there, sentence);
    } catch (...) {  // there is nobody else to tell
      return;
    }
  };
}

template <class T>
Result<std::shared_ptr<SharedTier>> as_tier(Result<std::shared_ptr<T>> started) {
  if (!started) return std::unexpected{std::move(started.error())};
  return std::shared_ptr<SharedTier>{std::move(*started)};
}

Result<std::shared_ptr<SharedTier>> open_pool(Runtime& runtime, const std::string& url,
                                              SharedOptions options) {
  auto pool = memcached::parse_memcached_url(url);
  if (!pool) return wrong("URL", pool.error().message);
  shared::PoolOptions started{.url = std::move(*pool),
                              .name_space = std::move(options.name_space),
                              .timeout = options.timeout,
                              .lease = options.lease,
                              .longest_load = options.longest_load,
                              .envelope = {.most_body = options.max_value},
                              .tell = guarded(std::move(options.tell))};
  if (!options.backplane.empty()) {
    if (memcached::is_memcached_url(options.backplane)) {
      return wrong("backplane", "names Memcached, which tells nobody; name a Redis");
    }
    auto backplane = redis::parse_redis_url(options.backplane);
    if (!backplane) return wrong("backplane", backplane.error().message);
    started.backplane = std::move(*backplane);
  }
  return as_tier(shared::PoolTier::start(runtime, std::move(started)));
}

}  // namespace

std::optional<std::string> problem_with_shared_name(std::string_view name) {
  return problem_with_plain_name(name);
}

Result<std::shared_ptr<SharedTier>> open_shared_tier(Runtime& runtime, const std::string& url,
                                                     SharedOptions options) {
  if (auto problem = problem_with(options)) return std::unexpected{std::move(*problem)};
  if (memcached::is_memcached_url(url)) return open_pool(runtime, url, std::move(options));
  if (!options.backplane.empty()) {
    return wrong("backplane", "is for Memcached; a Redis tells processes itself");
  }
  auto redis = redis::parse_redis_url(url);
  if (!redis) {
    std::string why = redis.error().message;
    if (why.contains("scheme;")) why += ", or memcached://HOST,HOST";
    return wrong("URL", why);
  }
  return as_tier(shared::start_redis(runtime, {.url = std::move(*redis),
                                               .name_space = std::move(options.name_space),
                                               .timeout = options.timeout,
                                               .lease = options.lease,
                                               .longest_load = options.longest_load,
                                               .envelope = {.most_body = options.max_value},
                                               .tell = guarded(std::move(options.tell))}));
}

std::shared_ptr<SharedTier> shared_tier(Runtime& runtime, const std::string& url,
                                        SharedOptions options) {
  auto tier = open_shared_tier(runtime, url, std::move(options));
  if (!tier) throw Failure{std::move(tier.error())};
  return std::move(*tier);
}

}  // namespace larder
