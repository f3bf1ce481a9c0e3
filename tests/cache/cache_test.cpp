// The public Cache on a real Runtime: threads, blocking calls, Asio.
#include "larder/cache.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <latch>
#include <thread>

namespace larder {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

struct Product {
  std::int64_t id = 0;
  std::string name;
};

using Products = Cache<std::int64_t, Product>;
using Options = CacheOptions<std::int64_t, Product>;

std::optional<Product> teapot(std::int64_t id) {
  if (id < 0) return std::nullopt;
  return Product{id, "teapot " + std::to_string(id)};
}

TEST(Cache, AFunctionIsASource) {
  Runtime runtime;
  Products products{runtime, {.name = "product", .source = teapot}};

  const auto product = products.get(42);

  ASSERT_TRUE(product);
  EXPECT_EQ(product->name, "teapot 42");
  EXPECT_TRUE(products.get(-1).absent());
  EXPECT_EQ(products.get(42).origin(), Origin::kMemory);
}

TEST(Cache, WhatAFunctionThrowsIsTheError) {
  Runtime runtime;
  Products products{runtime, {.name = "product", .source = [](std::int64_t) -> Product {
                                throw std::runtime_error{"no such table: products"};
                              }}};

  const auto product = products.get(42);

  ASSERT_TRUE(product.failed());
  EXPECT_EQ(product.error().code, Errc::kSourceFailed);
  EXPECT_EQ(product.error().message,
            "cache \"product\", key 42: the source threw: no such table: products");
  EXPECT_THROW((void)product.value(), Failure);
}

TEST(Cache, ALimitThatALoadMeetsInAnotherCacheIsALimitOutsideToo) {
  Runtime runtime;
  const auto throws = [&](Errc code) {
    Products products{runtime, {.source = [code](std::int64_t) -> Product {
                        throw Failure{{code, "said within"}};
                      }}};
    return products.get(42).error();
  };

  EXPECT_EQ(throws(Errc::kOverloaded).code, Errc::kOverloaded);
  EXPECT_EQ(throws(Errc::kCancelled).code, Errc::kCancelled);
  EXPECT_EQ(throws(Errc::kBadValue).code, Errc::kSourceFailed);
  EXPECT_NE(throws(Errc::kBadValue).message.find("said within"), std::string::npos);
}

TEST(Cache, SixtyFourThreadsLoadAColdKeyOnce) {
  constexpr int kThreads = 64;
  Runtime runtime;
  std::atomic<int> queries{0};
  std::latch all_wait{1};
  Products products{runtime, {.source = [&](std::int64_t id) {
                      ++queries;
                      all_wait.wait();
                      return teapot(id);
                    }}};
  std::atomic<int> right{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        const auto product = products.get(42);
        if (product && product->id == 42) ++right;
      });
    }
    while (products.stats().misses < kThreads) std::this_thread::yield();
    all_wait.count_down();
  }

  EXPECT_EQ(queries, 1);
  EXPECT_EQ(right, kThreads);
}

// An object that answers many keys at once.
struct Shop {
  std::atomic<int>* calls;

  [[nodiscard]] Product load(std::int64_t id) const { return *teapot(id); }
  [[nodiscard]] std::vector<Loaded<Product>> load_many(std::span<const std::int64_t> ids) const {
    ++*calls;
    std::vector<Loaded<Product>> products;
    for (const auto id : ids) products.emplace_back(teapot(id));
    return products;
  }
  [[nodiscard]] std::string describe() const { return "the shop"; }
};

TEST(Cache, GetManyAsksTheSourceOnceForAllThatIsMissing) {
  Runtime runtime;
  std::atomic<int> calls{0};
  Products products{runtime, {.source = Shop{&calls}}};
  (void)products.get(2);
  const std::vector<std::int64_t> ids{1, 2, -3, 4};

  const auto many = products.get_many(ids);

  ASSERT_EQ(many.size(), 4U);
  EXPECT_EQ(many[0]->id, 1);
  EXPECT_EQ(many[1].origin(), Origin::kMemory);
  EXPECT_TRUE(many[2].absent());
  EXPECT_EQ(many[3]->id, 4);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(products.describe_source(), "the shop");
  EXPECT_TRUE(products.get_many({}).empty());
}

TEST(Cache, CacheAsideIsFilledByItsCaller) {
  Runtime runtime;
  Products products{runtime, {.name = "product"}};
  EXPECT_EQ(products.strategy(), Strategy::kCacheAside);
  EXPECT_TRUE(products.get(42).absent());

  ASSERT_TRUE(products.put(42, {42, "teapot"}));

  EXPECT_EQ(products.get(42)->name, "teapot");
  EXPECT_TRUE(products.invalidate(42));
  EXPECT_TRUE(products.get(42).absent());
}

TEST(Cache, BytesAreValuesToo) {
  Runtime runtime;
  Cache<std::string, std::string> pages{runtime, {.name = "page"}};

  ASSERT_TRUE(pages.put("home", "<html>"));

  std::string seen;
  EXPECT_TRUE(pages.visit(std::string_view{"home"},
                          [&](std::string_view page, const EntryInfo&) { seen = page; }));
  EXPECT_EQ(seen, "<html>");
  EXPECT_EQ(pages.get("home").value(), "<html>");
}

