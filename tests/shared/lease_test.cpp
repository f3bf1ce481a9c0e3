// Each step of the protocol against a real Redis, and what the next one then finds.
#include "shared/lease.hpp"

#include <gmock/gmock.h>

#include "redis/redis_server.hpp"

namespace larder::shared {
namespace {

using namespace std::chrono_literals;
using Kind = Found::Kind;
using resp::Reply;
using test::Peer;
using test::RedisServer;
using test::Words;

constexpr Stamp kStamp{.run = 1, .fingerprint = 2, .generation = 3};
const std::string kMine(kTokenSize, 'm');
const std::string kTheirs(kTokenSize, 't');
const std::string kKey = "k";

class Lease : public testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
    server_.emplace();
    peer_.emplace(Peer::to_socket(server_->socket()));
  }

  Reply carry_out(const Call& call) {
    const auto words = call.command(false);
    Reply reply = peer_->ask(Words{words.begin(), words.end()});
    EXPECT_FALSE(reply.is_error()) << reply.text;
    return reply;
  }
  bool did(const Call& call) { return carry_out(call).integer == 1; }
  Kind acquire(const std::string& token, Want want = Want::kCopy, const Stamp& stamp = kStamp) {
    return acquired(carry_out(shared::acquire(kKey, stamp, token, 10s, want))).kind;
  }
  Found look() {
    auto replies = peer_->ask(std::vector<Words>{{"PTTL", kKey}, {"GET", kKey}});
    return found(replies[0], std::move(replies[1]));
  }
  // What the value there says, if one is there and may be believed.
  std::optional<std::string> body(const Stamp& stamp = kStamp) {
    const Found there = look();
    if (there.kind != Kind::kValue) return std::nullopt;
    const auto envelope = open(there.bytes, stamp, {});
    return envelope ? envelope->body : std::nullopt;
  }
  static std::string value(std::string text) { return seal(kStamp, {.body = std::move(text)}, {}); }
  bool fill(const std::string& token, std::string text) {
    return did(shared::fill(kKey, token, value(std::move(text)), 60s));
  }

  std::optional<RedisServer> server_;
  std::optional<Peer> peer_;
};

TEST_F(Lease, OneReaderGetsItAndTheOthersSeeThat) {
  EXPECT_EQ(look().kind, Kind::kNothing);
  EXPECT_EQ(acquire(kMine), Kind::kAcquired);
  EXPECT_EQ(acquire(kTheirs), Kind::kLease);

  const Found seen = look();

  EXPECT_EQ(seen.kind, Kind::kLease);
  EXPECT_GT(seen.left, 0ms);
  EXPECT_LE(seen.left, 10s);
}

TEST_F(Lease, ItsHolderFills) {
  (void)acquire(kMine);

  EXPECT_TRUE(fill(kMine, "v"));

  EXPECT_EQ(body(), "v");
  EXPECT_LE(look().left, 60s);
  EXPECT_EQ(acquire(kTheirs), Kind::kValue);
}

TEST_F(Lease, NobodyElseFills) {
  (void)acquire(kMine);

  EXPECT_FALSE(fill(kTheirs, "v"));

  EXPECT_EQ(look().kind, Kind::kLease);
}

TEST_F(Lease, AnInvalidationRefusesTheFillOnItsWay) {
  (void)acquire(kMine);
  (void)carry_out(invalidate(kKey));

  EXPECT_FALSE(fill(kMine, "old"));

  EXPECT_EQ(look().kind, Kind::kNothing);
}

TEST_F(Lease, AnInvalidationRefusesTheFillEvenIfAnotherLoadsNow) {
  (void)acquire(kMine);
  (void)carry_out(invalidate(kKey));
  (void)acquire(kTheirs);

  EXPECT_FALSE(fill(kMine, "old"));
  EXPECT_TRUE(fill(kTheirs, "new"));

  EXPECT_EQ(body(), "new");
}

TEST_F(Lease, ItsHolderExtendsIt) {
  (void)carry_out(shared::acquire(kKey, kStamp, kMine, 1s, Want::kCopy));

  EXPECT_TRUE(did(extend(kKey, kMine, 30s)));
  EXPECT_FALSE(did(extend(kKey, kTheirs, 90s)));

  EXPECT_GT(look().left, 1s);
  EXPECT_LE(look().left, 30s);
}

TEST_F(Lease, OnceItHasEndedAnotherTakesIt) {
  (void)carry_out(shared::acquire(kKey, kStamp, kMine, 1ms, Want::kCopy));
  while (look().kind != Kind::kNothing) {
  }

  EXPECT_EQ(acquire(kTheirs), Kind::kAcquired);
  EXPECT_FALSE(fill(kMine, "v"));
}

