#include "shared/key_names.hpp"

#include <xxhash.h>

#include <initializer_list>

#include "redis/slot.hpp"

namespace larder::shared {

namespace {

constexpr std::string_view kHex = "0123456789abcdef";

std::string tag(KeyNames::Bucket bucket) {
  return {'{', kHex[bucket >> 4U], kHex[bucket & 15U], '}'};
}

// One behind the other, with one allocation.
std::string joined(std::initializer_list<std::string_view> parts) {
  std::size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  std::string whole;
  whole.reserve(size);
  for (const std::string_view part : parts) whole += part;
  return whole;
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
  if (!in_buckets_) return joined({name_space_, ":", cache, ":", key});
  return joined({name_space_, ":", tag(bucket(cache, key)), ":", cache, ":", key});
}

std::string_view KeyNames::key_in(const std::string& cache, std::string_view name) const {
  return name.substr(value(cache, "").size());
}

// The beginning of all names of a bucket that are no values.
std::string KeyNames::beside(Bucket bucket) const {
  return name_space_ + "/" + (in_buckets_ ? tag(bucket) + "/" : "");
}

std::string KeyNames::generation(const std::string& cache, Bucket bucket) const {
  if (!in_buckets_) return joined({name_space_, "/", cache, "/generation"});
  return joined({beside(bucket), cache, "/generation"});
}
std::string KeyNames::loads(const std::string& source) const {
  return beside(bucket_of_loads(source)) + source + "/loads";
}
std::string KeyNames::probe(Bucket bucket) const { return beside(bucket) + "probe"; }
std::string KeyNames::channel(Bucket bucket) const { return beside(bucket) + "announcements"; }

std::uint16_t KeyNames::slot(Bucket bucket) { return redis::slot_of(tag(bucket)); }

}  // namespace larder::shared