TEST(Cache, ATimeoutIsTheCallersOwn) {
  Runtime runtime;
  std::latch go_on{1};
  Products products{runtime, {.source = [&](std::int64_t id) {
                      go_on.wait();
                      return teapot(id);
                    }}};

  const auto hasty = products.get(42, {.timeout = 1ms});
  go_on.count_down();
  const auto patient = products.get(42);

  EXPECT_EQ(hasty.error().code, Errc::kTimeout);
  EXPECT_EQ(patient->id, 42);
  EXPECT_EQ(products.stats().loads, 1U);
}

TEST(Cache, ATimeoutMayBeAsLongAsTimeItself) {
  Runtime runtime;
  Products products{runtime, {.source = teapot, .loads = {.timeout = Duration::max()}}};

  EXPECT_EQ(products.get(42, {.timeout = Duration::max()})->id, 42);
}

TEST(Cache, AValueNeedNotBeCopyable) {
  Runtime runtime;
  Cache<int, std::unique_ptr<int>> cache{
      runtime, {.source = [](int key) { return std::make_unique<int>(key); }}};

  EXPECT_EQ(*cache.get(42).value(), 42);
}

TEST(Cache, ABlockingCallOnAnIoThreadIsRefused) {
  Runtime runtime;
  Products products{runtime, {.source = teapot}};
  std::promise<Answer<Product>> answer;

  asio::post(runtime.executor(), [&] { answer.set_value(products.get(42)); });

  EXPECT_EQ(answer.get_future().get().error().code, Errc::kInvalidArgument);
}

TEST(Cache, EveryCallTakesACompletionToken) {
  Runtime runtime;
  Products products{runtime, {.source = teapot}};
  Products sessions{runtime, Options{}};

  EXPECT_EQ(products.async_get(42, asio::use_future).get()->id, 42);
  EXPECT_EQ(products.async_get(42, {}, asio::use_future).get().origin(), Origin::kMemory);
  EXPECT_EQ(products.async_get_many({1, 42}, asio::use_future).get()[0]->id, 1);
  EXPECT_EQ(products.async_peek(42, asio::use_future).get()->id, 42);
  EXPECT_EQ(products.async_refresh(42, asio::use_future).get().origin(), Origin::kSource);
  EXPECT_TRUE(products.async_invalidate(42, asio::use_future).get());
  EXPECT_TRUE(sessions.async_put(7, {7, "mine"}, asio::use_future).get());
  EXPECT_EQ(sessions.peek(7)->name, "mine");
}

TEST(Cache, ACoroutineAwaitsIt) {
  Runtime runtime;
  Products products{runtime, {.source = teapot}};

  auto name = asio::co_spawn(
      runtime.executor(),
      [&]() -> asio::awaitable<std::string> {
        const auto first = co_await products.async_get(41);
        const auto second = co_await products.async_get(42, asio::use_awaitable);
        co_return first->name + ", " + second->name;
      },
      asio::use_future);

  EXPECT_EQ(name.get(), "teapot 41, teapot 42");
}

TEST(Cache, CancellationAbandonsOnlyTheCallersWait) {
  Runtime runtime;
  std::latch go_on{1};
  Products products{runtime, {.source = [&](std::int64_t id) {
                      go_on.wait();
                      return teapot(id);
                    }}};
  asio::cancellation_signal signal;
  std::promise<Answer<Product>> cancelled;
  auto other = products.async_get(42, asio::use_future);
  const auto executor = runtime.executor();

  asio::post(executor, [&] {
    products.async_get(42, asio::bind_cancellation_slot(
                               signal.slot(), asio::bind_executor(executor, [&](auto answer) {
                                 cancelled.set_value(std::move(answer));
                               })));
    signal.emit(asio::cancellation_type::terminal);
  });

  EXPECT_EQ(cancelled.get_future().get().error().code, Errc::kCancelled);
  go_on.count_down();
  EXPECT_EQ(other.get()->id, 42);
}

TEST(Cache, LoadsEndAfterTheirCacheIsGone) {
  Runtime runtime;
  std::latch go_on{1};
  std::future<Answer<Product>> answer;
  {
    Products products{runtime, {.source = [&](std::int64_t id) {
                        go_on.wait();
                        return teapot(id);
                      }}};
    answer = products.async_get(42, asio::use_future);
  }

  go_on.count_down();

  EXPECT_EQ(answer.get()->id, 42);
}

TEST(Cache, SaysAtOnceWhatCannotWork) {
  Runtime runtime;

  EXPECT_THROW(Products(runtime, {.strategy = Strategy::kReadThrough}), std::invalid_argument);
  EXPECT_THROW(Products(runtime, {.ttl = 0s}), std::invalid_argument);
  EXPECT_THROW(Products(runtime, {.jitter = 2}), std::invalid_argument);
  EXPECT_THROW(Products(runtime, {.loads = {.concurrent = 0}}), std::invalid_argument);
  EXPECT_THROW(Products(runtime, {.memory = {.capacity = ByteCount{0}}}), std::invalid_argument);
}

