#include "resp/reply_decoder.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace larder::resp {
namespace {

using Kind = Reply::Kind;
using Outcome = ReplyDecoder::Outcome;

Reply text(Kind kind, std::string bytes) {
  Reply reply;
  reply.kind = kind;
  reply.text = std::move(bytes);
  return reply;
}

Reply integer(std::int64_t value) {
  Reply reply;
  reply.kind = Kind::kInteger;
  reply.integer = value;
  return reply;
}

Reply aggregate(Kind kind, std::vector<Reply> items) {
  Reply reply;
  reply.kind = kind;
  reply.items = std::move(items);
  return reply;
}

// The one reply that `bytes` are.
Reply decoded(std::string_view bytes) {
  ReplyDecoder decoder;
  EXPECT_EQ(decoder.decode(bytes), Outcome::kReply) << decoder.error();
  EXPECT_EQ(decoder.consumed(), bytes.size());
  return decoder.take();
}

std::string error_of(std::string_view bytes, ReplyLimits limits = {}) {
  ReplyDecoder decoder{limits};
  EXPECT_EQ(decoder.decode(bytes), Outcome::kError) << bytes;
  return decoder.error();
}

TEST(ReplyDecoder, ReadsWhatResp2Has) {
  EXPECT_EQ(decoded("+OK\r\n"), text(Kind::kSimple, "OK"));
  EXPECT_EQ(decoded("-ERR no\r\n"), text(Kind::kError, "ERR no"));
  EXPECT_EQ(decoded(":-9223372036854775808\r\n"), integer(INT64_MIN));
  EXPECT_EQ(decoded("$4\r\na\r\nb\r\n"), text(Kind::kBulk, "a\r\nb"));
  EXPECT_EQ(decoded("$0\r\n\r\n"), text(Kind::kBulk, ""));
  EXPECT_EQ(decoded("$-1\r\n"), Reply{});
  EXPECT_EQ(decoded("*-1\r\n"), Reply{});
  EXPECT_EQ(decoded("*0\r\n"), aggregate(Kind::kArray, {}));
  EXPECT_EQ(
      decoded("*2\r\n:1\r\n*1\r\n+a\r\n"),
      aggregate(Kind::kArray, {integer(1), aggregate(Kind::kArray, {text(Kind::kSimple, "a")})}));
}

TEST(ReplyDecoder, ReadsWhatResp3Adds) {
  EXPECT_EQ(decoded("_\r\n"), Reply{});
  EXPECT_EQ(decoded("#t\r\n").integer, 1);
  EXPECT_EQ(decoded("#f\r\n").kind, Kind::kBoolean);
  EXPECT_EQ(decoded(",3.25\r\n").real, 3.25);
  EXPECT_EQ(decoded(",-inf\r\n").real, -HUGE_VAL);
  EXPECT_EQ(decoded("(-12345678901234567890\r\n"), text(Kind::kBigNumber, "-12345678901234567890"));
  EXPECT_EQ(decoded("!5\r\nERR a\r\n"), text(Kind::kError, "ERR a"));
  EXPECT_EQ(decoded("=6\r\ntxt:hi\r\n"), text(Kind::kVerbatim, "hi"));
  EXPECT_EQ(decoded("~1\r\n:1\r\n"), aggregate(Kind::kSet, {integer(1)}));
  EXPECT_EQ(decoded("%1\r\n+k\r\n:1\r\n"),
            aggregate(Kind::kMap, {text(Kind::kSimple, "k"), integer(1)}));
}

TEST(ReplyDecoder, PassesOverAttributes) {
  EXPECT_EQ(decoded("|1\r\n+ttl\r\n:3\r\n:7\r\n"), integer(7));
  EXPECT_EQ(decoded("*2\r\n:1\r\n|1\r\n+a\r\n*1\r\n:9\r\n:2\r\n"),
            aggregate(Kind::kArray, {integer(1), integer(2)}));
}

TEST(ReplyDecoder, PushedMessagesAreNoReplies) {
  ReplyDecoder decoder;
  std::string_view bytes = ">1\r\n+invalidate\r\n:5\r\n";

  ASSERT_EQ(decoder.decode(bytes), Outcome::kPush);
  EXPECT_EQ(decoder.take(), aggregate(Kind::kPush, {text(Kind::kSimple, "invalidate")}));
  bytes.remove_prefix(decoder.consumed());
  ASSERT_EQ(decoder.decode(bytes), Outcome::kReply);
  EXPECT_EQ(decoder.take(), integer(5));
}

TEST(ReplyDecoder, PutsStreamedPiecesTogether) {
  EXPECT_EQ(decoded("$?\r\n;4\r\nHell\r\n;1\r\no\r\n;0\r\n"), text(Kind::kBulk, "Hello"));
  EXPECT_EQ(decoded("*?\r\n:1\r\n:2\r\n.\r\n"), aggregate(Kind::kArray, {integer(1), integer(2)}));
  EXPECT_EQ(decoded("%?\r\n+a\r\n:1\r\n.\r\n"),
            aggregate(Kind::kMap, {text(Kind::kSimple, "a"), integer(1)}));
}

TEST(ReplyDecoder, LetsGoOfWhatItHasTaken) {
  ReplyDecoder decoder;

  ASSERT_EQ(decoder.decode("*2\r\n:1\r\n$5\r\nhel"), Outcome::kNeedMore);
  EXPECT_EQ(decoder.consumed(), 8U);
  EXPECT_EQ(decoder.needed(), 4U);
  ASSERT_EQ(decoder.decode("$5\r\nhello\r\n"), Outcome::kReply);

  EXPECT_EQ(decoder.take(), aggregate(Kind::kArray, {integer(1), text(Kind::kBulk, "hello")}));
}

TEST(ReplyDecoder, RefusesDamage) {
  EXPECT_EQ(error_of("hello\r\n"), "the server sent bytes that begin no reply: 'h'");
  EXPECT_EQ(error_of("\r\n"), "the server sent bytes that begin no reply: 0x0d");
  error_of(":12a\r\n");
  error_of(":\r\n");
  error_of(",x\r\n");
  error_of("#x\r\n");
  error_of("(1.5\r\n");
  error_of("_x\r\n");
  error_of("+a\rb");
  error_of("$-2\r\n");
  error_of("$3\r\nabcd\r\n");
  error_of("*-2\r\n");
  error_of("=3\r\nabc\r\n");
  error_of("*1\r\n>0\r\n");
  error_of(";1\r\na\r\n");
  error_of("$?\r\n:1\r\n");
  error_of(".\r\n");
  error_of("%?\r\n+a\r\n.\r\n");
}

TEST(ReplyDecoder, RefusesWhatIsOverALimitBeforeItArrives) {
  EXPECT_EQ(error_of("$11\r\n", {.max_bulk = {10}}),
            "the server sent a string of 11 bytes; the limit is 10");
  EXPECT_EQ(error_of("*1000000\r\n", {.max_memory = {1000}}),
            "the server sent a reply that needs more than 1000 bytes");
  EXPECT_EQ(error_of("%999999999999999999\r\n"),
            "the server sent a reply that needs more than 1073741824 bytes");
  EXPECT_EQ(error_of("+abcd", {.max_line = {3}}), "the server sent a line of more than 3 bytes");
  EXPECT_EQ(error_of("*1\r\n*1\r\n*1\r\n", {.max_depth = 2}),
            "the server sent a reply nested more than 2 deep");
  EXPECT_EQ(error_of("$?\r\n;6\r\nabcdef\r\n;5\r\n", {.max_bulk = {10}}),
            "the server sent a streamed string of more than 10 bytes");
}

TEST(ReplyDecoder, CountsMemoryPerReplyAndNotForEver) {
  ReplyDecoder decoder{{.max_memory = {1000}}};
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(decoder.decode("*2\r\n:1\r\n$3\r\nabc\r\n"), Outcome::kReply) << decoder.error();
  }
}

}  // namespace
}  // namespace larder::resp
