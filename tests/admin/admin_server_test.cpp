#include "admin/admin_server.hpp"

#include <gmock/gmock.h>

#include <string>

#include "larder/runtime.hpp"
#include "server/tcp_client.hpp"

namespace larder {
namespace {

using test::TcpClient;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class AdminServerTest : public testing::Test {
 protected:
  // The response to a whole request.
  std::string send(const std::string& request) {
    TcpClient client{server_->endpoint().port()};
    client.send(request);
    client.finish_sending();
    return client.read_to_end();
  }

  Runtime runtime_{{.io_threads = 1, .blocking_threads = 1}};
  std::unique_ptr<AdminServer> server_ =
      std::move(AdminServer::start(
                    runtime_, "127.0.0.1", 0,
                    {{"/page", [] { return AdminPage{.body = "text\n"}; }},
                     {"/down", [] { return AdminPage{.status = 503, .body = "down\n"}; }}}))
          .value();
};

TEST_F(AdminServerTest, AnswersAPage) {
  EXPECT_THAT(send("GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("Content-Length: 5\r\n"),
                    EndsWith("\r\n\r\ntext\n")));
  EXPECT_THAT(send("GET /page?x=1 HTTP/1.0\r\n\r\n"), HasSubstr(" 200 "));
  EXPECT_THAT(send("GET /down HTTP/1.1\r\nHost: localhost\r\n\r\n"),
              StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
}

TEST_F(AdminServerTest, HeadHasNoBody) {
  EXPECT_THAT(send("HEAD /page HTTP/1.1\r\nHost: localhost\r\n\r\n"),
              AllOf(HasSubstr("Content-Length: 5\r\n"), EndsWith("\r\n\r\n")));
}

TEST_F(AdminServerTest, AnUnknownPathListsThePages) {
  EXPECT_THAT(send("GET /other HTTP/1.1\r\nHost: localhost\r\n\r\n"),
              AllOf(HasSubstr(" 404 "), EndsWith("/down\n/page\n")));
}

TEST_F(AdminServerTest, OtherMethodsAreRefused) {
  EXPECT_THAT(send("POST /page HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"),
              HasSubstr(" 405 "));
}

TEST_F(AdminServerTest, OneConnectionMayAskManyTimes) {
  TcpClient client{server_->endpoint().port()};

  client.send(
      "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\nGET /down HTTP/1.1\r\nHost: localhost\r\n"
      "Connection: close\r\n\r\n");

  EXPECT_THAT(client.read_to_end(), AllOf(HasSubstr("text\n"), EndsWith("down\n")));
}

TEST_F(AdminServerTest, WhatIsNoRequestIsRefused) {
  EXPECT_THAT(send("*1\r\n$4\r\nPING\r\n"), HasSubstr(" 400 "));
  EXPECT_THAT(send("GET /page HTTP/1.1\r\nX: " + std::string(10'000, 'x') + "\r\n\r\n"),
              AllOf(Not(HasSubstr(" 200 ")), Not(HasSubstr("text\n"))));
  EXPECT_THAT(send("GET /page HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999\r\n\r\nabc"),
              Not(HasSubstr(" 200 ")));
  EXPECT_EQ(send(""), "");
}

TEST_F(AdminServerTest, TakesSixtyFourConnectionsAndNoMore) {
  std::vector<TcpClient> clients;
  for (int i = 0; i < 64; ++i) {
    clients.emplace_back(server_->endpoint().port());
    clients.back().send("GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_THAT(clients.back().read_some(), HasSubstr(" 200 "));
  }

  TcpClient one_more{server_->endpoint().port()};

  EXPECT_EQ(one_more.read_to_end(), "");
}

TEST_F(AdminServerTest, AnAddressInUseIsAnErrorThatSaysSo) {
  const auto second =
      AdminServer::start(runtime_, "127.0.0.1", server_->endpoint().port(), AdminPages{});

  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message,
              AllOf(HasSubstr("Address already in use"), HasSubstr("server.admin")));
}

}  // namespace
}  // namespace larder
