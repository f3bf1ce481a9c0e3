// Programs that share a tier by larder's public headers alone: each runtime stands for one.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/describe/class.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "larder/cache.hpp"
#include "larder/shared.hpp"
#include "larder/thread_annotations.hpp"
#include "memcached/memcached_server.hpp"
#include "redis/redis_server.hpp"

namespace larder {
namespace {

using namespace std::chrono_literals;
using test::MemcachedServer;
using test::RedisServer;

struct Product {
  std::int64_t id = 0;
  std::string name;
  bool operator==(const Product&) const = default;
};
BOOST_DESCRIBE_STRUCT(Product, (), (id, name))

// As a later version of the program has it.
struct Priced {
  std::int64_t id = 0;
  std::string name;
  std::optional<double> price;
};
BOOST_DESCRIBE_STRUCT(Priced, (), (id, name, price))

struct Shelf {
  std::string hall;
  int number = 0;
  bool operator==(const Shelf&) const = default;
};
BOOST_DESCRIBE_STRUCT(Shelf, (), (hall, number))

// What all programs load from: it counts, and names each row by how often it was changed.
struct Shop {
  std::atomic<unsigned> loads{0};
  std::atomic<unsigned> changes{0};

  Product find(std::int64_t id) {
    ++loads;
    return {id, "product " + std::to_string(id) + " of " + std::to_string(changes)};
  }
};

using Products = Cache<std::int64_t, Product>;
using ProductOptions = CacheOptions<std::int64_t, Product>;

// Waits until it is asked, and, of what tells memory, until it has begun to.
std::shared_ptr<SharedTier> trusted(std::shared_ptr<SharedTier> tier, bool tells = true) {
  while (!tier->trusted() || (tells && tier->stats().gaps == 0)) std::this_thread::yield();
  return tier;
}

// Of one that is there.
class Program {
 public:
  Program(Shop& shop, const std::string& url, SharedOptions shared = {},
          const std::function<void(ProductOptions&)>& change = {}, bool tells = true)
      : tier_{trusted(shared_tier(runtime_, url, std::move(shared)), tells)},
        products_{runtime_, options(shop, change)} {}

  Products* operator->() { return &products_; }
  [[nodiscard]] SharedTier& tier() const { return *tier_; }

 private:
  ProductOptions options(Shop& shop, const std::function<void(ProductOptions&)>& change) const {
    ProductOptions options{.name = "product",
                           .source = [&shop](std::int64_t id) { return shop.find(id); },
                           .ttl = 1h,
                           .shared = tier_};
    if (change) change(options);
    return options;
  }

  Runtime runtime_{{.io_threads = 1}};
  std::shared_ptr<SharedTier> tier_;
  Products products_;
};

class OverRedis : public testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
    redis_.emplace();
  }
  [[nodiscard]] std::string url() const { return redis_->url(); }

  std::optional<RedisServer> redis_;
  Shop shop_;
  Runtime runtime_{{.io_threads = 1}};
};

TEST_F(OverRedis, TwoProgramsAskTheSourceOnce) {
  Program one{shop_, url()};
  Program other{shop_, url()};

  EXPECT_EQ(one->get(42).origin(), Origin::kSource);
  const auto answer = other->get(42);

  EXPECT_EQ(answer.origin(), Origin::kShared);
  EXPECT_EQ(answer.value(), (Product{42, "product 42 of 0"}));
  EXPECT_EQ(shop_.loads, 1U);
  EXPECT_EQ(other.tier().stats().hits, 1U);
}

TEST_F(OverRedis, AnInvalidationTakesThatKeyAloneFromTheOthersMemory) {
  Program one{shop_, url()};
  Program other{shop_, url()};
  // Who has heard of another's invalidation has begun to hear, and drops nothing for that any more.
  one->invalidate(99);
  while (other.tier().stats().heard == 0) std::this_thread::yield();
  for (const std::int64_t id : {1, 2}) (void)other->get(id);
  ASSERT_EQ(other->get(1).origin(), Origin::kMemory);

  ++shop_.changes;
  one->invalidate(1);
  while (other->get(1).value().name != "product 1 of 1") std::this_thread::yield();

  EXPECT_EQ(other->get(2).value().name, "product 2 of 0");
  EXPECT_EQ(other->get(2).origin(), Origin::kMemory);
}

