#include "memcached/meta_reply.hpp"

#include <gmock/gmock.h>

namespace larder::memcached {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Kind = MetaReply::Kind;
using Outcome = DecodedReply::Outcome;

MetaReply reply(std::string_view bytes) {
  const DecodedReply decoded = decode_reply(bytes);
  EXPECT_EQ(decoded.outcome, Outcome::kReply) << decoded.error;
  EXPECT_EQ(decoded.consumed, bytes.size());
  return decoded.reply;
}

TEST(MetaReply, AValueWithItsFlags) {
  EXPECT_EQ(reply("VA 3 t59 c2 Z X\r\nabc\r\n"),
            (MetaReply{.kind = Kind::kValue, .text = "abc", .cas = 2, .left = 59s, .stale = true}));
}

TEST(MetaReply, AValueMayHoldAnything) {
  EXPECT_EQ(reply("VA 7\r\na\r\nEN\r\n\r\n").text, "a\r\nEN\r\n");
  EXPECT_EQ(reply("VA 0 c5\r\n\r\n").text, "");
}

TEST(MetaReply, AnItemWithoutEndHasNoTimeLeft) {
  EXPECT_EQ(reply("VA 1 t-1 c6\r\nx\r\n").left, std::nullopt);
}

TEST(MetaReply, EachCodeIsKnown) {
  EXPECT_EQ(reply("HD c7\r\n"), (MetaReply{.kind = Kind::kDone, .cas = 7}));
  EXPECT_EQ(reply("HD W t60 c4\r\n").cas, 4U) << "flags that nobody asked for are passed over";
  EXPECT_EQ(reply("EN\r\n").kind, Kind::kMiss);
  EXPECT_EQ(reply("NS c0\r\n").kind, Kind::kNotStored);
  EXPECT_EQ(reply("EX\r\n").kind, Kind::kExists);
  EXPECT_EQ(reply("NF\r\n").kind, Kind::kNotFound);
  EXPECT_EQ(reply("VERSION 1.6.18\r\n"), (MetaReply{.kind = Kind::kVersion, .text = "1.6.18"}));
  EXPECT_EQ(reply("STAT evictions on\r\n").text, "evictions on");
  EXPECT_EQ(reply("END\r\n").kind, Kind::kEnd);
}

TEST(MetaReply, ErrorsAreRepliesToo) {
  EXPECT_EQ(reply("SERVER_ERROR out of memory storing object\r\n").text,
            "SERVER_ERROR out of memory storing object");
  EXPECT_TRUE(reply("CLIENT_ERROR bad data chunk\r\n").is_error());
  EXPECT_TRUE(reply("ERROR\r\n").is_error());
}

TEST(MetaReply, OneAtATime) {
  const DecodedReply decoded = decode_reply("EN\r\nHD\r\n");

  EXPECT_EQ(decoded.reply.kind, Kind::kMiss);
  EXPECT_EQ(decoded.consumed, 4U);
}

TEST(MetaReply, WaitsForTheRest) {
  const std::string_view whole = "VA 3 t59 c2\r\nabc\r\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(decode_reply(whole.substr(0, size)).outcome, Outcome::kNeedMore) << size;
  }
}

TEST(MetaReply, UnknownFlagsArePassedOver) { EXPECT_EQ(reply("HD Oabc s3 f0 c1\r\n").cas, 1U); }

TEST(MetaReply, WhatIsNoReplyIsAnError) {
  for (const std::string_view bytes :
       {"VA\r\n", "VA x\r\n", "VA -1\r\n", "VA 3\r\nabcd\r\n", "HD c\r\n", "HD tx\r\n",
        "HD t-2\r\n", "HD t99999999999\r\n", "+OK\r\n", "\r\n", "\n", "HD\n", "ENDS\r\n",
        "VA 99999999999999999999\r\n", "VA 2000000000\r\n"}) {
    EXPECT_EQ(decode_reply(bytes).outcome, Outcome::kError) << bytes;
  }
}

TEST(MetaReply, ALineHasItsBound) {
  const MetaLimits limits{.most_line = 10};

  EXPECT_EQ(decode_reply("STAT 56789\r\n", limits).outcome, Outcome::kReply);
  EXPECT_EQ(decode_reply("STAT 567890\r\n", limits).outcome, Outcome::kError);
  EXPECT_THAT(decode_reply("STAT 56789012", limits).error, HasSubstr("longer than any"));
}

}  // namespace
}  // namespace larder::memcached
