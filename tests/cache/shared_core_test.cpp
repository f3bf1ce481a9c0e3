// A cache over memory, a shared tier and a source, step by step.
#include <gmock/gmock.h>

#include <utility>

#include "core_fixture.hpp"
#include "hand_copies.hpp"
#include "hand_vouch.hpp"

namespace larder {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SharedCore : public testing::CoreFixture {
 public:
  SharedCore() {
    shared_ = {copies_, [](int key) { return std::to_string(key); },
               [](const std::string& value) { return "<" + value + ">"; },
               [](std::string bytes) -> Result<std::string> {
                 if (!bytes.starts_with('<')) return fail(Errc::kBadValue, "no value");
                 return bytes.substr(1, bytes.size() - 2);
               }};
    memory_ttl_ = 10s;
    make();
  }
  // A read that waits holds the core, which holds the copies.
  ~SharedCore() override {
    while (!copies_->pending.empty()) {
      const auto lost = std::exchange(copies_->pending, {});
    }
  }

  std::shared_ptr<testing::HandCopies> copies_ = std::make_shared<testing::HandCopies>();
};

TEST_F(SharedCore, ACopyThereNeedsNoSource) {
  const auto reader = read(42);
  ASSERT_TRUE(reader->waits());
  EXPECT_EQ(copies_->pending.front().keys.front().key, "42");

  copies_->copy("<teapot>", 20s, 40s);

  EXPECT_EQ(reader->answer().value(), "teapot");
  EXPECT_EQ(reader->answer().origin(), Origin::kShared);
  EXPECT_EQ(reader->answer().age(), 20s);
  EXPECT_EQ(source_->loads, 0U);
  EXPECT_EQ(core_->stats().shared_hits, 1U);
}

TEST_F(SharedCore, ACopyIsKeptInMemoryForNoLongerThanItLives) {
  (void)read(42);
  copies_->copy("<teapot>", 57s, 3s);

  clock_.advance(2s);
  EXPECT_EQ(read(42)->answer().origin(), Origin::kMemory);
  EXPECT_EQ(read(42)->answer().age(), 59s);
  clock_.advance(1s);
  EXPECT_TRUE(read(42)->waits());
}

TEST_F(SharedCore, MemoryKeepsNothingForLongerThanMemoryTtl) {
  (void)read(42);
  copies_->copy("<teapot>", 0s, 60s);

  clock_.advance(9999ms);
  EXPECT_EQ(read(42)->answer().origin(), Origin::kMemory);
  clock_.advance(1ms);
  EXPECT_TRUE(read(42)->waits());
}

TEST_F(SharedCore, WithoutMemoryTtlEveryReadAsksTheSharedTier) {
  memory_ttl_ = 0s;
  make();
  (void)read(42);
  copies_->copy("<teapot>", 0s, 60s);

  EXPECT_TRUE(read(42)->waits());
  EXPECT_EQ(copies_->pending.size(), 1U);
}

TEST_F(SharedCore, ThatThereIsNoRowIsKnownThereToo) {
  const auto reader = read(42);
  copies_->absent(3s);

  EXPECT_TRUE(reader->answer().absent());
  EXPECT_TRUE(read(42)->answer().absent());
  EXPECT_EQ(source_->loads, 0U);
}

TEST_F(SharedCore, WithTheLeaseItLoadsAndFillsBoth) {
  const auto reader = read(42);
  copies_->lease();
  clock_.advance(2s);
  source_->answer("teapot");

  EXPECT_EQ(reader->answer().origin(), Origin::kSource);
  EXPECT_EQ(read(42)->answer().origin(), Origin::kMemory);
  EXPECT_THAT(copies_->filled, ElementsAre(testing::HandCopies::Filled{"42", "<teapot>", 60s, 2s}));
}

TEST_F(SharedCore, ThatTheSourceHasNoRowIsLeftThere) {
  (void)read(42);
  copies_->lease();
  source_->answer_absent();

  EXPECT_THAT(copies_->filled,
              ElementsAre(testing::HandCopies::Filled{"42", std::nullopt, 5s, 0s}));
}

TEST_F(SharedCore, AnAbsenceThatIsNotKeptGivesTheLeaseBack) {
  make({}, 0s);
  (void)read(42);
  copies_->lease();
  source_->answer_absent();

  EXPECT_THAT(copies_->released, ElementsAre("42"));
  EXPECT_THAT(copies_->invalidated, IsEmpty()) << "there was no copy";
}

TEST_F(SharedCore, WithoutALeaseItLoadsAndLeavesNothingThere) {
  const auto reader = read(42);
  copies_->pass();
  source_->answer("teapot");

  EXPECT_EQ(reader->answer().value(), "teapot");
  EXPECT_THAT(copies_->filled, IsEmpty());
}

TEST_F(SharedCore, AFailureOfTheSourceIsTold) {
  const auto reader = read(42);
  copies_->lease();
  source_->answer_error("database is locked");

  EXPECT_EQ(reader->answer().error().message, "database is locked");
  ASSERT_EQ(copies_->failed.size(), 1U);
  EXPECT_EQ(copies_->failed.front().second, "database is locked");
}

TEST_F(SharedCore, ALimitOfThisProcessIsNotToldAsAFailure) {
  make({.concurrent = 1, .waiting = 0});
  (void)read(1);
  copies_->lease();
  const auto refused = read(2);
  copies_->lease();

  EXPECT_EQ(refused->answer().error().code, Errc::kOverloaded);
  EXPECT_THAT(copies_->failed, IsEmpty());
  EXPECT_THAT(copies_->released, ElementsAre("2"));
}

TEST_F(SharedCore, AnotherProcesssFailureReachesThisReader) {
  const auto reader = read(42);
  copies_->failure("database is locked");

  EXPECT_EQ(reader->answer().error().message, "database is locked");
  EXPECT_EQ(source_->loads, 0U);
  EXPECT_TRUE(read(42)->waits()) << "it is not kept";
}

TEST_F(SharedCore, ManyKeysAreAskedTogetherAndWhatIsMissingIsLoadedTogether) {
  const auto reader = read_many({1, 2, 3});
  ASSERT_EQ(copies_->pending.size(), 1U);
  ASSERT_EQ(copies_->pending.front().keys.size(), 3U);
  SharedCopies::Answers answers;
  answers.emplace_back(0, SharedAnswer{.kind = SharedAnswer::Kind::kLoad});
  answers.emplace_back(
      1, SharedAnswer{.kind = SharedAnswer::Kind::kCopy, .copy = {.bytes = "<two>", .left = 60s}});
  answers.emplace_back(2, SharedAnswer{.kind = SharedAnswer::Kind::kLoad});

  copies_->pending.front().take(std::move(answers));

  EXPECT_EQ(reader->answers.at(1).value(), "two");
  EXPECT_EQ(source_->loads, 1U);
  EXPECT_THAT(source_->pending.front().keys, ElementsAre(1, 3));
}

TEST_F(SharedCore, ConcurrentMissesAskOnce) {
  const auto one = read(42);
  const auto two = read(42);
  EXPECT_EQ(copies_->pending.size(), 1U);

  copies_->copy("<teapot>", 0s, 60s);

  EXPECT_EQ(one->answer().value(), "teapot");
  EXPECT_EQ(two->answer().value(), "teapot");
}

TEST_F(SharedCore, AnInvalidationIsToldAndDoomsACopyOnItsWay) {
  const auto before = read(42);
  core_->invalidate(42);
  EXPECT_THAT(copies_->invalidated, ElementsAre("42"));
  const auto after = read(42);
  ASSERT_EQ(copies_->pending.size(), 2U) << "who comes later asks anew";

  copies_->copy("<old>", 0s, 60s);

  EXPECT_EQ(before->answer().value(), "old") << "it asked before";
  EXPECT_TRUE(after->waits());
  copies_->copy("<new>", 0s, 60s);
  EXPECT_EQ(after->answer().value(), "new");
  EXPECT_EQ(read(42)->answer().value(), "new");
}

TEST_F(SharedCore, AnInvalidatedLoadGivesItsLeaseBack) {
  (void)read(42);
  copies_->lease();
  core_->invalidate(42);
  source_->answer("old");

  EXPECT_THAT(copies_->filled, IsEmpty());
  EXPECT_THAT(copies_->released, ElementsAre("42"));
  EXPECT_TRUE(read(42)->waits());
}

TEST_F(SharedCore, AnInvalidationBetweenTheTwoQuestionsDoomsTheLoad) {
  (void)read(42);
  core_->invalidate(42);
  copies_->lease();
  source_->answer("perhaps old");

  EXPECT_THAT(copies_->released, ElementsAre("42"));
  EXPECT_TRUE(read(42)->waits());
}

TEST_F(SharedCore, ATierThatDropsAReadFailsIt) {
  const auto reader = read(42);

  copies_->pending.clear();

  EXPECT_EQ(reader->answer().error().code, Errc::kCancelled);
  EXPECT_TRUE(read(42)->waits());  // and asks anew
}

TEST_F(SharedCore, ClearIsTold) {
  (void)read(42);
  core_->clear();
  copies_->copy("<old>", 0s, 60s);

  EXPECT_EQ(copies_->clears, 1);
  EXPECT_TRUE(read(42)->waits());
}

TEST_F(SharedCore, WhatAnotherInvalidatesIsDroppedHereAndNotToldAgain) {
  shared_.parse_key = [](std::string_view text) { return std::stoi(std::string{text}); };
  make();
  for (const int key : {1, 2}) {
    (void)read(key);
    copies_->copy("<teapot>", 0s, 60s);
  }

  core_->invalidated("1");

  EXPECT_TRUE(read(1)->waits());
  EXPECT_FALSE(read(2)->waits());
  EXPECT_THAT(copies_->invalidated, IsEmpty());
}

TEST_F(SharedCore, WhatAnotherInvalidatesDoomsWhatIsOnItsWay) {
  (void)read(42);
  copies_->lease();
  core_->invalidated("42");
  source_->answer("perhaps old");

  EXPECT_THAT(copies_->released, ElementsAre("42"));
  EXPECT_TRUE(read(42)->waits());
}

TEST_F(SharedCore, AfterAGapMemoryHasNothing) {
  (void)read(42);
  copies_->copy("<teapot>", 0s, 60s);

  core_->cleared();

  EXPECT_TRUE(read(42)->waits());
  EXPECT_EQ(copies_->clears, 0);
}

// ---- What memory holds is served while somebody vouches for it. ----

class VouchedCore : public SharedCore {
 public:
  VouchedCore() {
    copies_->vouch_ = vouch_;
    make();
    vouch_->drop = [this] { core_->cleared(); };
    (void)read(42);
    copies_->copy("<old>", 0s, 60s);
    vouch_->until(clock_.now() + 2s);
  }

