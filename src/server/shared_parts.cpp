#include "server/shared_parts.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/shared_words.hpp"
#include "memcached/memcached_url.hpp"
#include "redis/redis_url.hpp"
#include "shared/pool_tier.hpp"
#include "shared/routed_tier.hpp"

namespace larder {

namespace {

// What a cache's bytes are: a row, or rows, as JSON. Changes when larder writes rows
// otherwise.
constexpr std::string_view kCodec = "json/1";

// The longest that any load may take.
Duration longest_load(const Config& config, Duration least) {
  Duration longest = least;
  for (const SourceConfig& source : config.sources) {
    longest = std::max(longest, source.load_timeout + source.wait_timeout);
  }
  return longest;
}

std::unexpected<Problem> problem(const Config& config, std::string_view setting,
                                 const Error& error) {
  return std::unexpected{
      Problem{.position = config.shared.written.of(setting),
              .message = "shared." + std::string{setting} + ": " + error.message + "."}};
}

std::expected<std::shared_ptr<shared::Tier>, Problem> open_pool(
    Runtime& runtime, const Config& config,
    std::function<void(bool there, const std::string& sentence)> tell) {
  const SharedConfig& shared = config.shared;
  auto url = memcached::parse_memcached_url(shared.url.reveal());
  if (!url) return problem(config, "url", url.error());
  shared::PoolOptions options{.url = std::move(*url),
                              .name_space = shared.name_space,
                              .timeout = shared.timeout,
                              .lease = shared.lease,
                              .envelope = {.most_body = config.server.max_value},
                              .tell = std::move(tell)};
  options.longest_load = longest_load(config, options.longest_load);
  if (!shared.backplane.empty()) {
    auto backplane = redis::parse_redis_url(shared.backplane.reveal());
    if (!backplane) return problem(config, "backplane", backplane.error());
    options.backplane = std::move(*backplane);
  }
  auto tier = shared::PoolTier::start(runtime, std::move(options));
  if (!tier) return problem(config, "backplane", tier.error());
  return std::move(*tier);
}

}  // namespace

std::expected<std::shared_ptr<shared::Tier>, Problem> open_shared(
    Runtime& runtime, const Config& config,
    std::function<void(bool there, const std::string& sentence)> tell) {
  const SharedConfig& shared = config.shared;
  if (shared.url.empty()) return nullptr;
  if (memcached::is_memcached_url(shared.url.reveal())) {
    return open_pool(runtime, config, std::move(tell));
  }
  auto url = redis::parse_redis_url(shared.url.reveal());
  if (!url) return problem(config, "url", url.error());
  shared::RedisTierOptions options{.url = std::move(*url),
                                   .name_space = shared.name_space,
                                   .timeout = shared.timeout,
                                   .lease = shared.lease,
                                   .envelope = {.most_body = config.server.max_value},
                                   .tell = std::move(tell)};
  options.longest_load = longest_load(config, options.longest_load);
  auto tier = shared::start_redis(runtime, std::move(options));
  if (!tier) return problem(config, "url", tier.error());
  return std::move(*tier);
}

std::uint64_t shared_fingerprint(const CacheConfig& cache, const SourceConfig& source) {
  const std::string database = describe_url(source.url.reveal());
  std::vector<std::string_view> parts{kCodec,       database,        cache.key.text(),
                                      cache.read,   cache.read_many, cache.many ? "many" : "one",
                                      cache.version};
  parts.insert(parts.end(), cache.json.begin(), cache.json.end());
  if (cache.keep != "row") parts.push_back(cache.keep);
  return fingerprint_of(parts);
}

}  // namespace larder
