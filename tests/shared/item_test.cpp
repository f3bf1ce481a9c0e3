// The steps of the lease protocol on one item of Memcached.
#include "shared/item.hpp"

#include <gmock/gmock.h>

namespace larder::shared {
namespace {

using namespace std::chrono_literals;
using Kind = Found::Kind;
using ChangeKind = Change::Kind;
using memcached::MetaReply;

const std::string kMine(kTokenSize, 'm');
const std::string kTheirs(kTokenSize, 't');
const std::string kThird(kTokenSize, 'x');

// The item that a change leaves, `after` it.
Item left_by(const Change& change, std::chrono::seconds after = 0s) {
  EXPECT_EQ(change.kind, ChangeKind::kSet);
  return {.there = true, .bytes = change.bytes, .cas = 1, .left = change.life - after};
}
Item invalidated(Item item) {
  item.stale = true;
  return item;
}
Item value() { return {.there = true, .bytes = "V and so on", .cas = 1, .left = 60s}; }

TEST(Item, IsWhatMemcachedTells) {
  const Item item =
      item_in({.kind = MetaReply::Kind::kValue, .text = "L", .cas = 7, .left = 3s, .stale = true});

  EXPECT_TRUE(item.there);
  EXPECT_EQ(item.bytes, "L");
  EXPECT_EQ(item.cas, 7U);
  EXPECT_EQ(item.left, 3s);
  EXPECT_TRUE(item.stale);
  EXPECT_FALSE(item_in({.kind = MetaReply::Kind::kMiss}).there);
}

TEST(Item, AReaderFindsWhatItHolds) {
  EXPECT_EQ(found({}).kind, Kind::kNothing);
  EXPECT_EQ(found(value()).kind, Kind::kValue);
  EXPECT_EQ(found(left_by(take_lease(kMine, 3s))).kind, Kind::kLease);
  EXPECT_EQ(found(left_by(set_mark({}, kMine, 3s))).kind, Kind::kMarker);
  EXPECT_EQ(found({.there = true, .bytes = "hello", .left = 9s}).kind, Kind::kNothing);
  EXPECT_EQ(found({.there = true, .bytes = "", .left = 9s}).kind, Kind::kNothing);
}

TEST(Item, WhatWasInvalidatedIsNothingButAMarker) {
  EXPECT_EQ(found(invalidated(value())).kind, Kind::kNothing);
  EXPECT_EQ(found(invalidated(left_by(take_lease(kMine, 3s)))).kind, Kind::kNothing);
  EXPECT_EQ(found(invalidated(left_by(set_mark({}, kMine, 3s)))).kind, Kind::kMarker);
}

TEST(Item, AValueLivesASecondLessThanItsItemMay) {
  EXPECT_EQ(found(value()).left, 59s);
  EXPECT_EQ(found({.there = true, .bytes = "V", .left = 1s}).left, 1ms);
}

TEST(Item, LivesAreWholeSecondsOnTheSafeSide) {
  EXPECT_EQ(life_of_value(2999ms), 2s);
  EXPECT_EQ(life_of_value(1s), 1s);
  EXPECT_EQ(life_of_value(999ms), std::nullopt) << "0 would be without end";
  EXPECT_EQ(life_of_value(-5s), std::nullopt);
  EXPECT_EQ(life_of_value(24h * 365), memcached::kLongestLife) << "more would be a date";
  EXPECT_EQ(life_of_lease(3s), 3s);
  EXPECT_EQ(life_of_lease(2100ms), 3s);
  EXPECT_EQ(life_of_lease(100ms), 2s);
  EXPECT_EQ(set_mark({}, kMine, 3s).life, 4s);
  EXPECT_EQ(set_mark({}, kMine, 24h * 365).life, memcached::kLongestLife);
}

TEST(Item, TheHolderOfALeaseFillsIt) {
  const Item mine = left_by(take_lease(kMine, 3s));

  const Change filled = fill_lease(mine, kMine, "Vnew", 60s);

  EXPECT_EQ(filled.kind, ChangeKind::kSet);
  EXPECT_EQ(filled.bytes, "Vnew");
  EXPECT_EQ(filled.life, 60s);
  EXPECT_EQ(extend_lease(mine, kMine, 3s).bytes, mine.bytes);
  EXPECT_EQ(release_lease(mine, kMine).kind, ChangeKind::kDelete);
}

TEST(Item, WhoHasLostTheLeaseChangesNothing) {
  const Item mine = left_by(take_lease(kMine, 3s));
  for (const Item& item : {Item{}, value(), invalidated(mine), left_by(take_lease(kTheirs, 3s)),
                           left_by(set_mark({}, kTheirs, 3s)), left_by(set_mark({}, kMine, 3s))}) {
    EXPECT_EQ(extend_lease(item, kMine, 3s).kind, ChangeKind::kNone);
    EXPECT_EQ(fill_lease(item, kMine, "V", 60s).kind, ChangeKind::kNone);
    EXPECT_EQ(fail_lease(item, kMine, 7, {Errc::kSourceFailed, "no"}).kind, ChangeKind::kNone);
    EXPECT_EQ(release_lease(item, kMine).kind, ChangeKind::kNone);
  }
}

TEST(Item, AFailureIsToldAndForgotten) {
  const Error error{Errc::kSourceFailed, "no such table"};
  const Item failed = left_by(fail_lease(left_by(take_lease(kMine, 3s)), kMine, 7, error));

  EXPECT_EQ(found(failed).kind, Kind::kFailure);
  EXPECT_EQ(found(failed).error, error);
  EXPECT_EQ(forget_failure(failed, kTheirs).kind, ChangeKind::kNone);
  EXPECT_EQ(forget_failure(failed, kMine).kind, ChangeKind::kDelete);
}

TEST(Item, AFailureIsToldInPart) {
  const Error error{Errc::kSourceFailed, std::string(100'000, 'x')};
  const Item failed = left_by(fail_lease(left_by(take_lease(kMine, 3s)), kMine, 7, error));

  EXPECT_EQ(found(failed).error.message.size(), 1024U);
}

TEST(Item, WhatOnlyLooksLikeALeaseOrAFailureOrAMarkerIsNothing) {
  const Item marker = left_by(set_mark({}, kMine, 3s));
  const std::string lease = "L" + kMine;
  const std::string failure = "Fa" + kMine + std::string(kFingerprintSize, 'f');

  EXPECT_EQ(found({.there = true, .bytes = lease, .left = 2s}).kind, Kind::kLease);
  EXPECT_EQ(found({.there = true, .bytes = lease}).kind, Kind::kNothing);
  EXPECT_EQ(found({.there = true, .bytes = lease + "m", .left = 2s}).kind, Kind::kNothing);
  EXPECT_EQ(found({.there = true, .bytes = "L", .left = 2s}).kind, Kind::kNothing);
  EXPECT_EQ(found({.there = true, .bytes = failure, .left = 2s}).kind, Kind::kFailure);
  EXPECT_EQ(found({.there = true, .bytes = failure}).kind, Kind::kNothing);
  EXPECT_EQ(found({.there = true, .bytes = "Fa" + kMine, .left = 2s}).kind, Kind::kNothing);
  EXPECT_EQ(found(marker).kind, Kind::kMarker);
  EXPECT_EQ(found({.there = true, .bytes = marker.bytes}).kind, Kind::kNothing);
}

TEST(Item, AMarkThatHasNoEndIsNone) {
  const Item endless{.there = true, .bytes = left_by(set_mark({}, kMine, 3s)).bytes, .cas = 1};

  EXPECT_FALSE(sole_writer(endless, kMine));
  EXPECT_EQ(finish_mark(endless, kMine, "V", 60s).kind, ChangeKind::kInvalidate);
  for (const Duration life : {Duration{-3s}, Duration{0s}, Duration{1ms}}) {
    EXPECT_GE(set_mark(endless, kTheirs, life).life, 1s);
  }
}

TEST(Item, TheOnlyWriterLeavesItsValue) {
  const Item marked = left_by(set_mark(value(), kMine, 60s));

  const Change kept = finish_mark(marked, kMine, "Vnew", 60s);

  EXPECT_TRUE(sole_writer(marked, kMine));
  EXPECT_EQ(kept.kind, ChangeKind::kSet);
  EXPECT_EQ(kept.bytes, "Vnew");
  EXPECT_EQ(finish_mark(marked, kMine, "", 60s).kind, ChangeKind::kDelete);
}

TEST(Item, OfTwoWritersNeitherLeavesItsValue) {
  const Item both = left_by(set_mark(left_by(set_mark({}, kMine, 60s)), kTheirs, 60s));

  const Item theirs = left_by(finish_mark(both, kMine, "Vmine", 60s));

  EXPECT_EQ(found(theirs).kind, Kind::kMarker);
  EXPECT_FALSE(sole_writer(theirs, kTheirs)) << "it had another writer";
  EXPECT_EQ(finish_mark(theirs, kTheirs, "Vtheirs", 60s).kind, ChangeKind::kDelete);
}

TEST(Item, AWriterWhoseMarkWasInvalidatedLeavesNothing) {
  const Item marked = invalidated(left_by(set_mark({}, kMine, 60s)));

  EXPECT_EQ(finish_mark(marked, kMine, "V", 60s).kind, ChangeKind::kDelete);
}

TEST(Item, AnInvalidatedMarkStaysContendedForThoseWhoAreLeft) {
  const Item both = left_by(set_mark(left_by(set_mark({}, kMine, 60s)), kTheirs, 60s));

  const Item theirs = left_by(finish_mark(invalidated(both), kMine, "V", 60s));

  EXPECT_EQ(finish_mark(theirs, kTheirs, "V", 60s).kind, ChangeKind::kDelete);
}

TEST(Item, AWriterWhoseMarkWasLostInvalidatesWhatIsThere) {
  EXPECT_EQ(finish_mark({}, kMine, "V", 60s).kind, ChangeKind::kNone);
  EXPECT_EQ(finish_mark(value(), kMine, "V", 60s).kind, ChangeKind::kInvalidate);
  EXPECT_EQ(finish_mark(left_by(take_lease(kTheirs, 3s)), kMine, "V", 60s).kind,
            ChangeKind::kInvalidate);
  const Item theirs = left_by(finish_mark(left_by(set_mark({}, kTheirs, 60s)), kMine, "V", 60s));
  EXPECT_FALSE(sole_writer(theirs, kTheirs));
}

TEST(Item, EachWritersTimeEndsByItself) {
  const Item first = left_by(set_mark({}, kMine, 10s));
  Item both = left_by(set_mark(first, kTheirs, 60s));
  EXPECT_EQ(both.left, 61s);

  both.left -= 11s;  // the first one's time is up
  const Change after = finish_mark(both, kTheirs, "V", 60s);

  EXPECT_EQ(after.kind, ChangeKind::kDelete) << "nobody is left, but it had another writer";
  const Item third = left_by(set_mark(both, kThird, 30s));
  EXPECT_EQ(third.left, 50s) << "as long as the last of them";
  const Item without = left_by(finish_mark(third, kTheirs, "", 60s));
  EXPECT_EQ(without.left, 31s);
}

TEST(Item, AMarkerLivesAsLongAsTheLastOfItsWriters) {
  const Item longer = left_by(set_mark(left_by(set_mark({}, kMine, 60s)), kTheirs, 10s));

  EXPECT_EQ(longer.left, 61s);
  EXPECT_EQ(finish_mark(longer, kMine, "", 60s).life, 11s);
}

TEST(Item, AWriterMayMarkItOnceMore) {
  const Item again = left_by(set_mark(left_by(set_mark({}, kMine, 10s)), kMine, 30s));

  EXPECT_EQ(again.left, 31s);
  EXPECT_TRUE(sole_writer(again, kMine));
}

TEST(Item, ADamagedMarkerIsOneAllTheSame) {
  for (const std::string bytes : {"M", "M0", "M1abc", "Mx0123456789012345678901234567890"}) {
    const Item item{.there = true, .bytes = bytes, .cas = 1, .left = 9s};

    EXPECT_EQ(found(item).kind, Kind::kMarker);
    EXPECT_FALSE(sole_writer(item, kMine));
    EXPECT_EQ(set_mark(item, kMine, 3s).kind, ChangeKind::kSet);
    EXPECT_NE(finish_mark(item, kMine, "V", 60s).kind, ChangeKind::kNone);
  }
}

}  // namespace
}  // namespace larder::shared