  std::shared_ptr<testing::HandVouch> vouch_ = std::make_shared<testing::HandVouch>();
};

TEST_F(VouchedCore, MemoryIsServedAsLongAsItIsVouchedFor) {
  clock_.advance(2s);

  EXPECT_EQ(read(42)->answer().origin(), Origin::kMemory);
  EXPECT_EQ(vouch_->lapses, 0);
}

TEST_F(VouchedCore, TheFirstReadBehindItAsksTheSharedTier) {
  clock_.advance(2001ms);
  const auto reader = read(42);

  ASSERT_TRUE(reader->waits());
  EXPECT_EQ(vouch_->lapses, 1);
  copies_->copy("<new>", 0s, 60s);
  EXPECT_EQ(reader->answer().value(), "new");
}

TEST_F(VouchedCore, NoWayIntoMemoryLeadsPastIt) {
  const auto look = [](std::string_view, const EntryInfo&) {};
  ASSERT_TRUE(core_->inspect(42, look));
  clock_.advance(2001ms);
  EXPECT_FALSE(core_->inspect(42, look));
  vouch_->until(clock_.now() - 1ms);
  EXPECT_FALSE(core_->visit(42, look));
  vouch_->until(clock_.now() - 1ms);
  EXPECT_TRUE(core_->peek(42).absent());
  vouch_->until(clock_.now() - 1ms);
  EXPECT_FALSE(core_->lookup(42));

  EXPECT_EQ(vouch_->lapses, 4);
}

TEST_F(VouchedCore, WhoComesBehindItDoesNotJoinALoadFromBefore) {
  const auto before = read(7);
  copies_->lease();
  clock_.advance(2001ms);
  const auto after = read(7);
  source_->answer("old");

  EXPECT_EQ(before->answer().value(), "old");
  EXPECT_TRUE(after->waits());
}

TEST_F(VouchedCore, WhileNobodyIsHeardMemoryKeepsForAShortTime) {
  vouch_->longest(1s);
  (void)read(7);
  copies_->copy("<teapot>", 0s, 60s);

  clock_.advance(999ms);
  EXPECT_EQ(read(7)->answer().origin(), Origin::kMemory);
  clock_.advance(1ms);
  EXPECT_TRUE(read(7)->waits());
}

TEST_F(SharedCore, WhoWantsItAnewIsNotServedACopy) {
  (void)read(42, {.force = true});

  EXPECT_TRUE(copies_->pending.front().keys.front().anew);
}

TEST_F(SharedCore, WhoWantsItAnewDoesNotTakeACopyThatOthersAskedFor) {
  const auto one = read(42);
  const auto anew = read(42, {.force = true});
  copies_->copy("<old>", 30s, 30s);

  EXPECT_EQ(one->answer().value(), "old");
  EXPECT_TRUE(anew->waits());
  ASSERT_EQ(copies_->pending.size(), 1U);
  EXPECT_TRUE(copies_->pending.front().keys.front().anew);
  copies_->lease();
  source_->answer("new");
  EXPECT_EQ(anew->answer().value(), "new");
}

TEST_F(SharedCore, ARefreshThatKeepsNothingTakesTheCopyAway) {
  make({}, 0s);
  (void)read(42, {.force = true});
  copies_->lease();
  source_->answer_absent();

  EXPECT_THAT(copies_->invalidated, ElementsAre("42")) << "its row is gone";
  EXPECT_THAT(copies_->released, ElementsAre("42"));
}

// The tier is away for a moment, or the key's slot is on its way: what it has is older.
TEST_F(SharedCore, ARefreshThatTheTierCannotTakeLeavesNoOlderCopyThere) {
  (void)read(42, {.force = true});
  copies_->pass();
  source_->answer("teapot");

  EXPECT_THAT(copies_->invalidated, ElementsAre("42"));
  EXPECT_EQ(read(42)->answer().value(), "teapot") << "from memory";
}

TEST_F(SharedCore, ALoadThatTheTierCannotTakeInvalidatesNothing) {
  (void)read(42);
  copies_->pass();
  source_->answer("teapot");

  EXPECT_THAT(copies_->invalidated, IsEmpty());
}

// What it brings may be newer than what the writer will leave.
TEST_F(SharedCore, ARefreshOfWhatIsBeingWrittenLetsTheWriterLeaveNothing) {
  (void)read(42, {.force = true});
  copies_->written();
  source_->answer("teapot");

  EXPECT_THAT(copies_->invalidated, ElementsAre("42"));
}

// By word of what was invalidated before it, or by a gap, which take no copy from the tier.
TEST_F(SharedCore, ARefreshThatIsDoomedLeavesNoOlderCopyThere) {
  (void)read(42, {.force = true});
  copies_->lease();
  core_->invalidated("42");
  source_->answer("teapot");

  EXPECT_THAT(copies_->released, ElementsAre("42"));
  EXPECT_THAT(copies_->invalidated, ElementsAre("42"));
  (void)read(43, {.force = true});
  copies_->lease();
  core_->cleared();
  source_->answer("kettle");
  EXPECT_THAT(copies_->invalidated, ElementsAre("42", "43"));
}

TEST_F(SharedCore, ADoomedLoadThatIsNoRefreshInvalidatesNothing) {
  (void)read(42);
  copies_->lease();
  core_->invalidated("42");
  source_->answer("teapot");

  EXPECT_THAT(copies_->invalidated, IsEmpty());
}

TEST_F(SharedCore, ARefreshThatFailsLeavesTheCopy) {
  (void)read(42, {.force = true});
  copies_->lease();
  source_->answer_error("database is locked");

  EXPECT_THAT(copies_->invalidated, IsEmpty());
  EXPECT_EQ(copies_->failed.size(), 1U);
}

TEST_F(SharedCore, BytesThatAreNoValueAreAMiss) {
  const auto reader = read(42);
  copies_->copy("damaged", 0s, 60s);

  source_->answer("teapot");

  EXPECT_EQ(reader->answer().value(), "teapot");
}

TEST_F(SharedCore, WhoGivesUpLeavesTheLeaseToOthers) {
  (void)read(1);
  const auto reader = read(42);
  core_->abandon(reader->call, Error{Errc::kTimeout, "no patience"});
  copies_->lease();  // of 1

  copies_->lease();  // of 42, for which nobody waits any more

  EXPECT_THAT(copies_->released, ElementsAre("42"));
  EXPECT_EQ(source_->loads, 1U);
}

TEST_F(SharedCore, ARetiredCacheLeavesNothingThere) {
  const auto reader = read(42);
  copies_->lease();
  core_->retire();
  source_->answer("teapot");

  EXPECT_EQ(reader->answer().value(), "teapot");
  EXPECT_THAT(copies_->released, ElementsAre("42"));
}

TEST_F(SharedCore, TheEndEndsThoseWhoWaitForIt) {
  const auto reader = read(42);
  core_->close();

  copies_->lease();  // as a tier does that is closed, but for the lease

  EXPECT_EQ(reader->answer().error().code, Errc::kCancelled);
  EXPECT_THAT(copies_->released, ElementsAre("42"));
}

}  // namespace
}  // namespace larder
