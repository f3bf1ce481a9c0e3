#include "behind/pending_writes.hpp"

#include <gtest/gtest.h>

namespace larder::behind {
namespace {

using namespace std::chrono_literals;
using Positions = std::vector<Position>;
using Text = std::optional<std::string>;

class PendingWritesTest : public testing::Test {
 protected:
  void put(Position position, std::string value) { writes_.add("k", position, value, now_); }
  void remove(Position position) { writes_.add("k", position, std::nullopt, now_); }
  // What a read that begins and ends now is shown.
  Text read(Text loaded) {
    const auto read = writes_.begin_read("k");
    Text seen = writes_.seen("k", read, std::move(loaded));
    writes_.end_read("k", read);
    return seen;
  }
  std::optional<Text> known() {
    const auto read = writes_.begin_read("k");
    auto known = writes_.known("k", read);
    writes_.end_read("k", read);
    return known;
  }

  PendingWrites writes_{row_shape(/*coalesce=*/true, /*whole=*/false)};
  TimePoint now_{1h};
};

TEST_F(PendingWritesTest, AReadShowsThemOverTheRow) {
  put(1, R"({"price":2,"no_column":7})");
  put(2, R"({"name":null})");

  EXPECT_EQ(read(R"({"id":1,"name":"a","price":1})"), R"({"id":1,"name":null,"price":2})");
}

TEST_F(PendingWritesTest, OverNoRowAWriteIsAllThereIs) {
  put(1, R"({"price":2})");

  EXPECT_EQ(read(std::nullopt), R"({"price":2})");
}

TEST_F(PendingWritesTest, ARemovalLeavesNothingUntilThereIsAnotherWrite) {
  remove(1);
  EXPECT_EQ(read(R"({"price":1})"), std::nullopt);

  put(2, R"({"price":2})");

  EXPECT_EQ(read(R"({"price":1})"), R"({"price":2})");
}

TEST_F(PendingWritesTest, TheWholeIsKnownFromARemovalOnAlone) {
  put(1, R"({"price":2})");
  EXPECT_EQ(known(), std::nullopt);

  remove(2);
  EXPECT_EQ(known(), std::optional<Text>{Text{}});
  put(3, R"({"price":3})");

  EXPECT_EQ(known(), R"({"price":3})");
}

TEST_F(PendingWritesTest, OfValuesThatAreWholeTheLastIsKnown) {
  PendingWrites whole{row_shape(/*coalesce=*/true, /*whole=*/true)};
  whole.add("k", 1, R"({"price":1})", now_);

  const auto read = whole.begin_read("k");

  EXPECT_EQ(whole.known("k", read), R"({"price":1})");
  EXPECT_EQ(whole.seen("k", read, R"({"other":2})"), R"({"price":1})");
}

TEST_F(PendingWritesTest, OnceFlushedTheyAreShownNoMore) {
  put(1, R"({"price":2})");
  (void)writes_.send("k");
  EXPECT_EQ(writes_.applied("k"), Positions{1});

  EXPECT_EQ(read(R"({"price":3})"), R"({"price":3})");
  EXPECT_FALSE(writes_.pending("k"));
}

TEST_F(PendingWritesTest, AReadThatBeganBeforeTheFlushStillShowsThem) {
  put(1, R"({"price":2})");
  const auto before = writes_.begin_read("k");
  (void)writes_.send("k");
  (void)writes_.applied("k");
  const auto after = writes_.begin_read("k");

  EXPECT_EQ(writes_.seen("k", before, R"({"price":1})"), R"({"price":2})");
  EXPECT_EQ(writes_.seen("k", after, R"({"price":3})"), R"({"price":3})");
  writes_.end_read("k", before);
  writes_.end_read("k", after);
}

TEST_F(PendingWritesTest, WhatIsWrittenAndFlushedDuringAReadIsShown) {
  const auto read = writes_.begin_read("k");
  put(1, R"({"name":"b"})");
  (void)writes_.send("k");
  (void)writes_.applied("k");
  put(2, R"({"price":2})");

  EXPECT_EQ(writes_.seen("k", read, R"({"name":"a","price":1})"), R"({"name":"b","price":2})");
  writes_.end_read("k", read);
}

TEST_F(PendingWritesTest, ALaterWriteOfTheSameFieldsGoesForTheEarlier) {
  put(1, R"({"name":"a","price":1})");
  put(2, R"({"price":2,"name":"b"})");
  put(3, R"({"name":"c","price":3,"more":1})");

  const auto step = writes_.send("k");

  EXPECT_EQ(step.position, 3U);
  EXPECT_EQ(writes_.applied("k"), (Positions{1, 2, 3}));
}

TEST_F(PendingWritesTest, APartialWriteKeepsEachStep) {
  put(1, R"({"name":"a","price":1})");
  put(2, R"({"price":2})");

  EXPECT_EQ(writes_.send("k").position, 1U);
  EXPECT_EQ(writes_.applied("k"), Positions{1});
  EXPECT_EQ(writes_.send("k").position, 2U);
}

TEST_F(PendingWritesTest, AWriteThatSaysAllOfSeveralPartialOnesGoesForThem) {
  put(1, R"({"name":"a"})");
  put(2, R"({"price":2})");
  put(3, R"({"name":"b","price":3})");

  EXPECT_EQ(writes_.send("k").position, 3U);
}

TEST_F(PendingWritesTest, ANullDoesNotGoForAValue) {
  put(1, R"({"name":"a"})");
  put(2, R"({"name":null})");

  EXPECT_EQ(writes_.send("k").position, 1U);
}

TEST_F(PendingWritesTest, ARemovalGoesForWritesAndAWriteNotForARemoval) {
  put(1, R"({"name":"a"})");
  remove(2);
  put(3, R"({"name":"b"})");

  EXPECT_EQ(writes_.send("k").position, 2U);
  EXPECT_EQ(writes_.applied("k"), (Positions{1, 2}));
  EXPECT_EQ(writes_.send("k").position, 3U);
}

TEST_F(PendingWritesTest, RelativeWritesAreAllSent) {
  PendingWrites relative{row_shape(/*coalesce=*/false, /*whole=*/false)};
  relative.add("k", 1, R"({"sold":1})", now_);
  relative.add("k", 2, R"({"sold":1})", now_);

  EXPECT_EQ(relative.send("k").position, 1U);
}

TEST_F(PendingWritesTest, WhatComesWhileOneIsOutWaits) {
  put(1, R"({"name":"a"})");
  (void)writes_.send("k");
  put(2, R"({"name":"b"})");

  EXPECT_EQ(writes_.applied("k"), Positions{1});
  EXPECT_EQ(writes_.send("k").position, 2U);
}

TEST_F(PendingWritesTest, OfARefusalThoseThatItWentForRemain) {
  put(1, R"({"name":"a"})");
  put(2, R"({"name":"b"})");
  EXPECT_EQ(writes_.send("k").position, 2U);

  writes_.refused("k");

  EXPECT_EQ(read(R"({"name":"-"})"), R"({"name":"a"})");
  EXPECT_EQ(writes_.send("k").position, 1U);
}

TEST_F(PendingWritesTest, WhatComesBackIsSentAgain) {
  put(1, R"({"name":"a"})");
  (void)writes_.send("k");

  writes_.returned("k");

  EXPECT_EQ(writes_.send("k").position, 1U);
}

TEST_F(PendingWritesTest, OneThatComesLateTakesThePlaceOfItsPosition) {
  put(1, R"({"name":"a"})");
  put(3, R"({"name":"c"})");
  put(2, R"({"name":"b"})");

  EXPECT_EQ(read(R"({"name":"-"})"), R"({"name":"c"})");
}

TEST_F(PendingWritesTest, CountsWhatIsPendingAndSinceWhen) {
  put(1, R"({"name":"a"})");
  now_ += 5s;
  remove(2);
  EXPECT_EQ(writes_.size(), 2U);
  EXPECT_EQ(writes_.bytes(), 14U);
  EXPECT_EQ(writes_.oldest(), TimePoint{1h});

  (void)writes_.send("k");
  (void)writes_.applied("k");

  EXPECT_EQ(writes_.size(), 0U);
  EXPECT_EQ(writes_.bytes(), 0U);
  EXPECT_EQ(writes_.oldest(), std::nullopt);
}

}  // namespace
}  // namespace larder::behind
