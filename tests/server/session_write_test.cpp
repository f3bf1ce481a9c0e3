// What commands that write do on caches of either kind; how they compare with
// Redis on plain caches is the differential test's.
#include <gmock/gmock.h>

#include "server/session_fixture.hpp"

namespace larder::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class SessionWrites : public SessionTest {};

TEST_F(SessionWrites, WhatChangesAValueInPlaceIsRefusedWhereThereIsASource) {
  for (const char* line :
       {"INCR product:1", "DECR product:1", "INCRBY product:1 2", "DECRBY product:1 2",
        "INCRBYFLOAT product:1 2", "APPEND product:1 x", "SETRANGE product:1 0 x",
        "SETNX product:1 x", "MSET product:1 x", "MSETNX product:1 x", "GETDEL product:1",
        "GETEX product:1 EX 5", "WATCH product:1"}) {
    EXPECT_THAT(ask(line), AllOf(StartsWith("-REFUSED cache \"product\" has a source, which "),
                                 HasSubstr(std::string{line}.substr(0, 4))))
        << line;
  }
  EXPECT_TRUE(source_->asked().empty());
}

TEST_F(SessionWrites, MsetWithOneKeyThatIsRefusedStoresNothing) {
  EXPECT_THAT(ask("MSET tag:a 1 product:1 2"), StartsWith("-REFUSED"));

  EXPECT_EQ(ask("GET tag:a"), "$-1\r\n");
}

TEST_F(SessionWrites, WhatOnlyReadsLoadsFromTheSource) {
  ask("STRLEN product:1");
  ask("TYPE product:2");
  ask("GETRANGE product:3 1 7");
  source_->succeed(0);
  source_->succeed(1);
  source_->succeed(2);

  EXPECT_EQ(collect(), ":11\r\n+string\r\n$7\r\nproduct\r\n");
}

TEST_F(SessionWrites, ANumberKeepsItsLife) {
  ask("SET tag:a 1 EX 100");
  clock_.advance(10s);
  ask("INCR tag:a");

  EXPECT_EQ(ask("TTL tag:a"), ":90\r\n");
}

TEST_F(SessionWrites, PersistGivesTheCachesTtlBack) {
  ask("SET tag:a 1 EX 10");

  EXPECT_EQ(ask("PERSIST tag:a"), ":1\r\n");

  EXPECT_EQ(ask("TTL tag:a"), ":300\r\n");
}

TEST_F(SessionWrites, PersistKeepsACopyNoLongerThanItsSourceAllows) {
  ask("GET product:1");
  source_->succeed(0);
  collect();
  ask("EXPIRE product:1 10");
  clock_.advance(5s);
  ask("PERSIST product:1");

  EXPECT_EQ(ask("TTL product:1"), ":295\r\n");
}

TEST_F(SessionWrites, AppendRefusesToMakeAValueTooLong) {
  EXPECT_THAT(ask("SETRANGE tag:a 9223372036854775807 x"), HasSubstr("server.max_value"));
  EXPECT_EQ(ask("EXISTS tag:a"), ":0\r\n");
}

// Larger than what a memory of 16 MiB takes.
std::string huge() { return std::string(20 << 20, 'x'); }

TEST_F(SessionWrites, AValueThatIsTooLargeLeavesWhatWas) {
  ask("SET tag:a 1 EX 100");

  for (const std::string& line :
       {"SET tag:a " + huge(), "SET tag:a " + huge() + " KEEPTTL", "GETSET tag:a " + huge(),
        "APPEND tag:a " + huge(), std::string{"SETRANGE tag:a 20000000 x"},
        "MSET tag:a " + huge()}) {
    EXPECT_THAT(ask(line), AllOf(StartsWith("-ERR cache \"tag\""), HasSubstr("too large")))
        << line.substr(0, 20);
  }
  EXPECT_THAT(ask("SETNX tag:b " + huge()), StartsWith("-ERR cache \"tag\""));

  EXPECT_EQ(ask("GET tag:a"), "$1\r\n1\r\n");
  EXPECT_EQ(ask("TTL tag:a"), ":100\r\n");
  EXPECT_EQ(ask("EXISTS tag:b"), ":0\r\n");
}

TEST_F(SessionWrites, MsetWithOneValueThatIsTooLargeStoresNothing) {
  ask("SET tag:b 2");

  EXPECT_THAT(ask("MSET tag:a 1 tag:b 3 tag:c " + huge()), StartsWith("-ERR cache \"tag\""));
  EXPECT_THAT(ask("MSETNX tag:a 1 tag:c " + huge()), StartsWith("-ERR cache \"tag\""));

  EXPECT_EQ(ask("MGET tag:a tag:b tag:c"), "*3\r\n$-1\r\n$1\r\n2\r\n$-1\r\n");
}

TEST_F(SessionWrites, ScanAndKeysPassOverWhatTheSourceDoesNotHave) {
  ask("SET tag:a 1");
  ask("GET product:1");
  source_->find_nothing(0);
  collect();

  EXPECT_EQ(ask("KEYS *"), "*1\r\n$5\r\ntag:a\r\n");
  EXPECT_EQ(ask("SCAN 0 COUNT 1000"), "*2\r\n$1\r\n0\r\n*1\r\n$5\r\ntag:a\r\n");
  EXPECT_EQ(ask("RANDOMKEY"), "$5\r\ntag:a\r\n");
}

class SmallReplies : public SessionTest {
 protected:
  SmallReplies() : SessionTest{{.max_reply_buffer = {1000}}} {}
};

TEST_F(SmallReplies, KeysThatDoNotFitIntoTheReplyBufferAreAnError) {
  for (int i = 0; i < 100; ++i) ask("SET tag:" + std::to_string(i) + " x");

  EXPECT_THAT(ask("KEYS *"), HasSubstr("server.max_reply_buffer"));
}

}  // namespace
}  // namespace larder::test
