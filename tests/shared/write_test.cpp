// Writes of one process, as the others see them, over one real Redis that may fail at each step.
#include <gmock/gmock.h>

#include "shared/process.hpp"

namespace larder::shared {
namespace {

// A process that writes.
class Author : public Process {
 public:
  using Process::Process;

  SharedMark mark(const std::string& key, Duration life = 60s) {
    Mutex mutex;
    Condition news;
    std::optional<SharedMark> taken;
    copies().begin_write({key}, life, [&](std::vector<SharedMark> marks) {
      const MutexLock lock{mutex};
      taken = std::move(marks.front());
      news.notify_all();
    });
    const MutexLock lock{mutex};
    while (!taken) news.wait(mutex);
    return *taken;
  }
  void finish(SharedMark mark, const std::string& value) {
    copies().finish_write(std::move(mark),
                          SharedFill{.bytes = value, .lifetime = 60s, .cost = 1ms});
  }
};

class Write : public RedisTierTest {
 protected:
  void SetUp() override {
    RedisTierTest::SetUp();
    if (IsSkipped()) return;
    author_.emplace(*server_, RedisTierOptions{.timeout = 100ms});
    other_.emplace(*server_, RedisTierOptions{.timeout = 100ms});
    author_->ready();
    other_->ready();
  }
  // Who finds it keeps nothing.
  bool marked(const std::string& key) {
    const SharedAnswer answer = other_->read(key);
    if (answer.lease) other_->copies().release(answer.lease);
    return answer.written;
  }
  bool exists(const std::string& key) {
    return server_->ask({"EXISTS", "larder:product:" + key}).integer == 1;
  }

