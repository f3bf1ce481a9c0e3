#include "shared/key_names.hpp"

#include <xxhash.h>

#include "redis/slot.hpp"

namespace larder::shared {

namespace {

constexpr std::string_view kHex = "0123456789abcdef";

std::string tag(KeyNames::Bucket bucket) {
  return {'{', kHex[bucket >> 4U], kHex[bucket & 15U], '}'};
}

}  // namespace

KeyNames::Bucket KeyNames::bucket(std::string_view cache, std::string_view key) const {
  if (!in_buckets_) return 0;
  const std::uint64_t seed = XXH3_64bits(cache.data(), cache.size());
  return static_cast<Bucket>(XXH3_64bits_withSeed(key.data(), key.size(), seed));
}

KeyNames::Bucket KeyNames::bucket_in(std::string_view name) const {
  if (!in_buckets_) return 0;
  const std::string_view digits = name.substr(name_space_.size() + 2, 2);
  return static_cast<Bucket>(kHex.find(digits[0]) * 16 + kHex.find(digits[1]));
}

std::string KeyNames::value(const std::string& cache, std::string_view key) const {
  std::string name = name_space_ + ":";
  if (in_buckets_) name += tag(bucket(cache, key)) + ":";
  return (name + cache + ":").append(key);
}

std::string_view KeyNames::key_in(const std::string& cache, std::string_view name) const {
  return name.substr(value(cache, "").size());
}

// The beginning of all names of a bucket that are no values.
std::string KeyNames::beside(Bucket bucket) const {
  return name_space_ + "/" + (in_buckets_ ? tag(bucket) + "/" : "");
}

std::string KeyNames::generation(const std::string& cache, Bucket bucket) const {
  return beside(bucket) + cache + "/generation";
}
std::string KeyNames::loads(const std::string& source) const {
  return beside(bucket_of_loads(source)) + source + "/loads";
}
std::string KeyNames::probe(Bucket bucket) const { return beside(bucket) + "probe"; }
std::string KeyNames::channel(Bucket bucket) const { return beside(bucket) + "announcements"; }

std::uint16_t KeyNames::slot(Bucket bucket) { return redis::slot_of(tag(bucket)); }

}  // namespace larder::shared
