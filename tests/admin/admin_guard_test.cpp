#include "admin/admin_guard.hpp"

#include <gmock/gmock.h>

#include <string>

#include "admin/admin_server.hpp"
#include "larder/runtime.hpp"
#include "server/tcp_client.hpp"

namespace larder {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::Optional;
using testing::Pair;

TEST(AdminGuard, TakesLocalhostAndAddressesAndListedNames) {
  const AdminGuard guard{{"larder.internal"}};

  for (const auto* host : {"localhost", "LOCALHOST:9380", "127.0.0.1:9380", "[::1]:9380",
                           "192.0.2.1", "larder.internal:80", "Larder.Internal", ""}) {
    EXPECT_TRUE(guard.takes_host(host)) << host;
  }
  for (const auto* host : {"evil.example", "localhost.evil.example:9380", "127.0.0.1.evil.example",
                           "larder.internal.evil", "[", ":", "x"}) {
    EXPECT_FALSE(guard.takes_host(host)) << host;
  }
}

TEST(AdminGuard, ReadsBasicCredentials) {
  EXPECT_THAT(basic_credentials("Basic d2ViOnB3"), Optional(Pair("web", "pw")));
  EXPECT_THAT(basic_credentials("basic d2ViOnB3Og=="), Optional(Pair("web", "pw:")));
  EXPECT_THAT(basic_credentials("Basic d2Vi"), testing::Eq(std::nullopt));
  for (const auto* damaged : {"", "Basic", "Basic ", "Bearer d2ViOnB3", "Basic d2ViOnB",
                              "Basic ????", "Basic ====", "Basic d2Vi===="}) {
    EXPECT_EQ(basic_credentials(damaged), std::nullopt) << damaged;
  }
}

// A door that asks for the password "pw" of "web".
class GuardedDoor : public testing::Test {
 protected:
  std::string get(const std::string& path, const std::string& header = "") {
    test::TcpClient client{server_->endpoint().port()};
    client.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + header +
                "\r\n");
    return client.read_to_end();
  }

  Runtime runtime_{{.io_threads = 1, .blocking_threads = 1}};
  std::shared_ptr<Authenticator> authenticator_ = std::make_shared<Authenticator>(
      Users::of({{"web", PasswordHash::of("pw", {.log_rounds = 10}).value(), Rights{}}}),
      [this](std::move_only_function<void()> work) { runtime_.block(std::move(work)); });
  std::unique_ptr<AdminServer> server_ =
      AdminServer::start(runtime_, "127.0.0.1", 0,
                         {{"/metrics", [] { return AdminPage{.body = "numbers"}; }},
                          {"/health", [] { return AdminPage{.body = "well"}; }}},
                         AdminGuard{{}, authenticator_})
          .value();
};

TEST_F(GuardedDoor, AsksForAPassword) {
  EXPECT_THAT(get("/metrics"), AllOf(HasSubstr(" 401 "), HasSubstr("WWW-Authenticate: Basic"),
                                     Not(HasSubstr("numbers"))));
}

TEST_F(GuardedDoor, LetsInWhoKnowsIt) {
  EXPECT_THAT(get("/metrics", "Authorization: Basic d2ViOnB3\r\n"),
              AllOf(HasSubstr(" 200 "), HasSubstr("numbers")));
}

TEST_F(GuardedDoor, RefusesAnother) {
  EXPECT_THAT(get("/metrics", "Authorization: Basic d2ViOnB4\r\n"), HasSubstr(" 401 "));
}

TEST_F(GuardedDoor, SlowsDownWhoGuesses) {
  for (int i = 0; i < 11; ++i) get("/metrics", "Authorization: Basic d2ViOnB4\r\n");

  EXPECT_THAT(get("/metrics", "Authorization: Basic d2ViOnB3\r\n"), HasSubstr(" 429 "));
}

TEST_F(GuardedDoor, HealthIsForAnybody) { EXPECT_THAT(get("/health"), HasSubstr("well")); }

TEST_F(GuardedDoor, AStrangePageIsRefusedWhateverItAsksFor) {
  test::TcpClient client{server_->endpoint().port()};
  client.send("GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n");

  EXPECT_THAT(client.read_to_end(), AllOf(HasSubstr(" 421 "), Not(HasSubstr("well"))));
}

}  // namespace
}  // namespace larder
