#include "redis/client.hpp"

#include <gmock/gmock.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <stdexcept>
#include <thread>

#include "redis/client_fixture.hpp"
#include "tls/certificate_files.hpp"

namespace larder::test {
namespace {

using namespace std::chrono_literals;
using redis::Client;
using redis::ClientOptions;
using testing::HasSubstr;

class RedisClient : public testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
  }
  void TearDown() override {
    if (client_) client_->close();
  }

  Client& connect(const std::string& url, ClientOptions options = {}) {
    options.url = redis::parse_redis_url(url).value();
    options.backoff = {.least = 5ms, .most = 20ms};
    client_ = Client::start(runtime_, options, diary_).value();
    return *client_;
  }

  Runtime runtime_{{.io_threads = 1}};
  std::shared_ptr<ClientDiary> diary_ = std::make_shared<ClientDiary>();
  std::shared_ptr<Client> client_;
};

TEST_F(RedisClient, AsksAndIsAnswered) {
  RedisServer server;
  Client& client = connect(server.url());
  diary_->session();

  EXPECT_EQ(ask(client, {"SET", "k", "v"}), "OK");
  EXPECT_EQ(ask(client, {"GET", "k"}), "v");
}

TEST_F(RedisClient, GoesOverAUnixSocketToADatabase) {
  RedisServer server;
  Client& client = connect("unix://" + server.socket() + "?db=3");
  diary_->session();

  EXPECT_EQ(ask(client, {"SET", "k", "v"}), "OK");

  EXPECT_THAT(server.ask({"INFO", "keyspace"}).text, HasSubstr("db3:keys=1"));
}

TEST_F(RedisClient, RefusesUntilItIsConnected) {
  Client& client = connect("unix:///nowhere/redis.sock");

  EXPECT_EQ(ask(client, {"PING"}).error().code, Errc::kSourceFailed);
  EXPECT_THAT(diary_->end().message, HasSubstr("/nowhere/redis.sock cannot be reached"));
}

TEST_F(RedisClient, CallersOnManyThreadsGetTheirOwnAnswers) {
  RedisServer server;
  Client& client = connect(server.url());
  diary_->session();
  std::atomic<int> wrong{0};

  {
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < 8; ++caller) {
      callers.emplace_back([&, caller] {
        for (int i = 0; i < 500; ++i) {
          const std::string own = std::to_string(caller) + ":" + std::to_string(i);
          if (ask(client, {"ECHO", own}) != own) ++wrong;
        }
      });
    }
  }

  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(client.health().waiting, 0U);
}

TEST_F(RedisClient, LargeValuesPassWhole) {
  RedisServer server;
  Client& client = connect(server.url());
  diary_->session();
  const std::string large(8 << 20, 'x');

  EXPECT_EQ(ask(client, {"SET", "k", large}, {.timeout = 30s}), "OK");
  EXPECT_EQ(ask(client, {"GET", "k"}, {.timeout = 30s}), large);
}

TEST_F(RedisClient, LogsInAsAUserOfTheAcl) {
  RedisServer server;
  server.ask({"ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all"});
  Client& client = connect("redis://app:secret@127.0.0.1:" + std::to_string(server.port()));
  diary_->session();

  EXPECT_EQ(ask(client, {"ACL", "WHOAMI"}), "app");
}

TEST_F(RedisClient, SaysThatAPasswordIsWanted) {
  RedisServer server{{"--requirepass", "secret"}};

  connect(server.url());

  EXPECT_THAT(diary_->end().message, HasSubstr("wants a login"));
}

TEST_F(RedisClient, SaysThatAPasswordIsWrongWithoutRepeatingIt) {
  RedisServer server{{"--requirepass", "secret"}};

  connect("redis://:mistake@127.0.0.1:" + std::to_string(server.port()));

  EXPECT_THAT(diary_->end().message, HasSubstr("refuses the URL's user or password"));
  EXPECT_THAT(diary_->end().message, testing::Not(HasSubstr("mistake")));
}

