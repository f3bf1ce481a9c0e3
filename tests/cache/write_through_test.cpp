// Write-through on a clock that stands still, over a source and a writer that the test
// answers.
#include <gtest/gtest.h>

#include "core_fixture.hpp"

namespace larder {
namespace {

using namespace std::chrono_literals;

class WriteThrough : public testing::CoreFixture {
 protected:
  void SetUp() override { make_writing(); }

  // A copy of `value` in memory, loaded before anything else happens.
  void have(int key, std::string value) {
    read(key);
    source_->answer(std::move(value));
    ASSERT_TRUE(core_->peek(key));
  }
};

TEST_F(WriteThrough, KeepsWhatTheSourceHoldsAndNotWhatWasGiven) {
  const auto caller = put(1, "given");
  EXPECT_TRUE(caller->waits());

  writer_->answer("held");

  EXPECT_TRUE(caller->done());
  EXPECT_EQ(core_->peek(1).value(), "held");
  EXPECT_EQ(source_->loads, 0U);
}

TEST_F(WriteThrough, HasNoCopyFromTheMarkOn) {
  have(1, "old");

  put(1, "new");

  EXPECT_FALSE(core_->peek(1));
}

TEST_F(WriteThrough, ALoadFromBeforeTheWriteFillsNothing) {
  const auto reader = read(1);
  put(1, "new");

  source_->answer("old");

  EXPECT_EQ(reader->answer().value(), "old");
  EXPECT_FALSE(core_->peek(1));
}

TEST_F(WriteThrough, ALoadBesideTheWriteAnswersAndKeepsNothing) {
  put(1, "new");
  const auto reader = read(1);

  source_->answer("old");

  EXPECT_EQ(reader->answer().value(), "old");
  EXPECT_FALSE(core_->peek(1));
}

TEST_F(WriteThrough, ReadersBesideTheWriteShareOneLoad) {
  put(1, "new");

  const auto first = read(1);
  const auto second = read(1);

  EXPECT_EQ(source_->loads, 1U);
  source_->answer("old");
  EXPECT_TRUE(first->answer() && second->answer());
}

TEST_F(WriteThrough, AReadAfterTheAnswerDoesNotJoinALoadFromBeside) {
  put(1, "new");
  const auto beside = read(1);
  writer_->answer_with(Stored<std::string>{.told = false});

  const auto after = read(1);
  source_->answer("old");

  EXPECT_EQ(beside->answer().value(), "old");
  EXPECT_TRUE(after->waits());
  source_->answer("new");
  EXPECT_EQ(after->answer().value(), "new");
}

TEST_F(WriteThrough, ALoadFromBesideDoesNotReplaceWhatWasWritten) {
  put(1, "new");
  read(1);
  writer_->answer("new");

  source_->answer("old");

  EXPECT_EQ(core_->peek(1).value(), "new");
}

TEST_F(WriteThrough, ARejectedValueIsKeptNowhereAndTheCallerGetsTheReason) {
  have(1, "old");
  const auto caller = put(1, "bad");

  writer_->reject("CHECK constraint failed: price_positive");

  EXPECT_EQ(caller->error().code, Errc::kRejected);
  EXPECT_EQ(caller->error().message, "CHECK constraint failed: price_positive");
  EXPECT_FALSE(core_->peek(1));
  EXPECT_EQ(core_->stats().writes_rejected, 1U);
}

TEST_F(WriteThrough, AfterARejectionReadsAreKeptAgain) {
  put(1, "bad");
  writer_->reject("no");

  read(1);
  source_->answer("old");

  EXPECT_EQ(core_->peek(1).value(), "old");
}

TEST_F(WriteThrough, NothingIsKeptUntilAnUnknownWriteCanNoLongerLand) {
  const auto caller = put(1, "perhaps");
  writer_->lose();
  EXPECT_EQ(caller->error().code, Errc::kOutcomeUnknown);

  timers_.advance(kUnknownWrite - 1ns);
  const auto early = read(1);
  timers_.advance(1ns);
  source_->answer("old");
  EXPECT_TRUE(early->answer());
  EXPECT_FALSE(core_->peek(1)) << "it was read while the write could still land";

  read(1);
  source_->answer("perhaps");
  EXPECT_EQ(core_->peek(1).value(), "perhaps");
}

TEST_F(WriteThrough, AWriteAfterAnUnknownOneKeepsNothing) {
  put(1, "perhaps");
  writer_->lose();

  const auto caller = put(1, "sure");
  writer_->answer("sure");

  EXPECT_TRUE(caller->done());
  EXPECT_FALSE(core_->peek(1)) << "the earlier one may land after it";
}

TEST_F(WriteThrough, OfTwoWritersAtOnceNeitherLeavesItsValue) {
  const auto first = put(1, "a");
  const auto second = put(1, "b");

  writer_->answer("a");
  EXPECT_FALSE(core_->peek(1));
  writer_->answer("b");

  EXPECT_TRUE(first->done() && second->done());
  EXPECT_FALSE(core_->peek(1));
}

TEST_F(WriteThrough, AnInvalidationDuringTheWriteWins) {
  put(1, "new");
  core_->invalidate(1);

  writer_->answer("new");

  EXPECT_FALSE(core_->peek(1));
}

// It may have read what came behind the write, past the cache.
TEST_F(WriteThrough, ARefreshDuringTheWriteLetsItKeepNothing) {
  put(1, "new");
  const auto refresh = read(1, {.force = true});
  source_->answer("newer");
  EXPECT_EQ(refresh->answer().value(), "newer");

  writer_->answer("new");

  EXPECT_FALSE(core_->peek(1));
}

TEST_F(WriteThrough, ClearingDuringTheWriteWins) {
  put(1, "new");
  core_->clear();

  writer_->answer("new");

  EXPECT_FALSE(core_->peek(1));
}

TEST_F(WriteThrough, ARemovalLeavesTheKnowledgeThatThereIsNoRow) {
  have(1, "old");
  const auto caller = remove(1);

  writer_->answer_with(Stored<std::string>{.changed = true});

  EXPECT_TRUE(caller->outcomes.at(0).value());
  EXPECT_TRUE(read(1)->answer().absent());
  EXPECT_EQ(source_->loads, 1U);
}

TEST_F(WriteThrough, TellsWhenThereWasNothingToRemove) {
  const auto caller = remove(1);

  writer_->answer_with(Stored<std::string>{.changed = false});

  EXPECT_FALSE(caller->outcomes.at(0).value());
}

TEST_F(WriteThrough, AWriterThatCannotRemoveIsNotAsked) {
  writer_->can_remove = false;

  const auto caller = remove(1);

  EXPECT_EQ(caller->error().code, Errc::kRefused);
  EXPECT_TRUE(writer_->pending.empty());
}

TEST_F(WriteThrough, ManyWritesTravelTogether) {
  const auto caller = write_all({{1, "a"}, {2, "b"}, {3, "c"}});
  ASSERT_EQ(writer_->pending.size(), 1U);

  writer_->answer("row");

  EXPECT_EQ(caller->outcomes.size(), 3U);
  EXPECT_EQ(core_->peek(3).value(), "row");
}

TEST_F(WriteThrough, ManyWritesAreSplitAsTheWriterTakesThem) {
  writer_->most = 2;

  write_all({{1, "a"}, {2, "b"}, {3, "c"}});

  ASSERT_EQ(writer_->pending.size(), 2U);
  EXPECT_EQ(writer_->pending[1].writes.front().key, 3);
}

TEST_F(WriteThrough, AWriteThatRunsTooLongIsUnknownToItsCallerAndStillFinishes) {
  make_writing({.timeout = 2s});
  const auto caller = put(1, "slow");

  timers_.advance(2s);
  EXPECT_EQ(caller->error().code, Errc::kOutcomeUnknown);
  read(1);
  source_->answer("old");
  EXPECT_FALSE(core_->peek(1)) << "the writer is still at work";

  writer_->answer("slow");
  EXPECT_EQ(core_->peek(1).value(), "slow");
}

TEST_F(WriteThrough, AWriteThatNeverBeganWroteNothing) {
  make_writing({.wait_timeout = 1s});
  writer_->begins_by_hand = true;
  const auto caller = put(1, "late");

  timers_.advance(1s);

  EXPECT_EQ(caller->error().code, Errc::kOverloaded);
  EXPECT_FALSE(writer_->pending.front().begin());
  read(1);
  source_->answer("old");
  EXPECT_EQ(core_->peek(1).value(), "old") << "the key is no longer marked";
}

TEST_F(WriteThrough, ACallsOwnTimeoutLeavesTheWrite) {
  const auto caller = put(1, "new", {.timeout = 100ms});

  timers_.advance(100ms);
  EXPECT_EQ(caller->error().code, Errc::kTimeout);
  writer_->answer("new");

  EXPECT_EQ(core_->peek(1).value(), "new");
}

TEST_F(WriteThrough, OnlySoManyWritesRunAtATime) {
  make_writing({.concurrent = 1, .waiting = 1});
  const auto first = put(1, "a");
  const auto second = put(2, "b");

  const auto third = put(3, "c");

  EXPECT_EQ(writer_->pending.size(), 1U);
  EXPECT_EQ(third->error().code, Errc::kOverloaded);
  writer_->answer("a");
  writer_->answer("b");
  EXPECT_TRUE(first->done() && second->done());
}

TEST_F(WriteThrough, AWriterThatThrowsWroteNothing) {
  writer_->throws = true;

  const auto caller = put(1, "new");

  EXPECT_EQ(caller->error().code, Errc::kSourceFailed);
  EXPECT_NE(caller->error().message.find("no hand free"), std::string::npos);
}

TEST_F(WriteThrough, AWriterThatDropsTheWriteLeavesItUnknown) {
  const auto caller = put(1, "new");

  writer_->drop_all();

  EXPECT_EQ(caller->error().code, Errc::kOutcomeUnknown);
}

TEST_F(WriteThrough, AWriterThatAnswersTooLittleLeavesAllUnknown) {
  const auto caller = write_all({{1, "a"}, {2, "b"}});

  writer_->pending.front().done({Stored<std::string>{.value = "a"}});

  EXPECT_EQ(caller->outcomes.at(0).error().code, Errc::kOutcomeUnknown);
  EXPECT_EQ(caller->outcomes.at(1).error().code, Errc::kOutcomeUnknown);
}

TEST_F(WriteThrough, TheEndOfTheRuntimeLeavesWhatRunsUnknown) {
  const auto caller = put(1, "new");

  core_->close();

  EXPECT_EQ(caller->error().code, Errc::kOutcomeUnknown);
  EXPECT_EQ(put(2, "later")->error().code, Errc::kCancelled);
}

TEST_F(WriteThrough, TheWrittenCopyLivesForTheCallsTtl) {
  put(1, "short", {.ttl = 3s});
  writer_->answer("short");

  timers_.advance(3s - 1ns);
  EXPECT_TRUE(core_->peek(1));
  timers_.advance(1ns);

  EXPECT_FALSE(core_->peek(1));
}

TEST_F(WriteThrough, RefusesATtlOfNothing) {
  EXPECT_EQ(put(1, "x", {.ttl = 0s})->error().code, Errc::kInvalidArgument);
  EXPECT_TRUE(writer_->pending.empty());
}

TEST_F(WriteThrough, ARetiredCacheLeavesNoValue) {
  put(1, "new");
  core_->retire();

  writer_->answer("new");

  EXPECT_FALSE(core_->peek(1));
}

TEST_F(WriteThrough, CountsWhatBecameOfWrites) {
  put(1, "a");
  writer_->answer("a");
  put(2, "b");
  writer_->reject("no");
  put(3, "c");
  writer_->lose();
  put(4, "d");
  writer_->answer_with(fail(Errc::kSourceFailed, "deadlock"));

  const CacheStats stats = core_->stats();

  EXPECT_EQ(stats.writes, 1U);
  EXPECT_EQ(stats.writes_rejected, 1U);
  EXPECT_EQ(stats.writes_unknown, 1U);
  EXPECT_EQ(stats.writes_failed, 1U);
}

using ReadThrough = testing::CoreFixture;

TEST_F(ReadThrough, TakesNoWriteAndSaysWhatToDo) {
  make();

  const auto caller = put(1, "new");

  EXPECT_EQ(caller->error().code, Errc::kRefused);
  EXPECT_NE(caller->error().message.find("is read-through and takes no put"), std::string::npos);
}

}  // namespace
}  // namespace larder