TEST_F(OverRedis, ManyKeysAreAskedForTogether) {
  Program one{shop_, url()};
  Program other{shop_, url()};
  const std::vector<std::int64_t> ids{1, 2, 3};
  (void)one->get_many(ids);

  for (const auto& answer : other->get_many(ids)) EXPECT_EQ(answer.origin(), Origin::kShared);
  EXPECT_EQ(shop_.loads, 3U);
}

TEST_F(OverRedis, WhatAnotherVersionSourceOrNamespaceLeftIsAMiss) {
  const auto tier = trusted(shared_tier(runtime_, url()));
  const auto origin = [&](SharedWith<std::int64_t, Product> shared, std::string source) {
    struct Described {
      Shop* shop;
      std::string text;

      [[nodiscard]] Product load(std::int64_t id) const { return shop->find(id); }
      [[nodiscard]] std::string describe() const { return text; }
    };
    Products products{runtime_,
                      {.name = "product",
                       .source = Described{&shop_, std::move(source)},
                       .shared = std::move(shared)}};
    return products.get(1).origin();
  };
  ASSERT_EQ(origin(tier, "the shop"), Origin::kSource);

  EXPECT_EQ(origin(tier, "the shop"), Origin::kShared);
  EXPECT_EQ(origin({tier, "2"}, "the shop"), Origin::kSource);
  EXPECT_EQ(origin({tier, "2"}, "another shop"), Origin::kSource);
  const auto elsewhere = trusted(shared_tier(runtime_, url(), {.name_space = "elsewhere"}));
  EXPECT_EQ(origin({elsewhere, "2"}, "another shop"), Origin::kSource);
}

TEST_F(OverRedis, WhatAStructOfOtherMembersLeftIsAMiss) {
  Program old{shop_, url()};
  (void)old->get(1);
  const auto tier = trusted(shared_tier(runtime_, url()));
  Cache<std::int64_t, Priced> newer{
      runtime_,
      {.name = "product",
       .source = [](std::int64_t id) { return Priced{id, "priced", 2.5}; },
       .shared = tier}};

  EXPECT_EQ(newer.get(1).origin(), Origin::kSource);
  EXPECT_EQ(newer.get(1).value().price, 2.5);
  EXPECT_EQ(tier->stats().stale, 1U);
}

TEST_F(OverRedis, KeysOfSeveralMembersAreSharedAndTold) {
  std::atomic<unsigned> version{0};
  const auto source = [&](const Shelf& shelf) {
    return shelf.hall + std::to_string(shelf.number) + " of " + std::to_string(version);
  };
  using Shelves = Cache<Shelf, std::string>;
  Runtime elsewhere{{.io_threads = 1}};
  Shelves one{runtime_,
              {.name = "shelf", .source = source, .shared = trusted(shared_tier(runtime_, url()))}};
  const auto tier = trusted(shared_tier(elsewhere, url()));
  Shelves other{elsewhere, {.name = "shelf", .source = source, .shared = tier}};
  const Shelf shelf{"a,b", 7};
  const Shelf next{"a", 7};
  one.invalidate(Shelf{"b", 1});
  while (tier->stats().heard == 0) std::this_thread::yield();
  (void)one.get(shelf);
  ASSERT_EQ(other.get(shelf).origin(), Origin::kShared);
  (void)other.get(next);

  ++version;
  one.invalidate(shelf);
  while (other.get(shelf).value() != "a,b7 of 1") std::this_thread::yield();

  EXPECT_EQ(other.get(next).origin(), Origin::kMemory);
}

