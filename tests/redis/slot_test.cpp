#include "redis/slot.hpp"

#include <gtest/gtest.h>

#include <string>

namespace larder::redis {
namespace {

// From Redis Cluster's specification, and `redis-cli CLUSTER KEYSLOT`.
TEST(Slot, IsWhatRedisSays) {
  EXPECT_EQ(slot_of("123456789"), 0x31C3);
  EXPECT_EQ(slot_of(""), 0);
  EXPECT_EQ(slot_of("foo"), 12'182);
  EXPECT_EQ(slot_of(std::string{"\xff\x00", 2}), slot_of(std::string{"\xff\x00", 2}));
}

TEST(Slot, WhatStandsInBracesDecides) {
  EXPECT_EQ(slot_of("{user1000}.following"), slot_of("{user1000}.followers"));
  EXPECT_EQ(slot_of("{user1000}.following"), slot_of("user1000"));
  EXPECT_EQ(slot_of("foo{bar}{zap}"), slot_of("bar"));
  EXPECT_EQ(slot_of("foo{{bar}}zap"), slot_of("{bar"));
}

TEST(Slot, EmptyOrOpenBracesAreBytesAsOthers) {
  EXPECT_NE(slot_of("foo{}{bar}"), slot_of("bar"));
  EXPECT_NE(slot_of("foo{bar"), slot_of("bar"));
}

}  // namespace
}  // namespace larder::redis
