#include "demo/resp_client.hpp"

#include <gmock/gmock.h>

#include "demo/free_port.hpp"
#include "demo/scripted_server.hpp"

namespace larder::demo {
namespace {

using test::ScriptedServer;
using testing::HasSubstr;

// What a client is told by a server that answers everything with `bytes`.
Result<std::optional<std::string>> ask(const std::string& bytes) {
  ScriptedServer server{[&](ScriptedServer::Arguments) { return bytes; }};
  auto client = RespClient::connect(server.port()).value();
  return client.ask({"GET", "key"});
}

TEST(RespClient, SendsTheCommandAsItIs) {
  std::string seen;
  {
    ScriptedServer server{[&](ScriptedServer::Arguments arguments) {
      for (const std::string_view argument : arguments) seen += std::string{argument} + '|';
      return "+OK\r\n";
    }};
    auto client = RespClient::connect(server.port()).value();
    ASSERT_TRUE(client.ask({"SET", "a\r\nb", ""}));
  }

  EXPECT_EQ(seen, "SET|a\r\nb||");
}

TEST(RespClient, GivesTextOfAnyKind) {
  EXPECT_EQ(ask("$5\r\nhello\r\n"), "hello");
  EXPECT_EQ(ask("+OK\r\n"), "OK");
  EXPECT_EQ(ask(":42\r\n"), "42");
  EXPECT_EQ(ask("$0\r\n\r\n"), "");
}

TEST(RespClient, ANullIsNothing) { EXPECT_EQ(ask("$-1\r\n"), std::nullopt); }

TEST(RespClient, AnErrorReplyIsAnErrorThatNamesTheCommand) {
  const auto answer = ask("-ERR no such cache\r\n");

  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("GET"));
  EXPECT_THAT(answer.error().message, HasSubstr("no such cache"));
}

TEST(RespClient, GivesAnArraysPartsOnALineEach) {
  EXPECT_EQ(ask("*3\r\n$1\r\na\r\n:5\r\n$-1\r\n"), "a\n5\n(nothing)");
}

TEST(RespClient, GarbageIsAnError) { EXPECT_FALSE(ask("HTTP/1.1 200 OK\r\n\r\n")); }

TEST(RespClient, AClosedConnectionIsAnError) {
  const auto answer = ask("");

  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("lost"));
}

TEST(RespClient, ReadsAnswersLargerThanAnyBuffer) {
  const std::string large(1'000'000, 'x');

  EXPECT_EQ(ask("$1000000\r\n" + large + "\r\n"), large);
}

TEST(RespClient, SaysWhereNobodyListens) {
  const std::uint16_t port = free_port(0, 0).value();

  const auto client = RespClient::connect(port);

  ASSERT_FALSE(client);
  EXPECT_THAT(client.error().message, HasSubstr(std::to_string(port)));
}

}  // namespace
}  // namespace larder::demo
