// CLIENT against the real program: others are seen, and closed.
#include <gmock/gmock.h>

#include <string>

#include "server/shop_server.hpp"

namespace larder::test {
namespace {

using ::testing::HasSubstr;

std::string id_of(TcpClient& client) {
  return std::to_string(client.ask({"CLIENT", "ID"}).integer);
}

TEST(ServeClients, AreListedWithWhereTheyComeFrom) {
  ShopServer server;
  TcpClient client = server.connect();
  TcpClient other = server.connect();
  other.ask({"CLIENT", "SETNAME", "other"});

  const std::string line = client.ask({"CLIENT", "LIST", "ID", id_of(other)}).text;

  EXPECT_THAT(line, HasSubstr(" addr=127.0.0.1:"));
  EXPECT_THAT(line, HasSubstr(" laddr=127.0.0.1:" + std::to_string(server.larder().port()) + " "));
  EXPECT_THAT(line, HasSubstr(" name=other "));
}

// On several threads, so that most of them belong to another than the killer's.
TEST(ServeClients, AreClosedWhoeverTheirThread) {
  ShopServer server{"threads = 4"};
  TcpClient client = server.connect();
  std::vector<TcpClient> others;
  for (int i = 0; i < 20; ++i) others.push_back(server.connect());
  for (TcpClient& other : others) other.ask({"PING"});

  EXPECT_EQ(client.ask({"CLIENT", "KILL", "TYPE", "normal"}).integer, 20);

  for (TcpClient& other : others) EXPECT_EQ(other.read_to_end(), "");
  EXPECT_EQ(client.ask({"PING"}).text, "PONG");
}

TEST(ServeClients, AreClosedAlsoWhileTheyWaitForALoad) {
  ShopServer server;
  TcpClient client = server.connect();
  TcpClient other = server.connect();
  const std::string id = id_of(other);
  other.send(request({"GET", "slow:7"}));

  EXPECT_EQ(client.ask({"CLIENT", "KILL", "ID", id}).integer, 1);

  EXPECT_EQ(other.read_to_end(), "");
  EXPECT_EQ(client.ask({"GET", "slow:7"}).text, ShopServer::product(7));
}

TEST(ServeClients, AreClosedAlsoWhenTheyDoNotReadTheirReplies) {
  ShopServer server;
  TcpClient client = server.connect();
  TcpClient other = server.connect();
  const std::string id = id_of(other);
  const std::string echo = request({"ECHO", std::string(60'000, 'x')});
  for (int i = 0; i < 1000 && other.send_some(echo) == echo.size(); ++i) {
  }

  EXPECT_EQ(client.ask({"CLIENT", "KILL", "ID", id}).integer, 1);

  other.read_to_end();  // or else this waits for a minute, and throws
}

TEST(ServeClients, WhoeverClosesItselfGetsTheReply) {
  ShopServer server;
  TcpClient client = server.connect();

  EXPECT_EQ(client.ask({"CLIENT", "KILL", "ID", id_of(client), "SKIPME", "no"}).integer, 1);

  EXPECT_EQ(client.read_to_end(), "");
}

}  // namespace
}  // namespace larder::test