TEST_F(RedisClient, SaysThatRightsAreMissing) {
  RedisServer server;
  server.ask({"ACL", "SETUSER", "app", "on", ">secret", "~*", "+hello", "+get"});

  connect("redis://app:secret@127.0.0.1:" + std::to_string(server.port()));

  EXPECT_THAT(diary_->end().message, HasSubstr("does not allow this user"));
}

TEST_F(RedisClient, RefusesAReplica) {
  RedisServer master;
  RedisServer replica{{"--replicaof", "127.0.0.1 " + std::to_string(master.port())}};

  connect(replica.url());

  EXPECT_THAT(diary_->end().message,
              testing::AnyOf(HasSubstr("is a replica"), HasSubstr("MASTERDOWN")));
}

TEST_F(RedisClient, LeavesAMasterThatBecomesAReplica) {
  RedisServer other;
  RedisServer server;
  Client& client = connect(server.url());
  diary_->session();
  server.ask({"REPLICAOF", "127.0.0.1", std::to_string(other.port())});

  EXPECT_THAT(ask(client, {"SET", "k", "v"}).value(), HasSubstr("READONLY"));

  EXPECT_THAT(diary_->end(2).message, HasSubstr("is a replica"));
}

TEST_F(RedisClient, ComesBackToAServerThatWasKilled) {
  RedisServer server;
  Client& client = connect(server.url());
  const auto before = diary_->session();
  server.kill();
  diary_->end();
  server.start();

  const auto after = diary_->session(2);

  EXPECT_NE(before.run, after.run);
  EXPECT_EQ(ask(client, {"PING"}), "PONG");
}

TEST_F(RedisClient, WhatWasOnItsWayEndsWithTheConnection) {
  RedisServer server;
  Client& client = connect(server.url());
  diary_->session();

  auto reply = begin(client, {"BLPOP", "nothing", "0"}, {.timeout = 60s});
  server.kill();

  EXPECT_EQ(reply.get().error().code, Errc::kSourceFailed);
  EXPECT_EQ(client.health().waiting, 0U);
}

TEST_F(RedisClient, WhoThrowsAtAReplyCostsTheConnectionAndNobodysAnswer) {
  RedisServer server;
  Client& client = connect(server.url());
  diary_->session();
  const std::vector<std::string_view> ping{"PING"};
  const auto throws = [&] {
    return client.submit(
        {.timeout = 60s}, [&](resp::RequestWriter& write) { write.command(ping); },
        [](const Result<redis::Replies>&) { throw std::runtime_error{"surprise"}; });
  };

  ASSERT_FALSE(throws());
  (void)throws();  // told that the connection ended, and throws again
  auto behind = begin(client, {"BLPOP", "nothing", "0"}, {.timeout = 60s});

  EXPECT_FALSE(behind.get());
  EXPECT_THAT(diary_->end().message, HasSubstr("threw: surprise"));
  diary_->session(2);
  EXPECT_EQ(ask(client, {"PING"}), "PONG");
  EXPECT_EQ(client.health().waiting, 0U);
}

TEST_F(RedisClient, WhatIsMeantForAnotherRunIsNotSent) {
  RedisServer server;
  Client& client = connect(server.url());
  const auto session = diary_->session();

  EXPECT_THAT(ask(client, {"SET", "k", "v"}, {.session = session.run + 1}).error().message,
              HasSubstr("restarted"));

  EXPECT_TRUE(server.ask({"GET", "k"}).is_null());
}

TEST_F(RedisClient, GivesUpAServerThatSaysNothingAnyMore) {
  RedisServer server;
  Client& client = connect(server.url(), {.timeout = 50ms, .connect_timeout = 100ms});
  diary_->session();
  server.pause();

  EXPECT_EQ(ask(client, {"PING"}).error().code, Errc::kTimeout);
  EXPECT_THAT(diary_->end().message, HasSubstr("says nothing any more"));
  EXPECT_EQ(ask(client, {"PING"}).error().code, Errc::kSourceFailed);
  server.resume();

  diary_->session(2);
  EXPECT_EQ(ask(client, {"PING"}), "PONG");
}