TEST(Cache, WhatCannotWorkIsSaidWithTheCachesName) {
  Runtime runtime;

  try {
    const Products refused{runtime, {.name = "product", .jitter = 2}};
    FAIL() << "took a jitter of 2";
  } catch (const std::invalid_argument& wrong) {
    EXPECT_EQ(std::string{wrong.what()},
              "cache \"product\": jitter must be in [0, 1): it is a fraction of ttl");
  }
}

TEST(Cache, ATtlOfNothingIsRefusedEvenWhereThereIsACopy) {
  Runtime runtime;
  Products products{runtime, {.name = "product"}};
  ASSERT_TRUE(products.put(42, {42, "teapot"}));

  const auto put = products.put(42, {42, "cup"}, {.ttl = 0s});
  const auto get = products.get(42, {.ttl = -1s});

  EXPECT_EQ(put.error().code, Errc::kInvalidArgument);
  EXPECT_EQ(get.error().code, Errc::kInvalidArgument);
  EXPECT_EQ(products.peek(42)->name, "teapot");
}

// What waits for a blocking thread is not under way yet: it is given up for its
// wait, and its function is not called for nothing.
TEST(Cache, ALoadBehindBusyThreadsWaitsAndIsNotMadeOnceItIsGivenUp) {
  std::atomic<int> called{0};
  std::latch go_on{1};
  Answer<Product> late;
  {
    Runtime runtime{{.io_threads = 1, .blocking_threads = 1}};
    Products slow{runtime, {.source = [&](std::int64_t id) {
                    go_on.wait();
                    return teapot(id);
                  }}};
    Products hasty{runtime,
                   {.source =
                        [&](std::int64_t id) {
                          ++called;
                          return teapot(id);
                        },
                    .loads = {.timeout = 1h, .wait_timeout = 1ms}}};
    auto first = slow.async_get(1, asio::use_future);

    late = hasty.get(2);
    go_on.count_down();
    EXPECT_EQ(first.get()->id, 1);
    EXPECT_EQ(slow.get(3)->id, 3);  // behind the one that was given up
  }

  EXPECT_EQ(late.error().code, Errc::kOverloaded);
  EXPECT_EQ(called, 0);
}

// Two threads, both in loading functions that wait for a load which needs a thread.
TEST(Cache, LoadingFunctionsMayReadAnotherCacheWithoutTakingAllThreads) {
  Runtime runtime{{.io_threads = 1, .blocking_threads = 2}};
  Products inner{runtime, {.name = "inner", .source = teapot}};
  std::latch both{2};
  Products outer{runtime, {.name = "outer", .source = [&](std::int64_t id) {
                             both.arrive_and_wait();
                             return Product{id,
                                            inner.get(id, {.timeout = 1h})->name + " on a tray"};
                           }}};
  auto first = outer.async_get(1, asio::use_future);
  auto second = outer.async_get(2, asio::use_future);

  EXPECT_EQ(first.get()->name, "teapot 1 on a tray");
  EXPECT_EQ(second.get()->name, "teapot 2 on a tray");
}

TEST(Cache, ALoadingFunctionThatWouldWaitBeyondTheThreadsGetsAnError) {
  Runtime runtime{{.io_threads = 1, .blocking_threads = 1, .waiting_threads = 0}};
  Products inner{runtime, {.name = "inner", .source = teapot}};
  Products outer{runtime, {.name = "outer", .source = [&](std::int64_t id) -> Loaded<Product> {
                             const auto product = inner.get(id);
                             if (product.failed()) return std::unexpected{product.error()};
                             return *product;
                           }}};

  const auto product = outer.get(1);

  EXPECT_EQ(product.error().code, Errc::kOverloaded);
  EXPECT_NE(product.error().message.find("\"inner\": too many loading functions wait"),
            std::string::npos);
}

// Readers, invalidations and a source whose version only grows: nobody may see a
// version older than the last invalidation it knows of.
TEST(Cache, ConcurrentInvalidationsNeverLeaveAStaleCopy) {
  constexpr int kReaders = 4;
  constexpr int kInvalidations = 300;
  Runtime runtime;
  std::atomic<int> version{0};
  std::atomic<int> floor{0};
  std::atomic<bool> stop{false};
  std::atomic<int> stale{0};
  Cache<int, int> cache{runtime, {.source = [&](int) { return version.load(); }}};
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < kReaders; ++i) {
      readers.emplace_back([&] {
        while (!stop) {
          const int least = floor;
          const auto seen = cache.get(1);
          if (!seen || *seen < least) ++stale;
        }
      });
    }
    for (int i = 0; i < kInvalidations; ++i) {
      const int now = ++version;
      cache.invalidate(1);
      floor = now;
      (void)cache.get(1);
    }
    stop = true;
  }

  EXPECT_EQ(stale, 0);
  EXPECT_EQ(cache.get(1).value(), kInvalidations);
}

}  // namespace
}  // namespace larder
