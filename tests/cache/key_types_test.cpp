// Which types may be keys, beside strings and numbers.
#include <gtest/gtest.h>

#include <boost/describe.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "larder/cache.hpp"
#include "larder/runtime.hpp"
#include "larder/units.hpp"

namespace larder {
namespace {

using namespace larder::literals;

struct WithStdHash {
  std::int64_t number;
  friend bool operator==(const WithStdHash&, const WithStdHash&) = default;
};

struct WithHashValue {
  std::int64_t number;
  friend bool operator==(const WithHashValue&, const WithHashValue&) = default;
  friend std::size_t hash_value(const WithHashValue& key) {
    return std::hash<std::int64_t>{}(key.number);
  }
};

struct Described {
  std::string shop;
  std::int64_t number;
  friend bool operator==(const Described&, const Described&) = default;
};
BOOST_DESCRIBE_STRUCT(Described, (), (shop, number))

enum class Aisle : std::uint8_t { kTea, kCoffee };

}  // namespace
}  // namespace larder

template <>
struct std::hash<larder::WithStdHash> {
  std::size_t operator()(const larder::WithStdHash& key) const noexcept {
    return std::hash<std::int64_t>{}(key.number);
  }
};

namespace larder {
namespace {

// Keeps the two apart, and finds each again.
template <class Key>
void expect_usable(const Key& one, const Key& other) {
  Runtime runtime{{.io_threads = 1}};
  int loads = 0;
  Cache<Key, int> cache{
      runtime, {.source = [&](const Key&) { return ++loads; }, .memory = {.capacity = 1_MiB}}};

  const int first = *cache.get(one);
  const int second = *cache.get(other);

  EXPECT_NE(first, second);
  EXPECT_EQ(*cache.get(one), first);
  EXPECT_EQ(loads, 2);
}

TEST(KeyTypes, ATypeWithStdHash) { expect_usable(WithStdHash{1}, WithStdHash{2}); }

TEST(KeyTypes, ATypeWithBoostsHashValue) { expect_usable(WithHashValue{1}, WithHashValue{2}); }

TEST(KeyTypes, ADescribedStruct) { expect_usable(Described{"north", 1}, Described{"south", 1}); }

TEST(KeyTypes, AnEnum) { expect_usable(Aisle::kTea, Aisle::kCoffee); }

TEST(KeyTypes, APair) {
  expect_usable(std::pair{std::string{"north"}, 1}, std::pair{std::string{"north"}, 2});
}

}  // namespace
}  // namespace larder