TEST_F(Lease, AFailureIsToldToTheOthers) {
  (void)acquire(kMine);
  EXPECT_TRUE(
      did(fail(kKey, kMine, kStamp.fingerprint, {Errc::kSourceFailed, "no such table"}, 60s)));

  const Found seen = acquired(carry_out(shared::acquire(kKey, kStamp, kTheirs, 10s, Want::kCopy)));

  EXPECT_EQ(seen.kind, Kind::kFailure);
  EXPECT_EQ(seen.error, (Error{Errc::kSourceFailed, "no such table"}));
}

TEST_F(Lease, AFailureOfAnotherStatementsLoadIsAsNothing) {
  (void)acquire(kMine);
  (void)carry_out(fail(kKey, kMine, 9, {Errc::kSourceFailed, "no such table"}, 60s));

  EXPECT_EQ(look().fingerprint, 9U);
  EXPECT_EQ(acquire(kTheirs), Kind::kAcquired);
}

TEST_F(Lease, WhoWantsItAnewIsNotServedAFailure) {
  (void)acquire(kMine);
  (void)carry_out(
      fail(kKey, kMine, kStamp.fingerprint, {Errc::kSourceFailed, "no such table"}, 60s));

  EXPECT_EQ(acquire(kTheirs, Want::kAnew), Kind::kAcquired);
}

TEST_F(Lease, ReleasedItIsFree) {
  (void)acquire(kMine);

  EXPECT_FALSE(did(release(kKey, kTheirs)));
  EXPECT_TRUE(did(release(kKey, kMine)));

  EXPECT_EQ(look().kind, Kind::kNothing);
}

TEST_F(Lease, AValueOfAnotherStampBecomesALease) {
  (void)acquire(kMine);
  (void)fill(kMine, "v");

  for (const Stamp& other : {Stamp{9, 2, 3}, Stamp{1, 9, 3}, Stamp{1, 2, 9}}) {
    (void)carry_out(release(kKey, kTheirs));
    EXPECT_EQ(body(other), std::nullopt);
    EXPECT_EQ(acquire(kTheirs, Want::kCopy, other), Kind::kAcquired);
  }
}

TEST_F(Lease, AValueThatWasNotBelievedIsReplaced) {
  (void)acquire(kMine);
  (void)fill(kMine, "damaged");

  EXPECT_EQ(acquire(kTheirs, Want::kReplace), Kind::kAcquired);
}

TEST_F(Lease, OtherProgramsBytesBecomeALease) {
  for (const char* bytes : {"hello", "Lars", "Mary", "Fred", "Fanny", "V"}) {
    peer_->ask(Words{"SET", kKey, bytes});

    EXPECT_EQ(look().kind, Kind::kNothing) << bytes;
    EXPECT_EQ(acquire(kMine), Kind::kAcquired) << bytes;
  }
}

TEST_F(Lease, WhatOnlyBeginsAsOneIsNoneAndNoFailure) {
  for (const char* bytes : {"L", "Lars", "F", "F "}) {
    peer_->ask(Words{"SET", kKey, bytes, "PX", "60000"});

    EXPECT_EQ(look().kind, Kind::kNothing) << bytes;
    EXPECT_EQ(acquire(kMine), Kind::kAcquired) << bytes;
  }
}

TEST_F(Lease, WhatHasNoEndIsReplaced) {
  (void)acquire(kMine);
  peer_->ask(Words{"PERSIST", kKey});
  EXPECT_EQ(acquire(kTheirs), Kind::kAcquired);
  (void)fill(kTheirs, "v");
  peer_->ask(Words{"PERSIST", kKey});

  EXPECT_EQ(look().kind, Kind::kNothing);
  EXPECT_EQ(acquire(kMine), Kind::kAcquired);
}

TEST_F(Lease, WhileOneRefreshesTheValueIsServed) {
  (void)acquire(kMine);
  (void)fill(kMine, "old");

  EXPECT_EQ(acquire(kTheirs, Want::kAnew), Kind::kAcquired);

  EXPECT_EQ(body(), "old");
  EXPECT_TRUE(fill(kTheirs, "new"));
  EXPECT_EQ(body(), "new");
}

TEST_F(Lease, AnInvalidationRefusesARefreshOnItsWay) {
  (void)acquire(kMine);
  (void)fill(kMine, "old");
  (void)acquire(kTheirs, Want::kAnew);
  (void)carry_out(invalidate(kKey));

  EXPECT_FALSE(fill(kTheirs, "older"));

  EXPECT_EQ(look().kind, Kind::kNothing);
}

TEST_F(Lease, OfTwoRefreshesTheLaterOneFills) {
  (void)acquire(kMine);
  (void)fill(kMine, "old");
  (void)acquire(kMine, Want::kAnew);
  (void)acquire(kTheirs, Want::kAnew);

  EXPECT_FALSE(fill(kMine, "earlier"));
  EXPECT_TRUE(fill(kTheirs, "later"));

  EXPECT_EQ(body(), "later");
}

