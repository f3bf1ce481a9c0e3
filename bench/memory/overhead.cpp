// What does an entry take beside the bytes of its key and value?
//
// Resident memory of this process before and after a million entries with keys of
// 16 bytes, values of 100 and a TTL were put; beside it the fastest hash table
// there is, which keeps no TTL and evicts nothing.
#include <malloc.h>

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include "larder/memory_tier.hpp"
#include "question.hpp"
#include "report.hpp"
#include "resident.hpp"

namespace larder::bench {

namespace {

constexpr std::size_t kKeyBytes = 16;
constexpr std::size_t kValueBytes = 100;
constexpr TimePoint kNow{std::chrono::hours{1}};
constexpr TimePoint kUntil = kNow + std::chrono::hours{1};

std::string key_of(std::uint64_t number) {
  std::string key = std::to_string(number);
  key.insert(0, kKeyBytes - key.size(), '0');
  return key;
}

// Bytes an entry, beyond key and value, of what make() makes and put(cache, key, value) fills.
template <class Make, class Put>
double overhead(Make&& make, std::uint64_t entries, Put&& put) {
  malloc_trim(0);
  const std::string value(kValueBytes, 'x');
  const std::uint64_t before = resident_bytes();
  auto cache = make();
  for (std::uint64_t i = 0; i < entries; ++i) put(*cache, key_of(i), value);
  const std::uint64_t taken = resident_bytes() - before;
  return static_cast<double>(taken) / static_cast<double>(entries) - kKeyBytes - kValueBytes;
}

double overhead_of_larder(std::uint64_t entries) {
  using Tier = MemoryTier<std::string, std::string>;
  return overhead(
      [entries] {
        // More than enough: what is not used is not resident.
        return std::make_unique<Tier>(MemoryOptions{.capacity = {entries * 256}});
      },
      entries,
      [](Tier& tier, const std::string& key, const std::string& value) {
        (void)tier.put(key, value,
                       {.filled_at = kNow, .fresh_until = kUntil, .usable_until = kUntil}, kNow);
      });
}

double overhead_of_map(std::uint64_t entries) {
  using Map = boost::unordered_flat_map<std::string, std::string>;
  return overhead(
      [] { return std::make_unique<Map>(); }, entries,
      [](Map& map, const std::string& key, const std::string& value) { map.emplace(key, value); });
}

}  // namespace

void answer_overhead(const Effort& effort) {
  const double larder = overhead_of_larder(effort.keys);
  const double map = overhead_of_map(effort.keys);
  print_title("overhead: keys of 16 bytes, values of 100, a TTL");
  std::printf("  boost::unordered_flat_map of strings, without TTL: %.1f B an entry\n", map);
  print_mark("larder, bytes an entry beyond key and value", larder, "<=", 48);
}

}  // namespace larder::bench
