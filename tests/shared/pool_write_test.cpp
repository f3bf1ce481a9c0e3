// Writes of one process, as the others see them, over a real Memcached.
#include <gmock/gmock.h>

#include <atomic>

#include "memcached/scripted_memcached.hpp"
#include "shared/pool_process.hpp"

namespace larder::shared {
namespace {

using test::ScriptedMemcached;

// A process that writes.
class Author : public PoolProcess {
 public:
  using PoolProcess::PoolProcess;

  std::vector<SharedMark> mark_all(const std::vector<std::string>& keys, Duration life = 60s) {
    Mutex mutex;
    Condition news;
    std::optional<std::vector<SharedMark>> taken;
    copies().begin_write(keys, life, [&](std::vector<SharedMark> marks) {
      const MutexLock lock{mutex};
      taken = std::move(marks);
      news.notify_all();
    });
    const MutexLock lock{mutex};
    while (!taken) news.wait(mutex);
    return *taken;
  }
  SharedMark mark(const std::string& key, Duration life = 60s) {
    return mark_all({key}, life).front();
  }
  void finish(SharedMark mark, const std::string& value) {
    copies().finish_write(std::move(mark),
                          SharedFill{.bytes = value, .lifetime = 60s, .cost = 1ms});
  }
  // Until its writes have ended in Memcached too.
  void rest() {
    const auto ending = [&] {
      for (const char* key : {"1", "2", "3"}) {
        for (const auto& each : tier().servers()) {
          if (each->ending(item_of(tier(), key))) return true;
        }
      }
      return false;
    };
    while (ending()) std::this_thread::yield();
  }
};

class PoolWrite : public PoolTierTest {
 protected:
  void SetUp() override {
    PoolTierTest::SetUp();
    if (IsSkipped()) return;
    author_.emplace(url(), PoolOptions{.timeout = 400ms});
    other_.emplace(url(), PoolOptions{.timeout = 400ms});
    author_->ready();
    other_->ready();
  }
  // Who finds it keeps nothing.
  bool marked(const std::string& key) {
    const SharedAnswer answer = other_->read(key);
    if (answer.lease) other_->copies().release(answer.lease);
    return answer.written;
  }
  // The letter of what the key holds, stale or not.
  std::string kind(const std::string& key) {
    const std::string said = server().ask("mg larder:product:" + key + " v\r\n");
    const std::size_t at = said.find("\r\n") + 2;
    return said.starts_with("VA") ? said.substr(at, 1) : "";
  }

  std::optional<Author> author_;
  std::optional<Author> other_;
};

TEST_F(PoolWrite, WhatIsWrittenIsTheOthers) {
  other_->load("1", "old");
  const SharedMark mark = author_->mark("1");
  ASSERT_TRUE(mark);
  EXPECT_TRUE(marked("1"));

  author_->finish(mark, "new");

  const SharedAnswer next = author_->read("1");
  EXPECT_TRUE(next.written || next.copy.bytes == "new") << "its end is on its way";
  author_->rest();
  EXPECT_EQ(author_->copy("1"), "new");
  EXPECT_EQ(other_->copy("1"), "new");
}

TEST_F(PoolWrite, AReaderSlowerThanTheWriteLeavesNothing) {
  const SharedAnswer slow = other_->read("1");
  ASSERT_TRUE(slow.lease);

  author_->finish(author_->mark("1"), "new");
  author_->rest();
  other_->copies().fill(slow.lease, "old", 60s, 1ms);

  while (other_->tier().stats().refused_fills == 0) std::this_thread::yield();
  EXPECT_EQ(other_->copy("1"), "new");
}

TEST_F(PoolWrite, OfTwoWritersNeitherIsKept) {
  const SharedMark mine = author_->mark("1");
  const SharedMark theirs = other_->mark("1");

  author_->finish(mine, "perhaps older");
  author_->rest();
  EXPECT_TRUE(marked("1"));
  other_->finish(theirs, "perhaps older, too");
  other_->rest();

  EXPECT_EQ(kind("1"), "");
  EXPECT_EQ(author_->copy("1"), std::nullopt);
}

TEST_F(PoolWrite, ManyWritersAtOnceAllLeaveTheirMark) {
  std::vector<SharedMark> marks;
  {
    std::vector<std::jthread> threads;
    Mutex mutex;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        const SharedMark mark = (i % 2 == 0 ? author_ : other_)->mark("1");
        const MutexLock lock{mutex};
        marks.push_back(mark);
      });
    }
  }
  for (std::size_t i = 0; i < marks.size(); ++i) {
    EXPECT_TRUE(marks[i]);
    EXPECT_EQ(kind("1"), "M") << i << " have ended";
    author_->finish(marks[i], "v");
    author_->rest();
  }

  EXPECT_EQ(kind("1"), "");
}

TEST_F(PoolWrite, AnInvalidationBesideItWins) {
  const SharedMark mark = author_->mark("1");
  other_->copies().invalidate("1");
  (void)other_->copy("2");  // behind it
  EXPECT_TRUE(marked("1")) << "the mark stays";

  author_->finish(mark, "from before");
  author_->rest();

  EXPECT_EQ(author_->copy("1"), std::nullopt);
}

TEST_F(PoolWrite, AClearBesideItWins) {
  (void)author_->copy("1");  // so that the cache has a generation
  const SharedMark mark = author_->mark("1");
  other_->copies().clear();
  (void)other_->copy("2");

  author_->finish(mark, "from before");
  author_->rest();

  EXPECT_EQ(author_->copy("1"), std::nullopt);
}