TEST_F(OverRedis, AWriteThroughIsSeenByTheOthers) {
  std::atomic<unsigned> writes{0};
  const auto with_writer = [&](ProductOptions& options) {
    options.writer = [&](std::int64_t, const Product& product) -> Result<Product> {
      ++writes;
      return product;
    };
  };
  Program one{shop_, url(), {}, with_writer};
  Program other{shop_, url(), {}, with_writer};
  (void)other->get(7);

  ASSERT_TRUE(one->put(7, Product{7, "written"}));
  while (other->get(7).value().name != "written") std::this_thread::yield();

  EXPECT_EQ(writes, 1U);
  EXPECT_EQ(one->get(7).value().name, "written");
}

// Not JSON: the name alone.
struct NameCodec {
  static std::string encode(const Product& product) { return product.name; }
  static Result<Product> decode(std::string_view bytes) { return Product{0, std::string{bytes}}; }
};

TEST_F(OverRedis, AProgramsOwnCodecIsUsed) {
  const auto with_codec = [&](std::shared_ptr<SharedTier> tier) {
    return [tier = std::move(tier)](ProductOptions& options) {
      options.shared = {tier, "1", NameCodec{}};
    };
  };
  const auto tier = trusted(shared_tier(runtime_, url()));
  Program one{shop_, url(), {}, with_codec(tier)};
  Program other{shop_, url(), {}, with_codec(tier)};
  (void)one->get(5);

  EXPECT_EQ(other->get(5).value(), (Product{0, "product 5 of 0"}));
}

// As a program's may, which parses and is surprised.
struct ThrowingCodec {
  static std::string encode(const Product& product) {
    if (product.id == 13) throw std::runtime_error{"no 13"};
    return product.name;
  }
  static Result<Product> decode(std::string_view bytes) {
    throw std::runtime_error{"what is " + std::string{bytes}};
  }
};

TEST_F(OverRedis, ACodecThatThrowsCostsItsValuesAlone) {
  const auto tier = trusted(shared_tier(runtime_, url()));
  Products one{runtime_,
               {.name = "product",
                .source = [this](std::int64_t id) { return shop_.find(id); },
                .shared = {tier, "1", ThrowingCodec{}}}};
  Products other{runtime_,
                 {.name = "product",
                  .source = [this](std::int64_t id) { return shop_.find(id); },
                  .shared = {tier, "1", ThrowingCodec{}}}};

  EXPECT_EQ(one.get(13).origin(), Origin::kSource) << "which cannot be said";
  EXPECT_EQ(one.get(1).origin(), Origin::kSource);
  EXPECT_EQ(other.get(1).origin(), Origin::kSource) << "which cannot be read";
  EXPECT_EQ(other.get(2).origin(), Origin::kSource) << "the tier goes on";
  EXPECT_TRUE(tier->trusted());
}

TEST_F(OverRedis, WhoThrowsWhereHeIsToldHarmsNobody) {
  const auto tier = trusted(shared_tier(
      runtime_, url(), {.tell = [](bool, const std::string&) { throw std::runtime_error{"no"}; }}));
  Products products{runtime_,
                    {.name = "product",
                     .source = [this](std::int64_t id) { return shop_.find(id); },
                     .shared = tier}};
  redis_->kill();
  while (tier->trusted()) std::this_thread::yield();
  redis_->start();
  (void)trusted(tier);

  EXPECT_EQ(products.get(1).origin(), Origin::kSource);
}

// Nobody hears any more what others invalidate.
TEST_F(OverRedis, WhereTheTiersRuntimeHasEndedMemoryIsBelievedForASecond) {
  std::optional<Runtime> of_tier{std::in_place, RuntimeOptions{.io_threads = 1}};
  const auto tier = trusted(shared_tier(*of_tier, url()));
  Products products{runtime_,
                    {.name = "product",
                     .source = [this](std::int64_t id) { return shop_.find(id); },
                     .ttl = 1h,
                     .shared = tier}};
  while (products.get(1).origin() != Origin::kMemory) std::this_thread::yield();
  ++shop_.changes;
  of_tier.reset();

  while (products.get(1).value().name != "product 1 of 1") std::this_thread::yield();
}

