// `larder serve` end to end: the real program, real sockets, a real database.
#include <gmock/gmock.h>
#include <signal.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "server/shop_server.hpp"

namespace larder::test {
namespace {

using resp::Reply;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kQueries = "larder_source_queries_total{source=\"shop\"}";

TEST(Serve, ReadsThroughAndTellsWhatItDid) {
  ShopServer server;
  TcpClient client = server.connect();

  EXPECT_EQ(client.ask({"GET", "product:7"}).text, ShopServer::product(7));
  EXPECT_EQ(client.ask({"GET", "product:7"}).text, ShopServer::product(7));
  EXPECT_TRUE(client.ask({"GET", "product:5000"}).is_null());

  EXPECT_EQ(server.larder().metric(kQueries), 2);
  EXPECT_EQ(server.larder().metric("larder_cache_hits_total{cache=\"product\"}"), 1);
}

TEST(Serve, SeesWhatChangedInTheSourceAfterADel) {
  ShopServer server;
  TcpClient client = server.connect();
  client.ask({"GET", "product:7"});
  OtherProgram{server.shop_file()}.execute("UPDATE products SET name = 'Stool' WHERE id = 7");

  EXPECT_EQ(client.ask({"GET", "product:7"}).text, ShopServer::product(7));
  EXPECT_EQ(client.ask({"DEL", "product:7"}).integer, 1);

  EXPECT_EQ(client.ask({"GET", "product:7"}).text, R"({"id":7,"name":"Stool"})");
}

TEST(Serve, ASourcesErrorReachesTheClientAndNothingElseFails) {
  ShopServer server;
  TcpClient client = server.connect();

  const Reply reply = client.ask({"GET", "broken:1"});

  EXPECT_TRUE(reply.is_error());
  EXPECT_THAT(reply.text, ::testing::AllOf(StartsWith("SOURCE "), HasSubstr("integer overflow")));
  EXPECT_EQ(client.ask({"GET", "product:1"}).text, ShopServer::product(1));
}

// The promise of the whole: a thousand readers of a cold key cost one query.
TEST(Serve, AThousandConnectionsOnAColdKeyCostOneQuery) {
  ShopServer server;
  std::vector<TcpClient> clients;
  for (int i = 0; i < 1000; ++i) clients.push_back(server.connect());

  for (TcpClient& client : clients) client.send(request({"GET", "slow:7"}));
  std::size_t right = 0;
  for (TcpClient& client : clients) right += client.reply().text == ShopServer::product(7) ? 1 : 0;

  EXPECT_EQ(right, 1000U);
  EXPECT_EQ(server.larder().metric(kQueries), 1);
}

TEST(Serve, APipelinesMissesShareOneQueryToTheSource) {
  ShopServer server;
  TcpClient client = server.connect();
  std::string pipeline;
  for (int id = 1; id <= 50; ++id) {
    pipeline += request({"GET", "product:" + std::to_string(id)});
  }

  client.send(pipeline);
  for (int id = 1; id <= 50; ++id) EXPECT_EQ(client.reply().text, ShopServer::product(id));

  EXPECT_EQ(server.larder().metric("larder_cache_load_batches_total{cache=\"product\"}"), 1);
}

// Random pipelines of hits, misses, absent rows, errors and writes, on several
// connections at once.
TEST(Serve, RepliesComeInTheOrderOfTheCommands) {
  ShopServer server;
  const auto converse = [&](unsigned seed) {
    std::mt19937 random{seed};
    TcpClient client = server.connect();
    for (int round = 0; round < 20; ++round) {
      std::string pipeline;
      std::vector<std::string> expected;
      const std::size_t length = 1 + random() % 200;
      for (std::size_t i = 0; i < length; ++i) {
        const int id = 1 + static_cast<int>(random() % 1000);
        switch (random() % 6) {
          case 0:
            pipeline += request({"ECHO", std::to_string(id)});
            expected.push_back(std::to_string(id));
            break;
          case 1:
            pipeline += request({"GET", "product:" + std::to_string(5000 + id)});
            expected.emplace_back("");
            break;
          case 2: {
            const std::string key = "tag:" + std::to_string(seed) + ":" + std::to_string(id);
            pipeline += request({"SET", key, std::to_string(i)}) + request({"GET", key});
            expected.emplace_back("OK");
            expected.push_back(std::to_string(i));
            break;
          }
          case 3:
            pipeline += request({"UNLINK", "product:" + std::to_string(id)});
            pipeline += request({"GET", "product:" + std::to_string(id)});
            expected.emplace_back("number");
            expected.push_back(ShopServer::product(id));
            break;
          default:
            pipeline += request({"GET", "product:" + std::to_string(id)});
            expected.push_back(ShopServer::product(id));
        }
      }
      client.send(pipeline);
      for (const std::string& text : expected) {
        const Reply reply = client.reply();
        ASSERT_EQ(reply.kind == Reply::Kind::kInteger ? "number" : reply.text, text)
            << "seed " << seed << " round " << round;
      }
    }
  };

  std::vector<std::thread> threads;
  for (unsigned seed = 1; seed <= 4; ++seed) threads.emplace_back(converse, seed);
  for (std::thread& thread : threads) thread.join();
}

TEST(Serve, AClientThatDoesNotReadCostsBoundedMemoryAndDisturbsNobody) {
  ShopServer server{"max_reply_buffer = \"2MiB\""};
  TcpClient lazy = server.connect();
  TcpClient other = server.connect();
  const std::string value(std::size_t{1} << 20, 'x');
  ASSERT_EQ(lazy.ask({"SET", "tag:large", value}).text, "OK");
  const std::uint64_t before = server.larder().peak_memory();

  std::string pipeline;
  for (int i = 0; i < 300; ++i) pipeline += request({"GET", "tag:large"});
  lazy.send(pipeline);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(other.ask({"PING"}).text, "PONG");

  for (int i = 0; i < 300; ++i) ASSERT_EQ(lazy.reply().text.size(), value.size());
  EXPECT_LT(server.larder().peak_memory() - before, std::uint64_t{64} << 20);
}

TEST(Serve, AClientThatOnlyWritesIsMadeToWait) {
  ShopServer server;
  TcpClient client = server.connect();
  ASSERT_EQ(client.ask({"SET", "tag:a", std::string(100'000, 'x')}).text, "OK");
  std::string pipeline;
  for (int i = 0; i < 10'000; ++i) pipeline += request({"GET", "tag:a"});
  std::size_t sent = 0;
  std::size_t rounds = 0;
  TcpClient other = server.connect();

  // Until the socket takes no more, however often the server had its turn.
  for (std::size_t refused = 0; refused < 200 && rounds < 10'000; ++rounds) {
    const std::size_t some =
        client.send_some(std::string_view{pipeline}.substr(sent % pipeline.size()));
    sent += some;
    refused = some == 0 ? refused + 1 : 0;
    ASSERT_EQ(other.ask({"PING"}).text, "PONG");
  }

  EXPECT_LT(rounds, 10'000U);
}

// Reads whole replies until the server closes; whether every reply was right.
bool all_whole(TcpClient& client, const std::string& expected) {
  const std::string bytes = client.read_to_end();
  const std::string one = "$" + std::to_string(expected.size()) + "\r\n" + expected + "\r\n";
  if (bytes.empty() || bytes.size() % one.size() != 0) return false;
  for (std::size_t at = 0; at < bytes.size(); at += one.size()) {
    if (bytes.compare(at, one.size(), one) != 0) return false;
  }
  return true;
}

// Moving so many bytes takes longer than a millisecond, and its neighbours do not.
TEST(Serve, SigtermAnswersWhatWasAskedAndExitsWithZero) {
  ShopServer server;
  std::vector<TcpClient> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(server.connect());
  for (TcpClient& client : clients) client.send(request({"GET", "slow:7"}));
  TcpClient idle = server.connect();
  // All requests were taken: a later client's are.
  while (server.larder().metric("larder_commands_total{command=\"get\"}") < 20) {
  }

  server.larder().signal(SIGTERM);

  for (TcpClient& client : clients) EXPECT_TRUE(all_whole(client, ShopServer::product(7)));
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_EQ(server.larder().wait(), 0);
  EXPECT_THAT(server.larder().log(), HasSubstr("stopped"));
}

TEST(Serve, SigtermUnderLoadNeverCutsAReply) {
  ShopServer server;
  std::atomic<int> whole{0};
  const auto flood = [](TcpClient client) {
    std::string pipeline;
    for (int i = 0; i < 100; ++i) pipeline += request({"GET", "product:7"});
    try {
      for (;;) client.send(pipeline);  // until the server makes it wait, and is gone
    } catch (const std::system_error&) {
    }
  };
  const auto ask_and_read = [&whole](TcpClient client) {
    try {
      while (client.ask({"GET", "product:7"}).text == ShopServer::product(7)) {
      }
    } catch (const std::exception&) {
      if (client.read_to_end().empty()) ++whole;  // no half of a reply was left behind
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back(flood, server.connect());
    threads.emplace_back(ask_and_read, server.connect());
  }
  while (server.larder().metric("larder_commands_total{command=\"get\"}") < 10'000) {
  }

  server.larder().signal(SIGTERM);

  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(server.larder().wait(), 0);
  EXPECT_EQ(whole.load(), 8);
}

TEST(Serve, SigintStopsItAsWell) {
  ShopServer server;

  server.larder().signal(SIGINT);

  EXPECT_EQ(server.larder().wait(), 0);
}

TEST(Serve, WhatTakesLongerThanTheShutdownTimeoutIsCutOff) {
  ShopServer server{"shutdown_timeout = \"50ms\""};
  TcpClient stuck = server.connect();
  ASSERT_EQ(stuck.ask({"SET", "tag:a", std::string(1 << 20, 'x')}).text, "OK");
  std::string pipeline;
  for (int i = 0; i < 100; ++i) pipeline += request({"GET", "tag:a"});
  stuck.send(pipeline);  // and never reads

  server.larder().signal(SIGTERM);

  EXPECT_EQ(server.larder().wait(), 0);
  EXPECT_THAT(server.larder().log(), HasSubstr("server.shutdown_timeout"));
}

// Whoever stops services may say it twice, and whoever configures them does not know.
TEST(Serve, SignalsThatComeWhileItStopsChangeNothing) {
  ShopServer server{"shutdown_timeout = \"50ms\""};
  TcpClient stuck = server.connect();
  ASSERT_EQ(stuck.ask({"SET", "tag:a", std::string(1 << 20, 'x')}).text, "OK");
  std::string pipeline;
  for (int i = 0; i < 100; ++i) pipeline += request({"GET", "tag:a"});
  stuck.send(pipeline);  // and never reads

  for (const int signal : {SIGTERM, SIGHUP, SIGINT, SIGTERM}) server.larder().signal(signal);

  EXPECT_EQ(server.larder().wait(), 0);
  EXPECT_THAT(server.larder().log(), HasSubstr("stopped"));
}

TEST(Serve, AConnectionBeyondTheLimitIsToldSo) {
  ShopServer server{"max_clients = 2"};
  TcpClient first = server.connect();
  TcpClient second = server.connect();
  ASSERT_EQ(first.ask({"PING"}).text, "PONG");
  ASSERT_EQ(second.ask({"PING"}).text, "PONG");

  TcpClient third = server.connect();

  EXPECT_EQ(third.read_to_end(), "-ERR max number of clients reached\r\n");
  EXPECT_EQ(first.ask({"PING"}).text, "PONG");
}

TEST(Serve, AConnectionBeyondItsAddresssShareIsToldSo) {
  ShopServer server{"max_clients_per_address = 1"};
  TcpClient first = server.connect();
  ASSERT_EQ(first.ask({"PING"}).text, "PONG");

  TcpClient second = server.connect();

  EXPECT_THAT(second.read_to_end(), HasSubstr("server.max_clients_per_address"));
  EXPECT_EQ(first.ask({"PING"}).text, "PONG");
  EXPECT_EQ(server.larder().metric(
                "larder_connections_rejected_total{limit=\"max_clients_per_address\"}"),
            1);
}

TEST(Serve, AnAddressThatConnectsTooFastIsToldSo) {
  ShopServer server{"connection_rate = 1"};
  TcpClient first = server.connect();
  ASSERT_EQ(first.ask({"PING"}).text, "PONG");

  // Some of so many come within a second of another, however slow the machine is.
  bool told = false;
  for (int i = 0; i < 1000 && !told; ++i) {
    TcpClient next = server.connect();
    next.finish_sending();
    told = next.read_to_end().find("server.connection_rate") != std::string::npos;
  }

  EXPECT_TRUE(told);
  EXPECT_EQ(first.ask({"PING"}).text, "PONG");
  EXPECT_GE(server.larder().metric("larder_connections_rejected_total{limit=\"connection_rate\"}"),
            1);
}

TEST(Serve, AnIdleClientIsClosedWithoutAWord) {
  ShopServer server{"idle_timeout = \"50ms\""};
  TcpClient client = server.connect();

  EXPECT_EQ(client.read_to_end(), "");

  EXPECT_EQ(server.larder().metric("larder_connections_closed_total{limit=\"idle_timeout\"}"), 1);
}

TEST(Serve, AClientThatReadsNothingIsIdle) {
  ShopServer server{"idle_timeout = \"500ms\""};
  TcpClient filler = server.connect();
  TcpClient stuck = server.connect();
  filler.send(request({"SET", "tag:a", std::string(1 << 20, 'x')}));
  ASSERT_EQ(filler.reply().text, "OK");
  std::string pipeline;
  for (int i = 0; i < 100; ++i) pipeline += request({"GET", "tag:a"});

  stuck.send(pipeline);  // and reads nothing

  const char* const closed = "larder_connections_closed_total{limit=\"idle_timeout\"}";
  while (server.larder().metric(closed) < 2) {
  }
  EXPECT_LT(stuck.read_to_end().size(), std::size_t{100} << 20);
}

// The hash is no password's: nobody can log in.
TEST(Serve, AStrangerWhoDoesNotLogInIsSentAway) {
  ShopServer server{
      "login_timeout = \"50ms\"\n"
      "password = \"$scrypt$ln=14,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""};
  TcpClient stranger = server.connect();

  EXPECT_EQ(stranger.read_to_end(), "-ERR no login within server.login_timeout, 50ms\r\n");
}

TEST(Serve, WhoNeedsNoPasswordNeedNotLogIn) {
  ShopServer server{"login_timeout = \"20ms\"\nidle_timeout = \"100ms\""};
  TcpClient client = server.connect();

  EXPECT_EQ(client.read_to_end(), "");

  EXPECT_EQ(server.larder().metric("larder_connections_closed_total{limit=\"login_timeout\"}"), 0);
  EXPECT_EQ(server.larder().metric("larder_connections_closed_total{limit=\"idle_timeout\"}"), 1);
}

constexpr const char* kShed = "larder_connections_closed_total{limit=\"max_client_memory\"}";

TEST(Serve, WhoReadsNothingIsClosedBeforeOthersLackMemory) {
  ShopServer server{"max_client_memory = \"24MiB\"\nthreads = 3"};
  TcpClient honest = server.connect();
  honest.send(request({"SET", "tag:a", std::string(1 << 20, 'x')}));
  ASSERT_EQ(honest.reply().text, "OK");
  std::string twenty = "*21\r\n$4\r\nMGET\r\n";
  for (int i = 0; i < 20; ++i) twenty += "$5\r\ntag:a\r\n";
  std::vector<TcpClient> slow;
  for (int i = 0; i < 4; ++i) slow.push_back(server.connect());

  for (TcpClient& each : slow) each.send(twenty);  // and read nothing

  while (server.larder().metric(kShed) < 2 ||
         server.larder().metric("larder_client_memory_bytes") > 24 << 20) {
  }
  EXPECT_EQ(honest.ask({"PING"}).text, "PONG");
  EXPECT_TRUE(server.larder().says(
      "the most of all: clients together kept more than server.max_client_memory"));
}

TEST(Serve, WhoKeepsMostIsToldWhyItIsClosed) {
  ShopServer server{"max_client_memory = \"1MiB\""};
  TcpClient modest = server.connect();
  TcpClient greedy = server.connect();
  modest.ask({"MULTI"});
  modest.ask({"SET", "tag:a", std::string(300'000, 'x')});
  greedy.ask({"MULTI"});

  greedy.send(request({"SET", "tag:b", std::string(900'000, 'x')}));

  // The transaction, or the command while it arrives: both count.
  EXPECT_THAT(greedy.read_to_end(), HasSubstr("-ERR clients together keep more than "
                                              "server.max_client_memory, 1MiB"));
  EXPECT_EQ(modest.ask({"EXEC"}).items.size(), 1U);
}

TEST(Serve, AStormOfConnectionsIsHeldToTheRateOfAll) {
  ShopServer server{"total_connection_rate = 2"};
  TcpClient first = server.connect();
  bool told = false;
  for (int i = 0; i < 100 && !told; ++i) {
    TcpClient next = server.connect();
    next.finish_sending();
    told = next.read_to_end().find("server.total_connection_rate") != std::string::npos;
  }

  EXPECT_TRUE(told);
  EXPECT_EQ(first.ask({"PING"}).text, "PONG");
}

TEST(Serve, ACommandAndTheEndOfInputTogetherAreAnswered) {
  ShopServer server;
  TcpClient client = server.connect();

  client.send(request({"GET", "slow:7"}));
  client.finish_sending();

  EXPECT_TRUE(all_whole(client, ShopServer::product(7)));
}

TEST(Serve, HealthTellsThatItServes) {
  ShopServer server;

  EXPECT_THAT(server.larder().page("/health"),
              ::testing::AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("\"status\":\"ok\"")));
  EXPECT_THAT(server.larder().page("/nonsense"), StartsWith("HTTP/1.1 404 Not Found\r\n"));
}

TEST(Serve, HealthTellsWhetherTheSourceAnswers) {
  ShopServer server;
  TcpClient client = server.connect();
  const auto health = [&] { return server.larder().page("/health"); };
  EXPECT_THAT(health(), HasSubstr(R"("sources":{"shop":{"status":"ok")"));

  OtherProgram{server.shop_file()}.execute("ALTER TABLE products RENAME TO elsewhere");
  EXPECT_THAT(client.ask({"GET", "product:7"}).text, StartsWith("SOURCE "));
  EXPECT_THAT(health(), ::testing::AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                                         HasSubstr(R"("sources":{"shop":{"status":"failing")")));

  OtherProgram{server.shop_file()}.execute("ALTER TABLE elsewhere RENAME TO products");
  EXPECT_EQ(client.ask({"GET", "product:7"}).text, ShopServer::product(7));
  EXPECT_THAT(health(), HasSubstr(R"("sources":{"shop":{"status":"ok")"));
}

}  // namespace
}  // namespace larder::test