  std::optional<Author> author_;
  std::optional<Author> other_;
};

TEST_F(Write, WhatIsWrittenIsTheOthersAtOnce) {
  other_->load("1", "old");
  const SharedMark mark = author_->mark("1");
  ASSERT_TRUE(mark);
  EXPECT_TRUE(marked("1"));

  author_->finish(mark, "new");

  EXPECT_EQ(author_->copy("1"), "new") << "behind it on the same connection";
  EXPECT_EQ(other_->copy("1"), "new");
}

TEST_F(Write, BothStepsAreToldToTheOthersMemory) {
  const auto heard = other_->listen();

  const SharedMark mark = author_->mark("1");
  EXPECT_EQ(heard->word(1), "1");
  author_->finish(mark, "new");

  EXPECT_EQ(heard->word(2), "1");
}

TEST_F(Write, AReaderSlowerThanTheWriteLeavesNothing) {
  const SharedAnswer slow = other_->read("1");
  ASSERT_TRUE(slow.lease);

  author_->finish(author_->mark("1"), "new");
  ASSERT_EQ(author_->copy("1"), "new");  // behind it on the same connection
  other_->copies().fill(slow.lease, "old", 60s, 1ms);

  while (other_->tier().stats().refused_fills == 0) std::this_thread::yield();
  EXPECT_EQ(other_->copy("1"), "new");
}

TEST_F(Write, OfTwoWritersNeitherIsKept) {
  const SharedMark mine = author_->mark("1");
  const SharedMark theirs = other_->mark("1");

  author_->finish(mine, "perhaps older");
  EXPECT_TRUE(marked("1"));
  other_->finish(theirs, "perhaps older, too");

  EXPECT_EQ(author_->copy("1"), std::nullopt);
  EXPECT_EQ(other_->copy("1"), std::nullopt);
}

TEST_F(Write, AnInvalidationBesideItWins) {
  const SharedMark mark = author_->mark("1");
  other_->copies().invalidate("1");
  (void)other_->copy("2");  // behind it

  author_->finish(mark, "from before");

  EXPECT_EQ(author_->copy("1"), std::nullopt);
}

TEST_F(Write, AClearBesideItWins) {
  (void)author_->copy("1");  // so that the cache has a generation
  const SharedMark mark = author_->mark("1");
  other_->copies().clear();
  (void)other_->copy("2");

  author_->finish(mark, "from before");

  EXPECT_EQ(author_->copy("1"), std::nullopt);
}

TEST_F(Write, OfAWriterThatDiesTheMarkEnds) {
  other_->load("1", "old");
  ASSERT_TRUE(author_->mark("1", 400ms));

  author_.reset();

  EXPECT_TRUE(marked("1")) << "the commit may have been done";
  while (exists("1")) std::this_thread::yield();
  EXPECT_EQ(other_->copy("1"), std::nullopt);
}

// One dead writer does not keep a key that is always written out of the tier for ever.
TEST_F(Write, OfAWriterThatDiesTheMarkEndsThoughOthersGoOnWriting) {
  ASSERT_TRUE(author_->mark("1", 200ms));
  author_.reset();

  bool kept = false;
  const TimePoint begun = std::chrono::steady_clock::now();
  while (!kept && std::chrono::steady_clock::now() - begun < 20s) {
    other_->finish(other_->mark("1", 60s), "new");
    kept = other_->copy("1") == "new";
  }

  EXPECT_TRUE(kept);
}

TEST_F(Write, AnUnknownOutcomeIsAskedOfTheSourceUntilItCannotLand) {
  const SharedMark mark = author_->mark("1", 60s);
  author_->copies().leave_write(mark, 300ms);
  (void)author_->copy("2");  // behind it

  EXPECT_TRUE(marked("1"));
  while (exists("1")) std::this_thread::yield();
  EXPECT_FALSE(marked("1"));
}

TEST_F(Write, AnUnknownOutcomeIsMarkedAnewWhereTheMarkWasLost) {
  const SharedMark mark = author_->mark("1", 60s);
  server_->ask({"DEL", "larder:product:1"});

  author_->copies().leave_write(mark, 60s);
  (void)author_->copy("2");

  EXPECT_TRUE(marked("1"));
}

TEST_F(Write, AMarkThatWasLostMakesTheFinishAnInvalidation) {
  const SharedMark mark = author_->mark("1");
  server_->ask({"DEL", "larder:product:1"});
  other_->load("1", "from before the commit");

  author_->finish(mark, "new");
  (void)author_->copy("2");

  EXPECT_EQ(other_->copy("1"), std::nullopt);
}

TEST_F(Write, WithoutATierTheWriterIsToldSoAtOnce) {
  Author alone{"unix:///nowhere/redis.sock"};

  const SharedMark mark = alone.mark("1");
  EXPECT_FALSE(mark);
  alone.finish(mark, "new");

  EXPECT_EQ(alone.tier().stats().undelivered, 1U);
}

TEST_F(Write, WhatWasWrittenWhileTheTierWasAwayIsInvalidatedBeforeItIsAsked) {
  other_->load("1", "old");
  EXPECT_EQ(author_->copy("1"), "old");
  server_->pause();
  const SharedMark mark = author_->mark("1");
  EXPECT_FALSE(mark) << "nobody knows whether it was taken";
  author_->lost();
  author_->finish(mark, "new");
  EXPECT_EQ(author_->tier().stats().undelivered, 1U);

  server_->resume();
  author_->ready();

  EXPECT_EQ(author_->copy("1"), std::nullopt);
  EXPECT_EQ(other_->ready().copy("1"), std::nullopt);
}

TEST_F(Write, AServerThatDiesBeforeTheFinishIsToldThatTheCopyIsOld) {
  other_->load("1", "old");
  EXPECT_EQ(author_->copy("1"), "old");
  const SharedMark mark = author_->mark("1");
  ASSERT_TRUE(mark);
  server_->kill();
  author_->finish(mark, "new");
  author_->lost();
  server_->start();

  EXPECT_EQ(author_->ready().copy("1"), std::nullopt);
  EXPECT_EQ(author_->tier().stats().undelivered, 0U);
}

// The marker rises again from the RDB file, without the writer that came later.
TEST_F(Write, AMarkThatRoseAgainLeavesNoValue) {
  const SharedMark older = author_->mark("1");
  server_->ask({"SAVE"});
  const SharedMark later = other_->mark("1");
  other_->finish(later, "newer");
  (void)other_->copy("2");
  server_->kill();
  author_->lost();
  other_->lost();
  server_->start();
  author_->ready();
  other_->ready();
  ASSERT_EQ(server_->ask({"GETRANGE", "larder:product:1", "0", "0"}).text, "M");

  author_->finish(older, "older");
  (void)author_->copy("2");

  EXPECT_FALSE(exists("1"));
}

TEST_F(Write, AFullServerLosesTheValueAndNotTheInvalidation) {
  other_->load("1", "old");
  const SharedMark mark = author_->mark("1");
  server_->ask({"CONFIG", "SET", "maxmemory", "1"});

  author_->finish(mark, "new");
  (void)author_->read("2");
  EXPECT_FALSE(exists("1"));
  EXPECT_TRUE(author_->tier().trusted());
  EXPECT_FALSE(author_->mark("1")) << "nor can it be marked";

  server_->ask({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_TRUE(author_->mark("1"));
}

TEST_F(Write, WhatIsNotLardersIsTakenAwayByAWrite) {
  (void)author_->copy("1");  // so that the cache has a generation
  server_->ask({"DEL", "larder:product:1"});
  server_->ask({"LPUSH", "larder:product:1", "a list"});

  author_->finish(author_->mark("1"), "new");

  EXPECT_EQ(author_->copy("1"), "new");
}

TEST_F(Write, WhatIsNotLardersDoesNotStopAnInvalidation) {
  server_->ask({"LPUSH", "larder:product:1", "a list"});

  author_->copies().invalidate("1");
  (void)author_->copy("2");

  EXPECT_FALSE(exists("1"));
  EXPECT_TRUE(author_->tier().trusted());
}

}  // namespace
}  // namespace larder::shared