// Twenty thousand commands take a server that is well longer than one takes one that hangs.
TEST_F(RedisClient, ManyCommandsAreWaitedForByTheirNumber) {
  constexpr std::size_t kMany = 20'000;
  RedisServer server;
  Client& client = connect(server.url(), {.timeout = 1ms});
  (void)diary_->session();
  std::promise<Result<redis::Replies>> promise;
  const auto refused = client.submit(
      {.commands = kMany},
      [&](resp::RequestWriter& write) {
        for (std::size_t i = 0; i < kMany; ++i) write.command({"PING"});
      },
      [&](Result<redis::Replies> replies) { promise.set_value(std::move(replies)); });
  ASSERT_FALSE(refused);

  const Result<redis::Replies> replies = promise.get_future().get();

  ASSERT_TRUE(replies) << replies.error().message;
  EXPECT_EQ(replies->size(), kMany);
}

TEST_F(RedisClient, TooManyCommandsAreRefused) {
  RedisServer server;
  Client& client = connect(server.url(), {.timeout = 60s, .most_commands = 2});
  diary_->session();

  auto first = begin(client, {"BLPOP", "nothing", "0"});
  auto second = begin(client, {"PING"});

  EXPECT_EQ(ask(client, {"PING"}).error().code, Errc::kOverloaded);
  server.kill();
  EXPECT_FALSE(first.get());
  EXPECT_FALSE(second.get());
}

TEST_F(RedisClient, ClosingEndsWhatIsOnItsWay) {
  RedisServer server;
  Client& client = connect(server.url());
  diary_->session();
  auto reply = begin(client, {"BLPOP", "nothing", "0"}, {.timeout = 60s});

  client.close();

  EXPECT_EQ(reply.get().error().code, Errc::kCancelled);
  EXPECT_EQ(ask(client, {"PING"}).error().code, Errc::kCancelled);
}

TEST_F(RedisClient, TheEndOfTheRuntimeEndsIt) {
  RedisServer server;
  auto runtime = std::make_unique<Runtime>(RuntimeOptions{.io_threads = 1});
  client_ = Client::start(*runtime, {.url = redis::parse_redis_url(server.url()).value()}, diary_)
                .value();
  diary_->session();
  auto reply = begin(*client_, {"BLPOP", "nothing", "0"}, {.timeout = 60s});

  runtime.reset();

  EXPECT_EQ(reply.get().error().code, Errc::kCancelled);
  EXPECT_EQ(ask(*client_, {"PING"}).error().code, Errc::kCancelled);
}

TEST_F(RedisClient, IsToldOfAKeyThatChanges) {
  RedisServer server;
  Client& client = connect(server.url());
  ASSERT_TRUE(diary_->session().tracking);
  (void)begin(client, {"CLIENT", "CACHING", "YES"});
  ASSERT_TRUE(ask(client, {"GET", "k"}));

  server.ask({"SET", "k", "v"});

  EXPECT_EQ(diary_->change(), "k");
}

// Says the same to everybody who comes, and hangs up. Threads: one at a time.
class Parrot {
 public:
  explicit Parrot(std::uint16_t port = 0)
      : acceptor_{context_, {boost::asio::ip::address_v4::loopback(), port}} {}
  [[nodiscard]] std::string place() const {
    return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }
  // Waits for one.
  void say(std::string_view words) {
    boost::asio::ip::tcp::socket socket = acceptor_.accept();
    std::array<char, 1024> heard{};
    socket.read_some(boost::asio::buffer(heard));
    boost::asio::write(socket, boost::asio::buffer(words));
  }

 private:
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
};

TEST_F(RedisClient, DoubtsItsUrlWhereTlsAnswersThatWasNotAskedFor) {
  Parrot parrot;
  connect("redis://" + parrot.place());

  parrot.say({"\x15\x03\x03\x00\x02\x02\x46", 7});  // an alert

  EXPECT_THAT(diary_->end().message, HasSubstr("; if it speaks TLS, write rediss in the URL"));
}