TEST_F(Lease, AFailedRefreshLeavesTheValue) {
  (void)acquire(kMine);
  (void)fill(kMine, "old");
  (void)acquire(kTheirs, Want::kAnew);

  EXPECT_TRUE(did(fail(kKey, kTheirs, kStamp.fingerprint, {Errc::kSourceFailed, "down"}, 60s)));

  EXPECT_EQ(body(), "old");
  EXPECT_FALSE(fill(kTheirs, "late"));
}

class WriteMarker : public Lease {
 protected:
  bool finish(const std::string& token, std::string text) {
    std::string bytes = text.empty() ? std::string{} : value(std::move(text));
    return did(shared::finish(kKey, token, std::move(bytes), 60s));
  }
  void mark(const std::string& token) { (void)carry_out(shared::mark(kKey, token, 30s)); }
};

TEST_F(WriteMarker, ReadersInBetweenKeepNothing) {
  mark(kMine);

  EXPECT_EQ(look().kind, Kind::kMarker);
  EXPECT_EQ(acquire(kTheirs), Kind::kMarker);
  EXPECT_FALSE(fill(kTheirs, "v"));
}

TEST_F(WriteMarker, AnOnlyWriterLeavesItsValue) {
  mark(kMine);

  EXPECT_TRUE(finish(kMine, "new"));

  EXPECT_EQ(body(), "new");
}

TEST_F(WriteMarker, ALoadOnItsWayIsRefused) {
  (void)acquire(kTheirs);
  mark(kMine);

  EXPECT_FALSE(fill(kTheirs, "old"));
  EXPECT_TRUE(finish(kMine, "new"));

  EXPECT_EQ(body(), "new");
}

TEST_F(WriteMarker, OfTwoWritersNeitherLeavesAValue) {
  mark(kMine);
  mark(kTheirs);

  EXPECT_FALSE(finish(kMine, "one"));
  EXPECT_EQ(look().kind, Kind::kMarker);
  EXPECT_FALSE(finish(kTheirs, "other"));

  EXPECT_EQ(look().kind, Kind::kNothing);
}

TEST_F(WriteMarker, OneThatCameBetweenIsNotForgotten) {
  mark(kMine);
  mark(kTheirs);
  (void)finish(kTheirs, "");

  EXPECT_FALSE(finish(kMine, "older"));

  EXPECT_EQ(look().kind, Kind::kNothing);
}

TEST_F(WriteMarker, AfterAnInvalidationTheWriterDeletes) {
  mark(kMine);
  (void)carry_out(invalidate(kKey));
  EXPECT_EQ(look().kind, Kind::kMarker);

  EXPECT_FALSE(finish(kMine, "v"));

  EXPECT_EQ(look().kind, Kind::kNothing);
}

TEST_F(WriteMarker, OnceItIsGoneTheWriterDeletesWhatItFinds) {
  mark(kMine);
  peer_->ask(Words{"DEL", kKey});
  (void)acquire(kTheirs);
  (void)fill(kTheirs, "perhaps from before the commit");

  EXPECT_FALSE(finish(kMine, "new"));

  EXPECT_EQ(look().kind, Kind::kNothing);
}

TEST_F(WriteMarker, ASecondWriterMakesItLastLonger) {
  (void)carry_out(shared::mark(kKey, kMine, 1s));
  (void)carry_out(shared::mark(kKey, kTheirs, 30s));
  const auto longer = peer_->ask(Words{"PTTL", kKey}).integer;
  (void)carry_out(shared::mark(kKey, std::string(kTokenSize, 'o'), 1s));
  const auto still = peer_->ask(Words{"PTTL", kKey}).integer;

  EXPECT_GT(longer, 1000);
  EXPECT_GT(still, 1000);
}

TEST_F(Lease, ScriptsAreKnownByTheirNames) {
  for (std::size_t i = 0; i < kSteps; ++i) {
    const Script& each = script(static_cast<Step>(i));
    EXPECT_EQ(peer_->ask(Words{"SCRIPT", "LOAD", each.text}).text, each.sha);
  }
}

// Redis saves RDB files by default, and comes back with what was deleted since.
TEST_F(Lease, ADeletedValueThatAnRdbFileBringsBackIsNotBelieved) {
  const auto run = [&] {
    const std::string info = peer_->ask(Words{"INFO", "server"}).text;
    return info.substr(info.find("run_id:"), 47);
  };
  (void)acquire(kMine);
  (void)fill(kMine, "old");
  peer_->ask(Words{"SAVE"});
  (void)carry_out(invalidate(kKey));
  const std::string before = run();
  server_->kill();
  server_->start();
  peer_.emplace(Peer::to_socket(server_->socket()));

  ASSERT_EQ(look().kind, Kind::kValue);
  EXPECT_NE(run(), before);
  const Stamp after{.run = 99, .fingerprint = 2, .generation = 3};
  EXPECT_EQ(body(after), std::nullopt);
  EXPECT_EQ(acquire(kTheirs, Want::kCopy, after), Kind::kAcquired);
}

}  // namespace
}  // namespace larder::shared
