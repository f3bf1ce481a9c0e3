// Whatever is wrong with a request: an error, that connection closed, and no
// other affected.
#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "server/shop_server.hpp"

namespace larder::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Malformed {
  const char* name;
  std::string bytes;
  std::string reply;  // how the reply begins; empty: none is due
};

std::vector<Malformed> malformed() {
  return {
      {"HugeMultibulk", "*1000000000\r\n", "-ERR Protocol error: invalid multibulk length"},
      {"BeyondInt64", "*99999999999999999999\r\n", "-ERR Protocol error: invalid multibulk length"},
      {"NoNumber", "*x\r\n", "-ERR Protocol error: invalid multibulk length"},
      {"HugeBulk", "*2\r\n$3\r\nGET\r\n$9999999999\r\n",
       "-ERR Protocol error: invalid bulk length"},
      {"NegativeBulk", "*2\r\n$3\r\nGET\r\n$-5\r\n", "-ERR Protocol error: invalid bulk length"},
      {"NoDollar", "*2\r\n:3\r\n", "-ERR Protocol error: expected '$', got ':'"},
      {"NestedArray", "*1\r\n*1\r\n$4\r\nPING\r\n", "-ERR Protocol error: expected '$', got '*'"},
      {"WrongLength", "*1\r\n$2\r\nPING\r\n", "-ERR Protocol error: expected CRLF"},
      {"UnbalancedQuotes", "SET tag:a \"x\r\n", "-ERR Protocol error: unbalanced quotes"},
      {"EndlessInline", std::string(200'000, 'a'), "-ERR Protocol error: too big inline request"},
      {"BinaryNoise", std::string("\x01\x02\xff\xfe\r\n", 6), "-ERR unknown command"},
      {"CutOff", "*2\r\n$3\r\nGET\r\n$9\r\nprod", ""},
      {"Nothing", "", ""},
      {"EmptyLines", "\r\n\r\n\r\n", ""},
  };
}

TEST(MalformedRequest, IsAnsweredAndClosesItsConnectionAlone) {
  ShopServer server;
  TcpClient bystander = server.connect();
  ASSERT_EQ(bystander.ask({"PING"}).text, "PONG");

  for (const Malformed& each : malformed()) {
    SCOPED_TRACE(each.name);
    TcpClient client = server.connect();
    client.send(each.bytes);
    client.finish_sending();

    EXPECT_THAT(client.read_to_end(), StartsWith(each.reply));
    EXPECT_EQ(bystander.ask({"PING"}).text, "PONG");
  }
}

TEST(MalformedRequest, WhatCameBeforeItIsAnswered) {
  ShopServer server;
  TcpClient client = server.connect();

  client.send(request({"GET", "product:7"}) + "*1\r\n$-1\r\n" + request({"PING"}));

  EXPECT_EQ(client.reply().text, ShopServer::product(7));
  EXPECT_EQ(client.reply().text, "ERR Protocol error: invalid bulk length");
  EXPECT_EQ(client.read_to_end(), "");
}

// The reply is not lost though the client is still sending.
TEST(MalformedRequest, ReachesAClientThatKeepsSending) {
  ShopServer server;
  TcpClient client = server.connect();

  client.send("*1\r\n$-1\r\n" + std::string(100'000, 'x'));

  EXPECT_EQ(client.reply().text, "ERR Protocol error: invalid bulk length");
}

TEST(MalformedRequest, AnnouncedSizesCostNothingBeforeTheBytesCome) {
  ShopServer server;
  const std::uint64_t before = server.larder().peak_memory();
  std::vector<TcpClient> clients;

  for (int i = 0; i < 200; ++i) {
    clients.push_back(server.connect());
    clients.back().send("*1000000\r\n$30000000\r\nabc");  // 30 TB in all
  }
  TcpClient other = server.connect();
  ASSERT_EQ(other.ask({"PING"}).text, "PONG");
  while (server.larder().metric("larder_received_bytes_total") < 200 * 24) {
  }

  EXPECT_LT(server.larder().peak_memory() - before, std::uint64_t{64} << 20);
}

TEST(MalformedRequest, ARequestBeyondItsLimitIsRefusedWhileItArrives) {
  ShopServer server{"max_request = \"1MiB\"\nmax_value = \"1MiB\""};
  TcpClient client = server.connect();
  std::string bytes = "*1000\r\n";
  for (int i = 0; i < 3; ++i) bytes += "$500000\r\n" + std::string(500'000, 'x') + "\r\n";

  client.send(bytes);

  EXPECT_THAT(client.reply().text, AllOf(StartsWith("ERR Protocol error: too big request"),
                                         HasSubstr("; see server.max_request")));
  EXPECT_EQ(server.larder().metric("larder_limits_met_total{limit=\"max_request\"}"), 1);
}

}  // namespace
}  // namespace larder::test
