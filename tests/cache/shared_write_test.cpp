// A write-through cache over memory, a shared tier and a source, step by step.
#include <gmock/gmock.h>

#include <utility>

#include "core_fixture.hpp"
#include "hand_copies.hpp"

namespace larder {
namespace {

using namespace std::chrono_literals;
using Finished = testing::HandCopies::Finished;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class SharedWrite : public testing::CoreFixture {
 public:
  SharedWrite() {
    shared_ = {
        copies_, [](int key) { return std::to_string(key); },
        [](const std::string& value) { return "<" + value + ">"; },
        [](std::string bytes) -> Result<std::string> { return bytes.substr(1, bytes.size() - 2); }};
    shared_.parse_key = [](std::string_view text) { return std::stoi(std::string{text}); };
    memory_ttl_ = 10s;
    make_writing({.timeout = 7s, .wait_timeout = 5s});
  }
  // Reads and writes that wait hold the core, which holds the copies.
  ~SharedWrite() override {
    while (!copies_->pending.empty()) {
      const auto lost = std::exchange(copies_->pending, {});
    }
    while (!copies_->marking.empty()) {
      const auto lost = std::exchange(copies_->marking, {});
    }
  }

  std::shared_ptr<testing::HandCopies> copies_ = std::make_shared<testing::HandCopies>();
};

TEST_F(SharedWrite, TheWriterIsAskedOnceTheSharedTierIsMarked) {
  put(42, "new");
  ASSERT_EQ(copies_->marking.size(), 1U);
  EXPECT_THAT(copies_->marking.front().keys, ElementsAre("42"));
  EXPECT_THAT(writer_->pending, IsEmpty());

  copies_->mark();

  EXPECT_EQ(writer_->pending.size(), 1U);
}

TEST_F(SharedWrite, TheMarkOutlivesWhateverTheWriteMayTake) {
  put(42, "new");

  EXPECT_EQ(copies_->marking.front().life, 5s + 7s + kUnknownWrite);
}

TEST_F(SharedWrite, WhatTheSourceHoldsIsLeftThereAndInMemory) {
  const auto caller = put(42, "given");
  copies_->mark();
  writer_->answer("held");

  EXPECT_TRUE(caller->done());
  EXPECT_THAT(copies_->finished, ElementsAre(Finished{"42", true, "<held>"}));
  EXPECT_EQ(core_->peek(42).value(), "held");
}

TEST_F(SharedWrite, TheSharedTierIsToldBeforeTheCallerIsAnswered) {
  const auto caller = put(42, "new");
  copies_->mark();
  ASSERT_TRUE(caller->waits());
  EXPECT_THAT(copies_->finished, IsEmpty());

  writer_->answer_with(Stored<std::string>{.told = false});

  EXPECT_THAT(copies_->finished, ElementsAre(Finished{"42", false, {}}));
}

TEST_F(SharedWrite, ThatARowIsRemovedIsLeftThere) {
  remove(42);
  copies_->mark();
  writer_->answer_with(Stored<std::string>{});

  EXPECT_THAT(copies_->finished, ElementsAre(Finished{"42", true, {}}));
}

TEST_F(SharedWrite, OfARejectedWriteNothingIsLeft) {
  put(42, "bad");
  copies_->mark();
  writer_->reject("CHECK constraint failed");

  EXPECT_THAT(copies_->finished, ElementsAre(Finished{"42", false, {}}));
}

TEST_F(SharedWrite, AnUnknownOutcomeLeavesTheMarkUntilItCannotLand) {
  put(42, "new");
  copies_->mark();
  writer_->lose();

  EXPECT_THAT(copies_->finished, IsEmpty());
  EXPECT_THAT(copies_->still_marked, ElementsAre(Pair("42", kUnknownWrite)));
}

TEST_F(SharedWrite, WithoutTheTierItIsWrittenAndToldLater) {
  const auto caller = put(42, "new");
  copies_->mark(false);
  writer_->answer("new");

  EXPECT_TRUE(caller->done());
  EXPECT_THAT(copies_->finished, ElementsAre(Finished{"42", true, "<new>"}))
      << "the tier knows that it has no mark";
}

TEST_F(SharedWrite, WithoutTheTierItIsRefusedWhereThatIsWanted) {
  on_shared_down_ = OnSharedDown::kRefuse;
  make_writing();
  const auto caller = put(42, "new");

  copies_->mark(false);

  EXPECT_EQ(caller->error().code, Errc::kOverloaded);
  EXPECT_THAT(writer_->pending, IsEmpty());
  EXPECT_THAT(copies_->finished, ElementsAre(Finished{"42", false, {}}))
      << "the mark may have been taken all the same";
}

TEST_F(SharedWrite, AWriteThatIsGivenUpBeforeItsMarkIsTakenTakesItAway) {
  const auto caller = put(42, "new");
  timers_.advance(5s);
  EXPECT_EQ(caller->error().code, Errc::kOverloaded);
  EXPECT_THAT(copies_->finished, IsEmpty());

  copies_->mark();

  EXPECT_THAT(writer_->pending, IsEmpty());
  EXPECT_THAT(copies_->finished, ElementsAre(Finished{"42", false, {}}));
}

TEST_F(SharedWrite, WritesOfOneCallAreMarkedTogether) {
  write_all({{1, "one"}, {2, "two"}});
  EXPECT_THAT(copies_->marking.front().keys, ElementsAre("1", "2"));

  copies_->mark();
  writer_->answer("held");

  EXPECT_THAT(copies_->finished,
              ElementsAre(Finished{"1", true, "<held>"}, Finished{"2", true, "<held>"}));
}

TEST_F(SharedWrite, AReaderWhoMeetsAnothersMarkAsksTheSourceAndKeepsNothing) {
  const auto reader = read(42);
  copies_->written();
  source_->answer("before or after");

  EXPECT_EQ(reader->answer().value(), "before or after");
  EXPECT_FALSE(core_->peek(42));
  EXPECT_THAT(copies_->filled, IsEmpty());
}

TEST_F(SharedWrite, ACopyFoundBesideTheWriteIsNotKept) {
  put(42, "new");
  read(42);
  copies_->copy("<old>", 0s, 60s);
  copies_->mark();

  EXPECT_FALSE(core_->peek(42));
}

TEST_F(SharedWrite, MemoryKeepsNothingWhenAnotherWroteBesideIt) {
  put(42, "mine");
  copies_->mark();
  core_->invalidated("42");  // as the other's mark is announced
  writer_->answer("mine");

  EXPECT_FALSE(core_->peek(42));
}

TEST_F(SharedWrite, OfTwoWritesOfOneKeyMemoryKeepsNeither) {
  put(42, "one");
  put(42, "other");
  copies_->mark();
  copies_->mark();
  writer_->answer("one");
  writer_->answer("other");

  EXPECT_FALSE(core_->peek(42));
  EXPECT_EQ(copies_->finished.size(), 2U) << "the tier's own marks tell it the same";
}

TEST_F(SharedWrite, TheEndEndsAWriteThatWaitsForItsMark) {
  const auto caller = put(42, "new");
  core_->close();

  EXPECT_EQ(caller->error().code, Errc::kCancelled);
  copies_->mark(false);  // as a tier does that is closed
  EXPECT_THAT(writer_->pending, IsEmpty());
}

}  // namespace
}  // namespace larder
