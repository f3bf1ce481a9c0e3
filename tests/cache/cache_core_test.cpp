#include <gtest/gtest.h>

#include "core_fixture.hpp"

namespace larder {
namespace {

using namespace std::chrono_literals;

class CacheCoreTest : public testing::CoreFixture {
 protected:
  using Update = MemoryTier<int, std::string>::Update;

  CacheCoreTest() { make(); }
};

TEST_F(CacheCoreTest, AMissLoadsAndTheNextReadIsAHit) {
  const auto first = read(42);
  ASSERT_TRUE(first->waits());
  source_->answer("teapot");

  const auto second = read(42);

  EXPECT_EQ(first->answer().value(), "teapot");
  EXPECT_EQ(first->answer().origin(), Origin::kSource);
  EXPECT_EQ(second->answer().value(), "teapot");
  EXPECT_EQ(second->answer().origin(), Origin::kMemory);
  EXPECT_EQ(source_->loads, 1U);
}

TEST_F(CacheCoreTest, ConcurrentMissesLoadOnce) {
  std::vector<ReaderPtr> readers;
  for (int i = 0; i < 100; ++i) readers.push_back(read(42));

  source_->answer("teapot");

  for (const auto& reader : readers) EXPECT_EQ(reader->answer().value(), "teapot");
  EXPECT_EQ(source_->loads, 1U);
  EXPECT_EQ(core_->stats().misses, 100U);
}

TEST_F(CacheCoreTest, AnErrorReachesAllWhoWaitAndIsNotKept) {
  const auto one = read(42);
  const auto two = read(42);
  source_->answer_error("database is locked");

  const auto later = read(42);

  EXPECT_EQ(one->answer().error().message, "database is locked");
  EXPECT_EQ(two->answer().error().code, Errc::kSourceFailed);
  EXPECT_TRUE(later->waits());
  EXPECT_EQ(source_->loads, 2U);
  EXPECT_EQ(core_->stats().load_failures, 1U);
}

TEST_F(CacheCoreTest, ThatThereIsNoSuchRowIsKeptForItsOwnTtl) {
  read(42);
  source_->answer_absent();

  timers_.advance(4999ms);
  EXPECT_TRUE(read(42)->answer().absent());
  timers_.advance(1ms);

  EXPECT_TRUE(read(42)->waits());
  EXPECT_EQ(core_->stats().negative_hits, 1U);
}

TEST_F(CacheCoreTest, AbsenceThatIsNotKeptRemovesTheCopyThatWasThere) {
  make({}, 0s);
  read(42);
  source_->answer("teapot");
  read(42, {.force = true});

  source_->answer_absent();

  EXPECT_TRUE(core_->peek(42).absent());
  EXPECT_TRUE(read(42)->waits());
}

TEST_F(CacheCoreTest, AnEntryExpiresWithItsTtl) {
  read(42);
  source_->answer("teapot");

  timers_.advance(59s);
  EXPECT_FALSE(read(42)->waits());
  timers_.advance(1s);

  EXPECT_TRUE(read(42)->waits());
}

TEST_F(CacheCoreTest, AgeIsReckonedFromWhenTheLoadBegan) {
  read(42);
  timers_.advance(3s);
  source_->answer("teapot");
  timers_.advance(2s);

  EXPECT_EQ(read(42)->answer().age(), 5s);
}

TEST_F(CacheCoreTest, ACallsOwnTtlIsThatOfTheEntryItsLoadFills) {
  read(42, {.ttl = 1s});
  source_->answer("teapot");

  timers_.advance(1s);

  EXPECT_TRUE(read(42)->waits());
}

TEST_F(CacheCoreTest, AnInvalidationDoomsTheLoadUnderWay) {
  const auto before = read(42);
  core_->invalidate(42);
  const auto after = read(42);

  source_->answer("old");
  EXPECT_EQ(before->answer().value(), "old");
  EXPECT_TRUE(after->waits());
  EXPECT_TRUE(core_->peek(42).absent());
  source_->answer("new");

  EXPECT_EQ(after->answer().value(), "new");
  EXPECT_EQ(core_->peek(42).value(), "new");
  EXPECT_EQ(core_->stats().discarded, 1U);
}

TEST_F(CacheCoreTest, ADoomedLoadThatEndsLastFillsNothing) {
  const auto before = read(42);
  core_->invalidate(42);
  const auto after = read(42);
  auto old = std::move(source_->pending.front());
  source_->pending.erase(source_->pending.begin());

  source_->answer("new");
  old.done({std::string{"old"}});

  EXPECT_EQ(before->answer().value(), "old");
  EXPECT_EQ(core_->peek(42).value(), "new");
}

TEST_F(CacheCoreTest, InvalidateTellsWhetherThereWasACopy) {
  read(42);
  source_->answer("teapot");

  EXPECT_TRUE(core_->invalidate(42));
  EXPECT_FALSE(core_->invalidate(42));
}

TEST_F(CacheCoreTest, ClearDropsCopiesAndDoomsLoads) {
  read(1);
  source_->answer("one");
  read(2);
  core_->clear();

  source_->answer("two");

  EXPECT_TRUE(core_->peek(1).absent());
  EXPECT_TRUE(core_->peek(2).absent());
}

TEST_F(CacheCoreTest, AForcedReadLoadsAnewAndReplacesTheCopy) {
  read(42);
  source_->answer("old");

  const auto forced = read(42, {.force = true});
  EXPECT_EQ(read(42)->answer().value(), "old");
  source_->answer("new");

  EXPECT_EQ(forced->answer().value(), "new");
  EXPECT_EQ(read(42)->answer().value(), "new");
}

TEST_F(CacheCoreTest, AForcedReadDoesNotTakeALoadThatBeganBeforeIt) {
  const auto plain = read(42);
  const auto forced = read(42, {.force = true});
  source_->answer("old");
  EXPECT_FALSE(plain->waits());
  EXPECT_TRUE(forced->waits());

  source_->answer("new");

  EXPECT_EQ(forced->answer().value(), "new");
}

TEST_F(CacheCoreTest, AFailedRefreshKeepsTheCopy) {
  read(42);
  source_->answer("teapot");
  const auto forced = read(42, {.force = true});

  source_->answer_error("gone");

  EXPECT_TRUE(forced->answer().failed());
  EXPECT_EQ(core_->peek(42).value(), "teapot");
}

TEST_F(CacheCoreTest, AllMissesOfOneFetchTravelTogether) {
  read(2);
  source_->answer("two");

  const auto reader = read_many({1, 2, 3, 1});

  ASSERT_EQ(source_->pending.size(), 1U);
  EXPECT_EQ(source_->pending.front().keys, (std::vector{1, 3}));
  EXPECT_EQ(reader->answers.size(), 1U);
  source_->answer("loaded");
  EXPECT_EQ(reader->answers.size(), 4U);
  EXPECT_EQ(core_->stats().batches, 2U);
}

TEST_F(CacheCoreTest, ALoadCarriesNoMoreKeysThanTheSourceTakes) {
  source_->most = 2;

  read_many({1, 2, 3, 4, 5});

  ASSERT_EQ(source_->pending.size(), 3U);
  EXPECT_EQ(source_->pending[2].keys, (std::vector{5}));
}

TEST_F(CacheCoreTest, ATimeoutEndsOnlyTheCallersOwnWait) {
  const auto hasty = read(42, {.timeout = 100ms});
  const auto patient = read(42);

  timers_.advance(100ms);
  EXPECT_EQ(hasty->answer().error().code, Errc::kTimeout);
  EXPECT_TRUE(patient->waits());
  source_->answer("teapot");

  EXPECT_EQ(patient->answer().value(), "teapot");
  EXPECT_EQ(hasty->answers.size(), 1U);
}

TEST_F(CacheCoreTest, AnAbandonedCallGetsItsErrorAndTheLoadGoesOn) {
  const auto reader = read(42);

  core_->abandon(reader->call, Error{Errc::kCancelled, "no longer wanted"});
  source_->answer("teapot");

  EXPECT_EQ(reader->answer().error().code, Errc::kCancelled);
  EXPECT_EQ(core_->peek(42).value(), "teapot");
}

TEST_F(CacheCoreTest, ACallThatIsAnsweredNeedsNoTimer) {
  read(42, {.timeout = 1h});
  source_->answer("teapot");

  EXPECT_EQ(timers_.size(), 0U);
}

TEST_F(CacheCoreTest, ASourceThatHangsCostsTheLoadTimeoutAndLaterReadsTryAgain) {
  make({.concurrent = 2, .timeout = 1s});
  const auto first = read(42);

  timers_.advance(1s);
  const auto second = read(42);

  EXPECT_EQ(first->answer().error().code, Errc::kSourceFailed);
  EXPECT_NE(first->answer().error().message.find("a hand"), std::string::npos);
  EXPECT_TRUE(second->waits());
  EXPECT_EQ(source_->loads, 2U);
}

TEST_F(CacheCoreTest, AHangingLoadKeepsItsPlaceAtTheSource) {
  make({.concurrent = 1, .waiting = 1, .timeout = 1s});
  read(1);
  timers_.advance(1s);

  const auto waiting = read(2);
  const auto refused = read(3);

  EXPECT_TRUE(waiting->waits());
  EXPECT_EQ(source_->loads, 1U);
  EXPECT_EQ(refused->answer().error().code, Errc::kOverloaded);
}

TEST_F(CacheCoreTest, WhatComesTooLateFillsNothing) {
  make({.timeout = 1s});
  read(42);
  timers_.advance(1s);

  source_->answer("late");

  EXPECT_TRUE(core_->peek(42).absent());
}

TEST_F(CacheCoreTest, LoadsBeyondTheLimitWaitInOrderAndThenFailFast) {
  make({.concurrent = 1, .waiting = 2});
  const auto first = read(1);
  const auto second = read(2);
  const auto third = read(3);
  const auto fourth = read(4);

  EXPECT_EQ(fourth->answer().error().code, Errc::kOverloaded);
  EXPECT_EQ(source_->loads, 1U);
  source_->answer("one");
  EXPECT_EQ(source_->pending.front().keys, (std::vector{2}));
  source_->answer("two");
  EXPECT_EQ(source_->pending.front().keys, (std::vector{3}));
  source_->answer("three");

  EXPECT_EQ(first->answer().value(), "one");
  EXPECT_EQ(second->answer().value(), "two");
  EXPECT_EQ(third->answer().value(), "three");
  EXPECT_EQ(core_->stats().refused, 1U);
}

TEST_F(CacheCoreTest, ALoadThatWaitsForAThreadDoesNotUseUpItsTimeout) {
  make({.timeout = 1s, .wait_timeout = 10s});
  source_->begins_by_hand = true;
  const auto reader = read(42);

  timers_.advance(5s);
  EXPECT_TRUE(source_->pending.front().begin());
  timers_.advance(999ms);
  EXPECT_TRUE(reader->waits());
  timers_.advance(1ms);

  EXPECT_EQ(reader->answer().error().code, Errc::kSourceFailed);
  EXPECT_EQ(core_->stats().load_failures, 1U);
}

TEST_F(CacheCoreTest, ALoadMayRunForLongerThanItMayWait) {
  make({.timeout = 10s, .wait_timeout = 1s});
  const auto reader = read(42);

  timers_.advance(9999ms);
  EXPECT_TRUE(reader->waits());
  timers_.advance(1ms);

  EXPECT_EQ(reader->answer().error().code, Errc::kSourceFailed);
}

TEST_F(CacheCoreTest, ALoadThatNeverBeginsIsGivenUpAndIsNotWantedLater) {
  make({.timeout = 1h, .wait_timeout = 3s});
  source_->begins_by_hand = true;
  const auto reader = read(42);

  timers_.advance(3s);

  EXPECT_EQ(reader->answer().error().code, Errc::kOverloaded);
  EXPECT_NE(reader->answer().error().message.find("\"product\": the load waited"),
            std::string::npos);
  EXPECT_FALSE(source_->pending.front().begin());
  EXPECT_EQ(core_->stats().refused, 1U);
  EXPECT_EQ(timers_.size(), 0U);
}

TEST_F(CacheCoreTest, ALoadThatWaitsTooLongAtTheGateMakesRoomForAnother) {
  make({.concurrent = 1, .waiting = 1, .timeout = 1h, .wait_timeout = 2s});
  read(1);
  const auto second = read(2);

  timers_.advance(2s);
  const auto third = read(3);

  EXPECT_EQ(second->answer().error().code, Errc::kOverloaded);
  EXPECT_TRUE(third->waits());
  source_->answer("one");
  EXPECT_EQ(source_->pending.front().keys, (std::vector{3}));
}

TEST_F(CacheCoreTest, ATtlOfNothingIsRefused) {
  const auto reader = read_many({1, 2}, {.ttl = 0s});

  EXPECT_EQ(reader->answers.at(0).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(reader->answers.at(1).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(source_->loads, 0U);
}

TEST_F(CacheCoreTest, ALoadNobodyWaitsForAnyMoreIsNotMade) {
  make({.concurrent = 1, .waiting = 2});
  read(1);
  const auto hasty = read(2, {.timeout = 1ms});
  timers_.advance(1ms);

  source_->answer("one");

  EXPECT_TRUE(hasty->answer().failed());
  EXPECT_EQ(source_->loads, 1U);
  EXPECT_FALSE(core_->loading(2));
}

TEST_F(CacheCoreTest, ASourceThatDropsItsLoadFailsIt) {
  const auto reader = read(42);

  source_->drop_all();

  EXPECT_EQ(reader->answer().error().code, Errc::kCancelled);
  EXPECT_FALSE(core_->loading(42));
}

TEST_F(CacheCoreTest, ASourceThatThrowsFailsItsLoadAndGivesItsPlaceBack) {
  source_->throws = true;
  const auto reader = read(42);
  source_->throws = false;
  const auto next = read(42);
  source_->answer("here");

  EXPECT_EQ(reader->answer().error().code, Errc::kSourceFailed);
  EXPECT_NE(reader->answer().error().message.find("threw (no hand free)"), std::string::npos);
  EXPECT_EQ(*next->answer(), "here");
}

TEST_F(CacheCoreTest, ALoadThatIsAnsweredInPartGoesOnWithTheRest) {
  source_->in_parts = true;
  const auto reader = read_many({1, 2, 3});

  source_->answer_first(1, "one");

  EXPECT_EQ(reader->answers.at(0).value(), "one");
  EXPECT_EQ(reader->answers.size(), 1U);
  EXPECT_EQ(source_->pending.front().keys, (std::vector<int>{2, 3}));
  source_->answer("more");
  EXPECT_EQ(reader->answers.at(2).value(), "more");
  EXPECT_EQ(core_->stats().loads, 3U);
  EXPECT_EQ(core_->stats().batches, 2U);
}

TEST_F(CacheCoreTest, TheRestOfALoadIsNotAskedForWhenNobodyWantsIt) {
  source_->in_parts = true;
  const auto first = read_many({1, 2, 3});
  const auto other = read(3);
  core_->abandon(first->call, {Errc::kCancelled, "gone"});

  source_->answer_first(1, "one");

  EXPECT_EQ(source_->pending.front().keys, (std::vector<int>{3}));
  source_->answer("three");
  EXPECT_EQ(other->answer().value(), "three");
}

TEST_F(CacheCoreTest, TheRestOfALoadKeepsItsTurn) {
  make({.concurrent = 1});
  source_->in_parts = true;
  const auto first = read_many({1, 2});
  const auto waiting = read(3);

  source_->answer_first(1, "one");

  ASSERT_EQ(source_->pending.size(), 1U);
  EXPECT_EQ(source_->pending.front().keys, (std::vector<int>{2}));
  source_->answer("two");
  EXPECT_EQ(source_->pending.front().keys, (std::vector<int>{3}));
}

TEST_F(CacheCoreTest, TheRestOfALoadHasItsOwnTimeout) {
  make({.timeout = 10s});
  source_->in_parts = true;
  const auto reader = read_many({1, 2});
  timers_.advance(6s);
  source_->answer_first(1, "one");

  timers_.advance(9s);
  EXPECT_EQ(reader->answers.size(), 1U);
  timers_.advance(1s);

  EXPECT_EQ(reader->answers.at(1).error().code, Errc::kSourceFailed);
}

TEST_F(CacheCoreTest, AnInvalidationBeforeTheRestIsLoadedDoomsIt) {
  source_->in_parts = true;
  const auto reader = read_many({1, 2});
  source_->answer_first(1, "one");

  core_->invalidate(2);
  source_->answer("two");

  EXPECT_EQ(reader->answers.at(1).value(), "two");
  EXPECT_TRUE(core_->peek(2).absent());
}

TEST_F(CacheCoreTest, ASourceThatAnswersInPartsAnswersSomething) {
  source_->in_parts = true;
  const auto reader = read_many({1, 2});

  source_->answer_first(0, "none");

  EXPECT_EQ(reader->answers.at(0).error().code, Errc::kInternal);
}

TEST_F(CacheCoreTest, ASourceThatAnswersTooFewKeysIsNotBelieved) {
  const auto reader = read_many({1, 2});

  source_->pending.front().done({std::string{"one"}});

  EXPECT_EQ(reader->answers.at(0).error().code, Errc::kInternal);
  EXPECT_EQ(reader->answers.at(1).error().code, Errc::kInternal);
  EXPECT_TRUE(core_->peek(1).absent());
}

TEST_F(CacheCoreTest, AnUpdateOfACopyDoomsTheLoadUnderWay) {
  read(42);
  source_->answer("teapot");
  read(42, {.force = true});
  core_->update(42, core_->now(), [](auto&&...) { return Update::erase(); });

  source_->answer("newer, or not");

  EXPECT_TRUE(core_->peek(42).absent());
}

TEST_F(CacheCoreTest, AnUpdateThatStoresDoomsTheLoadUnderWay) {
  read(42);
  const EntryInfo info = core_->entry_for_put(core_->now(), {});
  core_->update(42, core_->now(), [&](auto&&...) { return Update::store("mine", info); });

  source_->answer("older, or not");

  EXPECT_EQ(core_->peek(42).value(), "mine");
}

TEST_F(CacheCoreTest, AnUpdateThatIsRefusedLeavesTheLoadUnderWayBe) {
  read(42);
  const EntryInfo info = core_->entry_for_put(core_->now(), {});
  const std::string large(core_->parts().tier->capacity().bytes, 'x');
  core_->update(42, core_->now(), [&](auto&&...) { return Update::store(large, info); });

  source_->answer("teapot");

  EXPECT_EQ(core_->peek(42).value(), "teapot");
}

TEST_F(CacheCoreTest, AnUpdateThatIsRefusedAndErasesDoomsTheLoadUnderWay) {
  read(42);
  const EntryInfo info = core_->entry_for_put(core_->now(), {});
  const std::string large(core_->parts().tier->capacity().bytes, 'x');
  core_->update(42, core_->now(), [&](auto&&...) { return Update::store_or_erase(large, info); });

  source_->answer("older, or not");

  EXPECT_TRUE(core_->peek(42).absent());
}

TEST_F(CacheCoreTest, AnUpdateThatKeepsTheValueLeavesTheLoadUnderWayBe) {
  read(1);
  core_->update(1, core_->now(), [](auto&&...) { return Update::keep(); });
  source_->answer("one");
  read(2);
  source_->answer("old");
  read(2, {.force = true});
  core_->update(2, core_->now(), [](const std::string_view*, const EntryInfo* was) {
    return Update::set_info(*was);
  });
  source_->answer("new");

  EXPECT_EQ(core_->peek(1).value(), "one");
  EXPECT_EQ(core_->peek(2).value(), "new");
  EXPECT_EQ(core_->stats().discarded, 0U);
}

}  // namespace
}  // namespace larder
