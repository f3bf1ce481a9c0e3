// Two write-through caches, as of two processes, over one real Redis and one source.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "larder/cache.hpp"
#include "larder/thread_annotations.hpp"
#include "redis/redis_server.hpp"
#include "shared/redis_tier.hpp"

namespace larder::shared {
namespace {

using namespace std::chrono_literals;
using test::RedisServer;

// The source in person: rows, and a stop in the middle of a load or a write.
class Rows {
 public:
  std::optional<std::string> find(const std::string& key) {
    std::optional<std::string> row;
    {
      const MutexLock lock{mutex_};
      ++loads_;
      if (const auto found = rows_.find(key); found != rows_.end()) row = found->second;
    }
    pass(load_stop_);
    return row;
  }
  std::string write(const std::string& key, const std::string& value) {
    pass(write_stop_);
    const MutexLock lock{mutex_};
    return rows_[key] = value;
  }
  unsigned loads() {
    const MutexLock lock{mutex_};
    return loads_;
  }

  // Whoever comes by waits there until it is opened.
  class Stop {
   public:
    void close() { closed_ = true; }
    void open() {
      closed_ = false;
      closed_.notify_all();
    }
    void wait_for_one() const {
      while (waiting_ == 0) std::this_thread::yield();
    }
    void pass() {
      ++waiting_;
      closed_.wait(true);
      --waiting_;
    }

   private:
    std::atomic<bool> closed_{false};
    std::atomic<int> waiting_{0};
  };
  Stop load_stop_;
  Stop write_stop_;

 private:
  static void pass(Stop& stop) { stop.pass(); }

  Mutex mutex_;
  std::map<std::string, std::string> rows_ LARDER_GUARDED_BY(mutex_);
  unsigned loads_ LARDER_GUARDED_BY(mutex_) = 0;
};

struct RowWriter {
  Rows* rows;

  std::string write(const std::string& key, const std::string& value) const {
    return rows->write(key, value);
  }
};

// A process: a tier and a cache of its own.
class Shop {
 public:
  Shop(const RedisServer& server, Rows& rows, OnSharedDown down = OnSharedDown::kWrite)
      : tier_{RedisTier::start(
                  runtime_, {.url = redis::parse_redis_url(server.url()).value(), .timeout = 100ms})
                  .value()},
        cache_{runtime_,
               {.source = [&rows](const std::string& key) { return rows.find(key); },
                .writer = RowWriter{&rows},
                .jitter = 0,
                .shared = tier_->copies("product", 1),
                .on_shared_down = down,
                .memory_ttl = 60s}} {}

  Shop& ready() {
    while (!tier_->trusted() || tier_->stats().gaps == 0) std::this_thread::yield();
    return *this;
  }
  void alone() {
    while (tier_->trusted()) std::this_thread::yield();
  }
  std::string get(const std::string& key) {
    const auto answer = cache_.get(key);
    return answer ? *answer : answer.absent() ? "none" : answer.error().message;
  }
  Origin origin(const std::string& key) { return cache_.get(key).origin(); }
  Result<void> put(const std::string& key, const std::string& value) {
    return cache_.put(key, value);
  }
  RedisTier& tier() { return *tier_; }

 private:
  Runtime runtime_{{.io_threads = 1, .blocking_threads = 4}};
  std::shared_ptr<RedisTier> tier_;
  Cache<std::string, std::string> cache_;
};

class WriteThrough : public testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
    server_.emplace();
    one_.emplace(*server_, rows_);
    other_.emplace(*server_, rows_);
    (void)one_->ready().get("0");  // so that the cache has a generation
    other_->ready();
  }
  // Redis has that many of its copies, "0" among them: a put returns before it is there, and who
  // reads meanwhile sees the mark.
  void one_has_kept(std::uint64_t copies) {
    while (one_->tier().stats().fills < copies) std::this_thread::yield();
  }
  // The other has it in memory, for longer than the test.
  void other_knows(const std::string& key) {
    while (other_->origin(key) != Origin::kMemory) std::this_thread::yield();
  }
  // Until the other sees it, which only the backplane brings about.
  void other_sees(const std::string& key, const std::string& value) {
    while (other_->get(key) != value) std::this_thread::yield();
  }