TEST_F(RedisClient, DoubtsItsUrlWhereNoTlsAnswersThatWasAskedFor) {
  Parrot parrot;
  connect("rediss://" + parrot.place());

  parrot.say("-ERR unknown command\r\n");

  EXPECT_THAT(diary_->end().message, HasSubstr("; if it speaks no TLS, write redis in the URL"));
}

TEST_F(RedisClient, DoesNotDoubtTheUrlOfWhoWasConnectedOrAnswered) {
  Parrot parrot;
  connect("redis://" + parrot.place());
  parrot.say("-NOAUTH\r\n");
  EXPECT_THAT(diary_->end().message, testing::Not(HasSubstr("TLS")));
  client_->close();

  RedisServer server;
  diary_ = std::make_shared<ClientDiary>();
  connect(server.url());
  diary_->session();
  server.kill();
  Parrot heir{server.port()};
  heir.say("");
  std::size_t attempt = 2;  // the first end is that of the connection
  while (diary_->end(attempt).message.contains("cannot be reached")) ++attempt;
  EXPECT_THAT(diary_->end(attempt).message, HasSubstr("closed the connection"));
  EXPECT_THAT(diary_->end(attempt).message, testing::Not(HasSubstr("TLS")));
}

class RedisOverTls : public RedisClient {
 protected:
  void SetUp() override {
    RedisClient::SetUp();
    if (IsSkipped()) return;
    files_.write("ca.pem", authority_.certificate);
    const TlsFiles server = files_.write(issue(authority_, "localhost"));
    server_.emplace(std::vector<std::string>{"--port", "0", "--tls-port", std::to_string(port_),
                                             "--tls-cert-file", server.certificate,
                                             "--tls-key-file", server.key, "--tls-ca-cert-file",
                                             files_.path("ca.pem"), "--tls-auth-clients", "no"});
  }
  [[nodiscard]] std::string url(const std::string& host, const std::string& ca) const {
    return "rediss://" + host + ":" + std::to_string(port_) + "?ca=" + files_.path(ca);
  }

  std::uint16_t port_ = demo::free_port(0, 0).value();
  CertificateFiles files_;
  Certificate authority_ = make_authority("test");
  std::optional<RedisServer> server_;
};

TEST_F(RedisOverTls, AsksAndIsAnswered) {
  Client& client = connect(url("localhost", "ca.pem"));
  diary_->session();
  const std::string large(1 << 20, 'x');

  EXPECT_EQ(ask(client, {"SET", "k", large}, {.timeout = 30s}), "OK");
  EXPECT_EQ(ask(client, {"GET", "k"}, {.timeout = 30s}), large);
}

// Redis 7 resets the connection then, without a word.
TEST_F(RedisOverTls, WhoAsksItWithoutTlsIsToldWhatMayBeWrong) {
  connect("redis://localhost:" + std::to_string(port_));

  EXPECT_THAT(diary_->end().message, HasSubstr("; if it speaks TLS, write rediss in the URL"));
}

TEST_F(RedisOverTls, AServerByItsAddressIsVerifiedToo) {
  connect(url("127.0.0.1", "ca.pem"));

  EXPECT_NE(diary_->session().run, 0U);
}

TEST_F(RedisOverTls, ACertificateOfAnotherAuthorityIsRefused) {
  files_.write("other.pem", make_authority("other").certificate);

  connect(url("localhost", "other.pem"));

  EXPECT_THAT(diary_->end().message, HasSubstr("certificate verify failed (self-signed"));
}

TEST_F(RedisOverTls, ACertificateForAnotherNameIsRefused) {
  connect(url("localhost.localdomain", "ca.pem"));

  // Where the name is not known, that is why there is no connection.
  EXPECT_THAT(diary_->end().message,
              testing::AnyOf(HasSubstr("certificate verify failed (hostname mismatch)"),
                             HasSubstr("cannot be found")));
}

}  // namespace
}  // namespace larder::test
