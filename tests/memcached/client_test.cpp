#include "memcached/client.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <string_view>
#include <thread>

#include "larder/runtime.hpp"
#include "memcached/client_fixture.hpp"
#include "memcached/memcached_server.hpp"

namespace larder::test {
namespace {

using namespace std::chrono_literals;
using memcached::Client;
using memcached::ClientOptions;
using memcached::MetaReply;
using memcached::MetaWriter;
using testing::HasSubstr;
using Kind = MetaReply::Kind;

Write get(std::string_view key) {
  return [key](MetaWriter& write) { write.get(key); };
}
Write set(std::string_view key, std::string_view value) {
  return [key, value](MetaWriter& write) { write.set(key, value, 60s); };
}

class MemcachedClient : public testing::Test {
 protected:
  void SetUp() override {
    if (!MemcachedServer::installed()) GTEST_SKIP() << "memcached is not installed";
  }
  void TearDown() override {
    if (client_) client_->close();
  }

  Client& connect(const std::string& url, ClientOptions options = {}) {
    options.place = memcached::parse_memcached_url(url).value().servers.front();
    options.backoff = {.least = 5ms, .most = 20ms};
    client_ = Client::start(runtime_, options, diary_);
    return *client_;
  }

  Runtime runtime_{{.io_threads = 1}};
  std::shared_ptr<MemcachedDiary> diary_ = std::make_shared<MemcachedDiary>();
  std::shared_ptr<Client> client_;
};

TEST_F(MemcachedClient, AsksAndIsAnswered) {
  MemcachedServer server;
  Client& client = connect(server.url());
  diary_->session();

  EXPECT_EQ(ask(client, set("k", "v"))->kind, Kind::kDone);
  const MetaReply found = ask(client, get("k")).value();

  EXPECT_EQ(found.kind, Kind::kValue);
  EXPECT_EQ(found.text, "v");
  EXPECT_GT(found.cas, 0U);
  EXPECT_GE(found.left, 58s);
  EXPECT_EQ(ask(client, get("other"))->kind, Kind::kMiss);
}

TEST_F(MemcachedClient, EachCommandDoesWhatItSays) {
  MemcachedServer server;
  Client& client = connect(server.url());
  diary_->session();
  const auto cas = [&] { return ask(client, get("k"))->cas; };
  const auto kind = [&](const Write& write) { return ask(client, write)->kind; };

  const Write add = [](MetaWriter& write) { write.add("k", "added", 60s); };
  EXPECT_EQ(kind(add), Kind::kDone);
  EXPECT_EQ(kind(add), Kind::kNotStored);

  const std::uint64_t before = cas();
  const Write replace = [&](MetaWriter& write) { write.replace("k", "new", 60s, before); };
  EXPECT_EQ(kind(replace), Kind::kDone);
  EXPECT_EQ(kind(replace), Kind::kExists);

  const std::uint64_t valid = cas();
  EXPECT_EQ(kind([](MetaWriter& write) { write.invalidate("k"); }), Kind::kDone);
  EXPECT_TRUE(ask(client, get("k"))->stale);
  EXPECT_EQ(kind([&](MetaWriter& write) { write.remove("k", valid); }), Kind::kExists)
      << "an invalidation changes the CAS";
  EXPECT_EQ(kind([now = cas()](MetaWriter& write) { write.remove("k", now); }), Kind::kDone);
  EXPECT_EQ(kind([&](MetaWriter& write) { write.replace("k", "v", 60s, valid); }), Kind::kNotFound);
  EXPECT_EQ(kind([](MetaWriter& write) { write.invalidate("k"); }), Kind::kNotFound);
}

TEST_F(MemcachedClient, GoesOverAUnixSocket) {
  MemcachedServer server{{}, MemcachedServer::Listens::kSocket};
  Client& client = connect(server.url());
  diary_->session();

  EXPECT_EQ(ask(client, set("k", "v"))->kind, Kind::kDone);

  EXPECT_THAT(server.ask("mg k v\r\n"), HasSubstr("VA 1\r\nv\r\n"));
}

TEST_F(MemcachedClient, RefusesUntilItIsConnected) {
  Client& client = connect("memcached:///nowhere/memcached.sock");

  EXPECT_EQ(ask(client, get("k")).error().code, Errc::kSourceFailed);
  EXPECT_THAT(diary_->end().message, HasSubstr("/nowhere/memcached.sock cannot be reached"));
}

TEST_F(MemcachedClient, LearnsHowLargeAnItemMayBe) {
  MemcachedServer server{{"-I", "2m"}};

  connect(server.url());

  EXPECT_EQ(diary_->session().largest_item, 2U << 20U);
}

TEST_F(MemcachedClient, RefusesAServerWithoutCas) {
  MemcachedServer server{{"-C"}};

  connect(server.url());

  EXPECT_THAT(diary_->end().message, HasSubstr("runs without CAS"));
}

TEST_F(MemcachedClient, CallersOnManyThreadsGetTheirOwnAnswers) {
  MemcachedServer server;
  Client& client = connect(server.url());
  diary_->session();
  std::atomic<int> wrong{0};

  {
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < 8; ++caller) {
      callers.emplace_back([&, caller] {
        for (int i = 0; i < 500; ++i) {
          const std::string own = std::to_string(caller) + ":" + std::to_string(i);
          (void)ask(client, set(own, own));
          if (ask(client, get(own))->text != own) ++wrong;
        }
      });
    }
  }

  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(client.health().waiting, 0U);
}

TEST_F(MemcachedClient, LargeValuesPassWhole) {
  MemcachedServer server{{"-I", "16m", "-m", "256"}};
  Client& client = connect(server.url());
  diary_->session();
  const std::string large(8 << 20, 'x');

  EXPECT_EQ(ask(client, set("k", large), {.timeout = 30s})->kind, Kind::kDone);
  EXPECT_EQ(ask(client, get("k"), {.timeout = 30s})->text, large);
}

TEST_F(MemcachedClient, AnItemThatIsTooLargeIsAnErrorAndNoMore) {
  MemcachedServer server;
  Client& client = connect(server.url());
  diary_->session();

  EXPECT_TRUE(ask(client, set("k", std::string(2 << 20, 'x')), {.timeout = 30s})->is_error());

  EXPECT_EQ(ask(client, get("k"))->kind, Kind::kMiss);
}

TEST_F(MemcachedClient, ComesBackToAServerThatWasKilled) {
  MemcachedServer server;
  Client& client = connect(server.url());
  const auto before = diary_->session();
  server.kill();
  diary_->end();
  server.start();

  const auto after = diary_->session(2);

  EXPECT_NE(before.number, after.number);
  EXPECT_EQ(ask(client, get("k"))->kind, Kind::kMiss);
}

TEST_F(MemcachedClient, WhatWasOnItsWayEndsWithTheConnection) {
  MemcachedServer server;
  Client& client = connect(server.url());
  diary_->session();
  server.pause();

  auto reply = begin(client, get("k"), {.timeout = 60s});
  server.kill();

  EXPECT_EQ(reply.get().error().code, Errc::kSourceFailed);
  EXPECT_EQ(client.health().waiting, 0U);
}

TEST_F(MemcachedClient, WhatIsMeantForAnotherConnectionIsNotSent) {
  MemcachedServer server;
  Client& client = connect(server.url());
  const auto session = diary_->session();

  EXPECT_THAT(ask(client, set("k", "v"), {.session = session.number + 1}).error().message,
              HasSubstr("has been lost since"));

  EXPECT_EQ(server.ask("mg k v\r\n"), "EN\r\n");
}

TEST_F(MemcachedClient, GivesUpAServerThatSaysNothingAnyMore) {
  MemcachedServer server;
  Client& client = connect(server.url(), {.timeout = 50ms, .connect_timeout = 100ms});
  diary_->session();
  server.pause();

  EXPECT_EQ(ask(client, get("k")).error().code, Errc::kTimeout);
  EXPECT_THAT(diary_->end().message, HasSubstr("says nothing any more"));
  EXPECT_EQ(ask(client, get("k")).error().code, Errc::kSourceFailed);
  server.resume();

  diary_->session(2);
  EXPECT_EQ(ask(client, get("k"))->kind, Kind::kMiss);
}

TEST_F(MemcachedClient, TooManyCommandsAreRefused) {
  MemcachedServer server;
  Client& client = connect(server.url(), {.timeout = 60s, .most_commands = 2});
  diary_->session();
  server.pause();

  auto first = begin(client, get("k"));
  auto second = begin(client, get("k"));

  EXPECT_EQ(ask(client, get("k")).error().code, Errc::kOverloaded);
  server.kill();
  EXPECT_FALSE(first.get());
  EXPECT_FALSE(second.get());
}

TEST_F(MemcachedClient, ClosingEndsWhatIsOnItsWay) {
  MemcachedServer server;
  Client& client = connect(server.url());
  diary_->session();
  server.pause();
  auto reply = begin(client, get("k"), {.timeout = 60s});

  client.close();

  EXPECT_EQ(reply.get().error().code, Errc::kCancelled);
  EXPECT_EQ(ask(client, get("k")).error().code, Errc::kCancelled);
}

TEST_F(MemcachedClient, TheEndOfTheRuntimeEndsIt) {
  MemcachedServer server;
  auto runtime = std::make_unique<Runtime>(RuntimeOptions{.io_threads = 1});
  client_ = Client::start(
      *runtime, {.place = memcached::parse_memcached_url(server.url()).value().servers.front()},
      diary_);
  diary_->session();
  server.pause();
  auto reply = begin(*client_, get("k"), {.timeout = 60s});

  runtime.reset();

  EXPECT_EQ(reply.get().error().code, Errc::kCancelled);
  EXPECT_EQ(ask(*client_, get("k")).error().code, Errc::kCancelled);
}

}  // namespace
}  // namespace larder::test