  Rows rows_;
  std::optional<RedisServer> server_;
  std::optional<Shop> one_;
  std::optional<Shop> other_;
};

TEST_F(WriteThrough, AWriteInOneIsReadInTheOther) {
  ASSERT_TRUE(one_->put("1", "old"));
  one_has_kept(2);
  other_knows("1");

  ASSERT_TRUE(one_->put("1", "new"));
  one_has_kept(3);

  EXPECT_EQ(one_->get("1"), "new");
  other_sees("1", "new");
  EXPECT_EQ(rows_.loads(), 1U) << "what was written is what all read";
}

TEST_F(WriteThrough, ALoadInTheOtherThatIsSlowerThanTheWriteIsKeptNowhere) {
  ASSERT_TRUE(rows_.write("1", "old") == "old");
  rows_.load_stop_.close();
  std::string answer;
  std::jthread reader{[&] { answer = other_->get("1"); }};
  rows_.load_stop_.wait_for_one();

  ASSERT_TRUE(one_->put("1", "new"));
  rows_.load_stop_.open();
  reader.join();

  EXPECT_EQ(answer, "old") << "it asked before";
  EXPECT_EQ(one_->get("1"), "new");
  other_sees("1", "new");
}

TEST_F(WriteThrough, WhileOneWritesTheOtherAsksTheSourceAndKeepsNothing) {
  ASSERT_TRUE(rows_.write("1", "old") == "old");
  rows_.write_stop_.close();
  std::jthread writer{[&] { EXPECT_TRUE(one_->put("1", "new")); }};
  rows_.write_stop_.wait_for_one();

  EXPECT_EQ(other_->get("1"), "old");
  EXPECT_EQ(other_->origin("1"), Origin::kSource);
  EXPECT_EQ(rows_.loads(), 3U);

  rows_.write_stop_.open();
  writer.join();
  EXPECT_EQ(other_->get("1"), "new");
}

TEST_F(WriteThrough, OfTwoWritersTheOlderValueIsNeverKept) {
  rows_.write_stop_.close();
  std::jthread first{[&] { EXPECT_TRUE(one_->put("1", "one")); }};
  rows_.write_stop_.wait_for_one();
  std::jthread second{[&] { EXPECT_TRUE(other_->put("1", "other")); }};
  while (server_->ask({"STRLEN", "larder:product:1"}).integer != 2 + 2 * 29) {
    std::this_thread::yield();
  }
  rows_.write_stop_.open();
  first.join();
  second.join();

  const std::string last = *rows_.find("1");
  EXPECT_EQ(one_->get("1"), last);
  other_sees("1", last);
  EXPECT_EQ(one_->get("1"), last);
}

TEST_F(WriteThrough, WithoutTheTierItIsWrittenAndLaterKnownToAll) {
  ASSERT_TRUE(one_->put("1", "old"));
  EXPECT_EQ(other_->get("1"), "old");
  server_->kill();
  one_->alone();
  other_->alone();

  EXPECT_TRUE(one_->put("1", "new"));
  EXPECT_EQ(one_->get("1"), "new");

  server_->start();
  one_->ready();
  other_sees("1", "new");
}

TEST_F(WriteThrough, WithoutTheTierItIsRefusedWhereThatIsWanted) {
  Shop careful{*server_, rows_, OnSharedDown::kRefuse};
  ASSERT_TRUE(careful.ready().put("1", "old"));
  server_->kill();
  careful.alone();

  const Result<void> refused = careful.put("1", "new");

  EXPECT_EQ(refused.error().code, Errc::kOverloaded);
  EXPECT_EQ(*rows_.find("1"), "old");
  server_->start();
  EXPECT_TRUE(careful.ready().put("1", "new"));
}

TEST_F(WriteThrough, ATierThatHangsDelaysAWriteByOneTimeout) {
  server_->pause();

  EXPECT_TRUE(one_->put("1", "new")) << "after it, the tier is left alone";
  EXPECT_EQ(one_->get("1"), "new");

  server_->resume();
  one_->ready();
  EXPECT_EQ(one_->get("1"), "new");
}

}  // namespace
}  // namespace larder::shared