TEST_F(OverRedis, ACacheOfStringsIsShared) {
  const auto tier = trusted(shared_tier(runtime_, url()));
  unsigned loads = 0;
  const auto source = [&](const std::string& key) {
    ++loads;
    return "value of " + key;
  };
  Cache<std::string, std::string> one{runtime_,
                                      {.name = "texts", .source = source, .shared = tier}};
  Cache<std::string, std::string> other{runtime_,
                                        {.name = "texts", .source = source, .shared = tier}};

  EXPECT_EQ(one.get("a:b").value(), "value of a:b");
  EXPECT_EQ(other.get("a:b").value(), "value of a:b");
  EXPECT_EQ(loads, 1U);
}

TEST_F(OverRedis, LoadsOfAllProgramsAreBounded) {
  const auto tier = trusted(shared_tier(runtime_, url()));
  const auto gate = std::make_shared<LoadGate>(
      LoadLimits{.concurrent = 8},
      tier->fleet_gate({.source = "shop", .loads = 1, .longest_load = 10s}));
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  Products products{runtime_,
                    {.name = "product",
                     .source =
                         [&](std::int64_t id) {
                           const int now = ++inside;
                           if (now > most) most = now;
                           for (int turn = 0; turn < 10'000; ++turn) std::this_thread::yield();
                           --inside;
                           return Product{id, "x"};
                         },
                     .shared = tier,
                     .gate = gate}};
  std::vector<std::jthread> readers;
  for (int i = 0; i < 8; ++i) readers.emplace_back([&, i] { (void)products.get(i); });
  readers.clear();

  EXPECT_EQ(most, 1);
}

TEST_F(OverRedis, ItsLossIsToldAndReadsGoToTheSource) {
  Mutex mutex;
  std::vector<std::string> told;
  Program program{shop_, url(), {.tell = [&](bool there, const std::string& sentence) {
                    const MutexLock lock{mutex};
                    told.push_back((there ? "there: " : "lost: ") + sentence);
                  }}};
  redis_->kill();
  while (program.tier().trusted()) std::this_thread::yield();

  EXPECT_EQ(program->get(1).origin(), Origin::kSource);
  EXPECT_FALSE(program.tier().trouble().empty());
  const MutexLock lock{mutex};
  ASSERT_FALSE(told.empty());
  EXPECT_TRUE(told.back().starts_with("lost: ")) << told.back();
}

TEST(OverNobody, ReadsGoToTheSource) {
  Runtime runtime{{.io_threads = 1}};
  const auto tier = shared_tier(runtime, "unix:///nowhere/redis.sock");
  Products products{runtime,
                    {.name = "product",
                     .source = [](std::int64_t id) { return Product{id, "x"}; },
                     .shared = tier}};

  EXPECT_EQ(products.get(1).value().name, "x");
  EXPECT_FALSE(tier->trusted());
}

TEST(OverNobody, NoTierIsNoSharing) {
  Runtime runtime{{.io_threads = 1}};
  Products products{runtime,
                    {.source = [](std::int64_t id) { return Product{id, "x"}; },
                     .shared = std::shared_ptr<SharedTier>{}}};

  EXPECT_EQ(products.get(1).value().name, "x");
  EXPECT_FALSE(products.shares());
}

TEST(OverMemcached, TwoProgramsAskTheSourceOnce) {
  if (!MemcachedServer::installed()) GTEST_SKIP() << "memcached is not installed";
  const MemcachedServer memcached;
  Shop shop;
  Program one{shop, memcached.url(), {}, {}, false};
  Program other{shop, memcached.url(), {}, {}, false};

  EXPECT_EQ(one->get(42).origin(), Origin::kSource);
  EXPECT_EQ(other->get(42).origin(), Origin::kShared);
  EXPECT_EQ(shop.loads, 1U);
}

// Nobody tells it what others invalidate.
TEST(OverMemcached, MemoryKeepsACopyForASecond) {
  if (!MemcachedServer::installed()) GTEST_SKIP() << "memcached is not installed";
  const MemcachedServer memcached;
  Shop shop;
  Program program{shop, memcached.url(), {}, {}, false};
  Program told{
      shop, memcached.url(), {}, [](ProductOptions& options) { options.memory_ttl = 1h; }, false};

  const auto kept_for = [](Program& which) {
    (void)which->get(42);
    Duration left{};
    which->inspect(42, [&](const auto& /*value*/, const EntryInfo& info) {
      left = info.usable_until - std::chrono::steady_clock::now();
    });
    return left;
  };
  EXPECT_LE(kept_for(program), 1s);
  EXPECT_GT(kept_for(told), 1min);
}

TEST(OverMemcached, ABackplaneTellsTheOthersMemory) {
  if (!MemcachedServer::installed()) GTEST_SKIP() << "memcached is not installed";
  if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
  const MemcachedServer memcached;
  const RedisServer redis;
  Shop shop;
  Program one{shop, memcached.url(), {.backplane = redis.url()}};
  Program other{shop, memcached.url(), {.backplane = redis.url()}};
  (void)other->get(1);

  ++shop.changes;
  one->invalidate(1);
  while (other->get(1).value().name != "product 1 of 1") std::this_thread::yield();
}

std::string complaint(const std::string& url, SharedOptions options = {}) {
  Runtime runtime{{.io_threads = 1}};
  const auto tier = open_shared_tier(runtime, url, std::move(options));
  return tier ? "" : tier.error().message;
}

TEST(ASharedTier, IsRefusedWithTheReason) {
  EXPECT_EQ(
      complaint("localhost"),
      "the shared tier's URL has no scheme; write redis://HOST:PORT, rediss://HOST:PORT (TLS), "
      "unix:///PATH, redis+cluster://HOST,HOST or redis+sentinel://HOST,HOST/NAME, or "
      "memcached://HOST,HOST");
  EXPECT_EQ(complaint("redis://h", {.name_space = "a:b"}),
            "the shared tier's namespace has other characters than letters, digits, '_', '-' and "
            "'.'");
  EXPECT_EQ(complaint("redis://h", {.name_space = ""}), "the shared tier's namespace is empty");
  EXPECT_EQ(complaint("redis://h", {.timeout = 0s}),
            "the shared tier's timeout is to be between 1 ms and 60 s");
  EXPECT_EQ(complaint("redis://h", {.lease = 1ms}),
            "the shared tier's lease is to be between 100 ms and 10 min");
  EXPECT_EQ(complaint("redis://h", {.longest_load = 0s}),
            "the shared tier's longest_load is to be between 1 ms and 24 h");
  EXPECT_EQ(complaint("redis://h", {.max_value = {0}}),
            "the shared tier's max_value is to be a size");
  EXPECT_EQ(complaint("redis://h", {.backplane = "redis://h"}),
            "the shared tier's backplane is for Memcached; a Redis tells processes itself");
  EXPECT_EQ(complaint("memcached://h", {.backplane = "memcached://h"}),
            "the shared tier's backplane names Memcached, which tells nobody; name a Redis");
  Runtime runtime{{.io_threads = 1}};
  EXPECT_THROW((void)shared_tier(runtime, "localhost"), Failure);
}

TEST(ASharedTier, TakesCachesWithNamesOfTheirOwn) {
  Runtime runtime{{.io_threads = 1}};
  const auto tier = shared_tier(runtime, "unix:///nowhere/redis.sock");
  const auto complaint_of = [&](const std::string& name) -> std::string {
    try {
      const Products products{
          runtime,
          {.name = name, .source = [](std::int64_t) { return Product{}; }, .shared = tier}};
      return "";
    } catch (const std::invalid_argument& wrong) {
      return wrong.what();
    }
  };

  EXPECT_EQ(complaint_of("product"), "");
  EXPECT_EQ(complaint_of("cache"),
            "cache \"cache\": in a shared tier caches are told apart by their names: give it one "
            "of its own (.name)");
  EXPECT_EQ(complaint_of("a:b"),
            "cache \"a:b\": its name has other characters than letters, digits, '_', '-' and '.', "
            "and names keys in the shared tier");
}

}  // namespace
}  // namespace larder
