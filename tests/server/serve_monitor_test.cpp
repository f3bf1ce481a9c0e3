// MONITOR against the real program.
#include <gmock/gmock.h>

#include <string>

#include "server/shop_server.hpp"

namespace larder::test {
namespace {

using ::testing::HasSubstr;

// On several threads, so that most of the others belong to another than the watcher's.
TEST(ServeMonitor, ShowsTheCommandsOfEveryThread) {
  ShopServer server{"threads = 4"};
  TcpClient watcher = server.connect();
  ASSERT_EQ(watcher.ask({"MONITOR"}).text, "OK");

  for (int i = 0; i < 20; ++i) {
    TcpClient other = server.connect();
    other.ask({"ECHO", "number " + std::to_string(i)});

    EXPECT_THAT(watcher.reply().text, HasSubstr("] \"ECHO\" \"number " + std::to_string(i) + "\""));
  }
}

TEST(ServeMonitor, ClosesAWatcherThatDoesNotRead) {
  ShopServer server{"max_reply_buffer = \"64KiB\""};
  TcpClient watcher = server.connect();
  ASSERT_EQ(watcher.ask({"MONITOR"}).text, "OK");
  TcpClient client = server.connect();
  ASSERT_EQ(client.ask({"PING"}).text, "PONG");
  const std::string word(1000, 'x');

  while (server.larder().metric("larder_connections") > 1) {
    for (int i = 0; i < 500; ++i) client.ask({"ECHO", word});
  }

  watcher.read_to_end();  // there is an end
  EXPECT_GE(server.larder().metric(R"(larder_limits_met_total{limit="max_reply_buffer"})"), 1);
  EXPECT_EQ(client.ask({"PING"}).text, "PONG");
}

}  // namespace
}  // namespace larder::test
