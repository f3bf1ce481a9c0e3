#include "larder/detail/write_marks.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace larder::detail {
namespace {

using namespace std::chrono_literals;

class WriteMarksTest : public testing::Test {
 protected:
  TimePoint now_{1h};
  WriteMarks<int, std::hash<int>, std::equal_to<>> marks_;
};

TEST_F(WriteMarksTest, TheOnlyWriterMayLeaveItsValue) {
  marks_.mark(1, now_);
  EXPECT_TRUE(marks_.marked(1, now_));

  EXPECT_TRUE(marks_.finish(1, now_));

  EXPECT_FALSE(marks_.marked(1, now_));
  EXPECT_EQ(marks_.size(), 0U);
}

TEST_F(WriteMarksTest, OfTwoNeitherMay) {
  marks_.mark(1, now_);
  marks_.mark(1, now_);

  EXPECT_FALSE(marks_.finish(1, now_));
  EXPECT_TRUE(marks_.marked(1, now_)) << "the other is still at work";
  EXPECT_FALSE(marks_.finish(1, now_));

  EXPECT_EQ(marks_.size(), 0U);
}

TEST_F(WriteMarksTest, TheNextOneIsAloneAgain) {
  marks_.mark(1, now_);
  marks_.contend(1);
  EXPECT_FALSE(marks_.finish(1, now_));
  marks_.mark(1, now_);

  EXPECT_TRUE(marks_.finish(1, now_));
}

TEST_F(WriteMarksTest, KeysAreApart) {
  marks_.mark(1, now_);
  marks_.mark(2, now_);
  marks_.contend(2);

  EXPECT_TRUE(marks_.finish(1, now_));
  EXPECT_FALSE(marks_.finish(2, now_));
}

TEST_F(WriteMarksTest, AnUnknownOutcomeIsLeftUntilItsTime) {
  marks_.mark(1, now_);
  marks_.leave(1, now_ + 30s, now_);

  EXPECT_TRUE(marks_.marked(1, now_ + 30s - 1ns));
  EXPECT_FALSE(marks_.marked(1, now_ + 30s));
}

TEST_F(WriteMarksTest, BesideAnUnknownOutcomeNobodyIsAlone) {
  marks_.mark(1, now_);
  marks_.leave(1, now_ + 30s, now_);
  marks_.mark(1, now_ + 10s);

  EXPECT_FALSE(marks_.finish(1, now_ + 11s));

  EXPECT_TRUE(marks_.marked(1, now_ + 29s));
}

TEST_F(WriteMarksTest, WhatIsOverIsForgotten) {
  for (int key = 0; key < 1000; ++key) {
    marks_.mark(key, now_);
    marks_.leave(key, now_ + 30s, now_);
    now_ += 1s;
  }

  EXPECT_LE(marks_.size(), 31U);
}

TEST_F(WriteMarksTest, AWriterThatOutlivesItsMarksTimeIsStillAtWork) {
  marks_.mark(1, now_);
  marks_.leave(1, now_ + 30s, now_);
  marks_.mark(1, now_ + 20s);
  marks_.mark(2, now_ + 60s);  // forgets what is over

  EXPECT_TRUE(marks_.marked(1, now_ + 60s));
  EXPECT_FALSE(marks_.finish(1, now_ + 60s));
  EXPECT_FALSE(marks_.marked(1, now_ + 60s));
}

}  // namespace
}  // namespace larder::detail
