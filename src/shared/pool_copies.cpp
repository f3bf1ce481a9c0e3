#include "shared/pool_copies.hpp"

#include <xxhash.h>

#include <map>
#include <utility>

#include "memcached/key_name.hpp"
#include "shared/copies.hpp"
#include "shared/once_told.hpp"
#include "shared/pool_marking.hpp"
#include "shared/pool_reading.hpp"

namespace larder::shared {
namespace {

// Of an item, beside its key and its value.
constexpr std::size_t kItemOverhead = 512;

// Whether the server takes as much, as far as is known.
bool fits(const PoolServer& server, const std::string& key, const std::string& value) {
  const auto session = server.session();
  return !session || key.size() + value.size() + kItemOverhead <= session->largest_item;
}

}  // namespace

Stamp stamp_of(std::uint64_t fingerprint, std::string_view generation) {
  return {.run = kRunOfPool,
          .fingerprint = fingerprint,
          .generation = XXH3_64bits(generation.data(), generation.size())};
}

void PoolCopies::read(std::vector<Key> keys, Take take) {
  if (keys.size() == 1) {
    std::string name = tier_->names().value(cache_, keys.front().key);
    const auto& server = tier_->server_of(memcached::key_name(name));
    std::vector<PoolReading::Key> named;
    named.push_back({.name = std::move(name), .anew = keys.front().anew});
    return std::make_shared<PoolReading>(server, cache_, fingerprint_, std::move(named),
                                         std::move(take))
        ->begin();
  }
  struct Part {
    std::vector<PoolReading::Key> keys;
    std::vector<std::size_t> indices;
  };
  std::map<std::shared_ptr<PoolServer>, Part> parts;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    std::string name = tier_->names().value(cache_, keys[i].key);
    Part& part = parts[tier_->server_of(memcached::key_name(name))];
    part.keys.push_back({.name = std::move(name), .anew = keys[i].anew});
    part.indices.push_back(i);
  }
  const auto shared_take = std::make_shared<const Take>(std::move(take));
  for (auto& [server, part] : parts) {
    std::make_shared<PoolReading>(
        server, cache_, fingerprint_, std::move(part.keys),
        [shared_take, indices = std::move(part.indices)](Answers answers) {
          for (auto& [index, answer] : answers) index = indices[index];
          (*shared_take)(std::move(answers));
        })
        ->begin();
  }
}

void PoolCopies::fill(SharedLease lease, std::optional<std::string_view> bytes, Duration lifetime,
                      Duration cost) {
  const std::string name = std::exchange(lease.key, memcached::key_name(lease.key));
  const auto& server = tier_->server_of(lease.key);
  const Duration left = lifetime - cost;
  const Stamp stamp{.run = kRunOfPool, .fingerprint = fingerprint_, .generation = lease.generation};
  Envelope envelope{.lifetime = lifetime, .load_cost = cost};
  if (bytes) envelope.body = *bytes;
  std::string value = seal(stamp, envelope, server->options().envelope);
  if (!fits(*server, lease.key, value)) {
    server->count_fill(false);
    // What it was to replace is no longer true.
    if (lease.anew) server->invalidate(cache_, name);
    return server->release(lease);
  }
  server->fill(cache_, name, lease, std::move(value), left);
}

void PoolCopies::fail(SharedLease lease, const Error& error) {
  lease.key = memcached::key_name(lease.key);
  tier_->server_of(lease.key)->fail(lease, fingerprint_, error);
}

void PoolCopies::release(SharedLease lease) {
  lease.key = memcached::key_name(lease.key);
  tier_->server_of(lease.key)->release(lease);
}

// ---- Writes. ----

void PoolCopies::begin_write(std::vector<std::string> keys, Duration life, Marked marked) {
  const auto marking = std::make_shared<PoolMarking>(cache_, life, std::move(marked));
  for (const std::string& key : keys) {
    std::string name = tier_->names().value(cache_, key);
    const auto& server = tier_->server_of(memcached::key_name(name));
    marking->add(server, std::move(name));
  }
  marking->begin();
}

void PoolCopies::finish_write(SharedMark mark, const std::optional<SharedFill>& kept) {
  const std::string item = memcached::key_name(mark.key);
  const auto& server = tier_->server_of(item);
  Written left = written(mark, fingerprint_, kept, server->options().envelope);
  if (!fits(*server, item, left.value)) {
    server->count_fill(false);
    left.value.clear();
  }
  server->finish(cache_, mark, std::move(left.value), left.left);
}

void PoolCopies::leave_write(SharedMark mark, Duration life) {
  tier_->server_of(memcached::key_name(mark.key))->leave(cache_, mark, life);
}

// ---- Invalidations. ----

void PoolCopies::invalidate(std::string_view key) {
  const std::string name = tier_->names().value(cache_, key);
  tier_->server_of(memcached::key_name(name))->invalidate(cache_, name);
}

void PoolCopies::clear() {
  for (const auto& server : tier_->servers()) server->clear(cache_);
}

// The servers first: what they confirm is announced then.
void PoolCopies::once_told(Told told) {
  if (!told_) return shared::once_told(tier_->servers(), std::move(told));
  shared::once_told(tier_->servers(), [others = told_, told = std::move(told)]() mutable {
    others->once_told(std::move(told));
  });
}

// Without a backplane what others invalidate is unseen until memory has let go of it.
void PoolCopies::listen(std::weak_ptr<SharedListener> listener) {
  if (told_) told_->listen(std::move(listener));
}

}  // namespace larder::shared
