#include "redis/handshake.hpp"

#include <gmock/gmock.h>

namespace larder::redis {
namespace {

using resp::Reply;
using testing::ElementsAre;
using testing::HasSubstr;
using Step = Handshake::Step;

Reply reply(Reply::Kind kind, std::string words = {}) {
  Reply made;
  made.kind = kind;
  made.text = std::move(words);
  return made;
}
Reply text(std::string words) { return reply(Reply::Kind::kBulk, std::move(words)); }
Reply error(std::string words) { return reply(Reply::Kind::kError, std::move(words)); }
Reply map() { return reply(Reply::Kind::kMap); }

constexpr auto kServer =
    "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nrun_id:abc\r\n";
constexpr auto kMaster = "# Replication\r\nrole:master\r\n";

RedisUrl at(std::string_view url) { return parse_redis_url(url).value(); }

TEST(Handshake, LogsInWithTheNewProtocol) {
  const Handshake handshake{at("redis://app:secret@h")};

  EXPECT_THAT(handshake.command(),
              ElementsAre("HELLO", "3", "AUTH", "app", "secret", "SETNAME", "larder"));
}

TEST(Handshake, LearnsRunVersionAndTracking) {
  Handshake handshake{at("redis://h")};

  EXPECT_EQ(handshake.take(map()), Step::kSend);
  EXPECT_EQ(handshake.take(text(kServer)), Step::kSend);
  EXPECT_EQ(handshake.take(text(kMaster)), Step::kSend);
  EXPECT_EQ(handshake.take(text("OK")), Step::kDone);

  EXPECT_NE(handshake.session().run, 0U);
  EXPECT_EQ(handshake.session().version, "7.0.15");
  EXPECT_TRUE(handshake.session().resp3);
  EXPECT_TRUE(handshake.session().tracking);
}

TEST(Handshake, ShowsNothingOfTheServersWordsThatWouldSteerATerminal) {
  Handshake handshake{at("redis://h")};

  EXPECT_EQ(handshake.take(error("ERR \x1b[2J\xff")), Step::kFailed);

  EXPECT_THAT(handshake.error().message, testing::EndsWith("ERR \\x1b[2J\\xff"));
}

TEST(Handshake, FallsBackToTheOldProtocolAndLogin) {
  Handshake handshake{at("redis://:secret@h/2")};

  EXPECT_EQ(handshake.take(error("ERR unknown command `HELLO`")), Step::kSend);
  EXPECT_THAT(handshake.command(), ElementsAre("AUTH", "secret"));
  EXPECT_EQ(handshake.take(text("OK")), Step::kSend);
  EXPECT_THAT(handshake.command(), ElementsAre("SELECT", "2"));
  EXPECT_EQ(handshake.take(text("OK")), Step::kSend);
  EXPECT_EQ(handshake.take(text(kServer)), Step::kSend);
  EXPECT_EQ(handshake.take(text(kMaster)), Step::kDone);

  EXPECT_FALSE(handshake.session().resp3);
}

TEST(Handshake, AnotherRunIsAnotherNumber) {
  const auto run = [](const char* info, const char* replication = kMaster) {
    Handshake handshake{at("redis://h")};
    (void)handshake.take(map());
    (void)handshake.take(text(info));
    (void)handshake.take(text(replication));
    return handshake.session().run;
  };

  EXPECT_EQ(run("run_id:abc\r\n"), run("run_id:abc\r\n"));
  EXPECT_NE(run("run_id:abc\r\n"), run("run_id:abd\r\n"));
  EXPECT_NE(run("run_id:abc\r\n"), run("run_id:abc\r\n", "role:master\r\nmaster_replid2:abc\r\n"))
      << "it was a replica before";
}

TEST(Handshake, AServerWithoutARunIsRefused) {
  Handshake handshake{at("redis://h")};
  (void)handshake.take(map());

  EXPECT_EQ(handshake.take(text("not_run_id:abc\r\n")), Step::kFailed);

  EXPECT_THAT(handshake.error().message, HasSubstr("run_id"));
}

// Valkey has other names for some fields.
TEST(Handshake, AMemberOfAClusterIsKnownInEitherDialect) {
  for (const char* info : {"redis_version:7.0.15\r\nredis_mode:cluster\r\nrun_id:abc\r\n",
                           "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.1\r\n"
                           "server_mode:cluster\r\nrun_id:abc\r\n"}) {
    Handshake alone{at("redis://h")};
    (void)alone.take(map());
    EXPECT_EQ(alone.take(text(info)), Step::kFailed);
    EXPECT_THAT(alone.error().message, HasSubstr("write redis+cluster://"));

    Handshake member{at("redis+cluster://h"), Expect::kClusterMaster};
    (void)member.take(map());
    EXPECT_EQ(member.take(text(info)), Step::kSend);
  }
}

TEST(Handshake, AReplicaIsRefused) {
  Handshake handshake{at("redis://h")};
  (void)handshake.take(map());
  (void)handshake.take(text(kServer));

  EXPECT_EQ(handshake.take(text("role:slave\r\n")), Step::kFailed);

  EXPECT_THAT(handshake.error().message, HasSubstr("h:6379 is a replica"));
}

TEST(Handshake, SaysWhatIsMissingWithoutAPassword) {
  Handshake handshake{at("redis://h")};

  EXPECT_EQ(handshake.take(error("NOAUTH HELLO must be called with …")), Step::kFailed);

  EXPECT_THAT(handshake.error().message, HasSubstr("wants a login"));
}

TEST(Handshake, WorksWithoutTracking) {
  Handshake handshake{at("redis://h")};
  (void)handshake.take(map());
  (void)handshake.take(text(kServer));
  (void)handshake.take(text(kMaster));

  EXPECT_EQ(handshake.take(error("NOPERM no tracking for you")), Step::kDone);

  EXPECT_FALSE(handshake.session().tracking);
}

}  // namespace
}  // namespace larder::redis