TEST_F(PoolWrite, AWriterThatDiesLeavesAMarkThatEnds) {
  author_->load("1", "old");
  EXPECT_EQ(author_->copy("1"), "old");
  ASSERT_TRUE(author_->mark("1", 1s));
  author_.reset();

  EXPECT_TRUE(marked("1"));
  while (marked("1")) std::this_thread::yield();
  EXPECT_EQ(other_->copy("1"), std::nullopt) << "and no older copy is behind it";
}

TEST_F(PoolWrite, AWriteOfUnknownOutcomeStaysMarked) {
  const SharedMark mark = author_->mark("1", 1s);
  author_->copies().leave_write(mark, 60s);
  author_->rest();

  EXPECT_TRUE(marked("1"));
  EXPECT_THAT(server().ask("mg larder:product:1 t\r\n"), ::testing::StartsWith("HD t6"));
}

TEST_F(PoolWrite, AnEvictedMarkCostsTheCopyAndNoReaderSeesTheOld) {
  const SharedMark mark = author_->mark("1");
  server().ask("md larder:product:1\r\n");
  other_->load("1", "from before the commit");
  EXPECT_EQ(other_->copy("1"), "from before the commit");

  author_->finish(mark, "new");

  EXPECT_EQ(author_->copy("1"), std::nullopt) << "behind it in the same process";
  author_->rest();
  EXPECT_EQ(other_->copy("1"), std::nullopt);
}

TEST_F(PoolWrite, ManyKeysAreMarkedTogether) {
  servers_.push_back(std::make_unique<MemcachedServer>());
  Author pair{url()};
  wait_for_servers(pair, 2);
  std::vector<std::string> keys;
  for (int i = 0; i < 20; ++i) keys.push_back(std::to_string(i));

  const auto marks = pair.mark_all(keys);

  ASSERT_EQ(marks.size(), keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    EXPECT_TRUE(marks[i]);
    EXPECT_EQ(marks[i].key, "larder:product:" + keys[i]);
  }
  EXPECT_EQ(pair.tier().stats().marks, keys.size());
}

TEST_F(PoolWrite, AnEndThatCouldNotBeToldIsToldAsAnInvalidation) {
  const SharedMark mark = author_->mark("1");
  server().pause();
  author_->finish(mark, "new");
  author_->lost();
  EXPECT_EQ(author_->copy("1"), std::nullopt) << "it is not asked";
  EXPECT_EQ(author_->tier().stats().undelivered, 1U);

  server().resume();
  author_->ready();

  EXPECT_TRUE(marked("1")) << "until it has ended by itself";
  EXPECT_EQ(author_->tier().stats().undelivered, 0U);
}

// As a full one answers `ms`: it has taken away what the key had by then.
class FullServer {
 public:
  explicit FullServer(const MemcachedServer& real)
      : server_{real, [this, &real](std::string_view line) { return answer(real, line); }} {}
  [[nodiscard]] std::string url() const { return server_.url(); }
  void refuse(int times) { refuses_ = times; }

 private:
  std::optional<std::string> answer(const MemcachedServer& real, std::string_view line) {
    if (!line.starts_with("ms ") || refuses_ == 0) return std::nullopt;
    --refuses_;
    real.ask("md " + std::string{line.substr(3, line.find(' ', 3) - 3)} + "\r\n");
    return "SERVER_ERROR out of memory storing object\r\n";
  }

  std::atomic<int> refuses_{0};
  const ScriptedMemcached server_;
};

TEST_F(PoolWrite, AFullServerIsToldOfTheEndAndStaysTrusted) {
  FullServer full{server()};
  Author author{full.url()};
  (void)author.ready().copy("1");  // so that the cache has a generation
  const SharedMark mark = author.mark("1");
  full.refuse(1);

  author.finish(mark, "new");
  author.rest();

  EXPECT_TRUE(author.tier().trusted());
  EXPECT_EQ(author.tier().stats().undelivered, 0U);
  EXPECT_EQ(author.tier().stats().fills, 0U);
  EXPECT_EQ(other_->copy("1"), std::nullopt);
}

TEST_F(PoolWrite, AMarkThatAFullServerRefusesIsTriedAgain) {
  FullServer full{server()};
  Author author{full.url()};
  author.ready();
  full.refuse(1);
  const SharedMark mark = author.mark("1");
  EXPECT_TRUE(mark);
  EXPECT_TRUE(marked("1"));

  full.refuse(1);
  author.copies().leave_write(mark, 60s);
  author.rest();

  EXPECT_TRUE(marked("1"));
  EXPECT_TRUE(author.tier().trusted());
}

// Its commit may land, and nobody else can be told; this process at least keeps nothing.
TEST_F(PoolWrite, WhereNoMarkIsTakenTheKeyIsLeftToTheSource) {
  FullServer full{server()};
  Author author{full.url()};
  (void)author.ready().copy("1");
  const SharedMark mark = author.mark("1");
  full.refuse(2);

  author.copies().leave_write(mark, 2s);
  author.lost();
  author.ready();

  EXPECT_TRUE(author.read("1").written);
  author.rest();
  EXPECT_FALSE(author.read("1").written) << "once it cannot land any more";
}

TEST_F(PoolWrite, WithoutAServerNoMarkIsTaken) {
  server().kill();
  author_->lost();

  EXPECT_FALSE(author_->mark("1"));
  EXPECT_EQ(author_->tier().stats().untaken_marks, 1U);
}

}  // namespace
}  // namespace larder::shared
