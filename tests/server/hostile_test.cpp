// Clients who mean harm, or are broken, against the real server: its memory stays
// bounded, and who behaves is served as if they were not there.
#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/shop_server.hpp"

namespace larder::test {
namespace {

using ::testing::AnyOf;
using ::testing::MatchesRegex;

// Reads and writes for as long as it lives, on a connection of its own, and counts
// what was not as it must be.
class Bystander {
 public:
  explicit Bystander(const ShopServer& server) : client_{server.connect()} {}
  ~Bystander() { finish(); }
  Bystander(const Bystander&) = delete;
  Bystander& operator=(const Bystander&) = delete;

  // How many rounds were right; throws what a broken connection threw.
  std::size_t finish() {
    done_ = true;
    if (thread_.joinable()) thread_.join();
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    EXPECT_EQ(wrong_, 0U);
    return rounds_;
  }

 private:
  void run() {
    try {
      for (int i = 0; !done_ || i == 0; ++i) {
        const std::string text = std::to_string(i);
        const int id = i % 1000 + 1;
        const bool right =
            client_.ask({"SET", "tag:bystander", text}).text == "OK" &&
            client_.ask({"GET", "tag:bystander"}).text == text &&
            client_.ask({"GET", "product:" + std::to_string(id)}).text == ShopServer::product(id);
        ++(right ? rounds_ : wrong_);
      }
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  TcpClient client_;
  std::atomic<bool> done_ = false;
  std::size_t rounds_ = 0;
  std::size_t wrong_ = 0;
  std::exception_ptr failure_;
  std::thread thread_{[this] { run(); }};
};

// Valid requests with bytes changed, taken out and put in; or nothing but noise.
std::string mutated(std::mt19937_64& random) {
  std::string bytes;
  const std::size_t commands = random() % 20;
  for (std::size_t i = 0; i < commands; ++i) {
    bytes += request({"MGET", "product:" + std::to_string(random() % 1000), "tag:noise"});
    bytes += request({"SET", "tag:noise", std::string(random() % 100, 'x')});
  }
  const std::size_t changes = random() % 5;
  for (std::size_t i = 0; i < changes && !bytes.empty(); ++i) {
    const std::size_t at = random() % bytes.size();
    switch (random() % 3) {
      case 0: bytes[at] = static_cast<char>(random()); break;
      case 1: bytes.erase(at, random() % 8); break;
      default: bytes.insert(at, 1 + random() % 8, static_cast<char>(random()));
    }
  }
  if (random() % 4 == 0) {
    for (std::size_t i = random() % 1000; i > 0; --i) bytes += static_cast<char>(random());
  }
  return bytes;
}

constexpr std::uint64_t kMiB = 1 << 20;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

TEST(Hostile, NoiseFromManyConnectionsHarmsOnlyThem) {
  const std::uint64_t seed = from_environment("LARDER_SEED", 20260125);
  SCOPED_TRACE("LARDER_SEED=" + std::to_string(seed));
  ShopServer server;
  Bystander bystander{server};
  std::mt19937_64 random{seed};

  for (std::uint64_t i = from_environment("LARDER_CONNECTIONS", 500); i > 0; --i) {
    TcpClient client = server.connect();
    client.send(mutated(random));
    client.finish_sending();
    if (random() % 2 == 0) client.read_to_end();  // the others leave in the middle
  }

  EXPECT_GT(bystander.finish(), 0U);
  EXPECT_LT(server.larder().peak_memory(), 200 * kMiB);
}

TEST(Hostile, AStormOfConnectionsLeavesNothingBehind) {
  ShopServer server;
  Bystander bystander{server};

  for (std::size_t round = 0; round < 10; ++round) {
    std::vector<TcpClient> storm;
    for (int i = 0; i < 200; ++i) {
      storm.push_back(server.connect());
      if (i % 2 == 0) storm.back().send(request({"GET", "slow:1"}).substr(0, 5 + round));
      if (i % 3 == 0) storm.back().send(request({"GET", "slow:1"}));
    }
  }

  EXPECT_GT(bystander.finish(), 0U);
  // An answer on another connection comes from the same threads that close the rest.
  while (server.larder().metric("larder_connections") > 1) std::this_thread::yield();
  EXPECT_LT(server.larder().peak_memory(), 200 * kMiB);
}

TEST(Hostile, ManyWhoSendByteByByteAreAllAnswered) {
  ShopServer server;
  Bystander bystander{server};
  const std::string bytes = request({"SET", "tag:slow", "value"}) + request({"GET", "tag:slow"}) +
                            request({"GET", "product:7"}) + "PING\r\n";
  std::vector<TcpClient> slow;
  for (int i = 0; i < 50; ++i) slow.push_back(server.connect());

  for (const char byte : bytes) {
    for (TcpClient& client : slow) client.send({&byte, 1});
  }

  for (TcpClient& client : slow) {
    EXPECT_EQ(client.reply().text, "OK");
    EXPECT_EQ(client.reply().text, "value");
    EXPECT_EQ(client.reply().text, ShopServer::product(7));
    EXPECT_EQ(client.reply().text, "PONG");
  }
  EXPECT_GT(bystander.finish(), 0U);
}

TEST(Hostile, RequestsThatNeverEndCostWhatTheyHaveSent) {
  ShopServer server;
  Bystander bystander{server};
  std::vector<TcpClient> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(server.connect());
    clients.back().send("*1000\r\n$3\r\nSET\r\n$30000000\r\n" + std::string(1000, 'x'));
  }

  for (TcpClient& client : clients) client.send(std::string(1000, 'x'));

  EXPECT_GT(bystander.finish(), 0U);
  EXPECT_LT(server.larder().peak_memory(), 200 * kMiB);
}

TEST(Hostile, ClientsThatVanishInTheMiddleOfRepliesCostNothing) {
  ShopServer server;
  Bystander bystander{server};
  ASSERT_EQ(server.connect().ask({"SET", "tag:large", std::string(kMiB, 'x')}).text, "OK");
  std::string pipeline;
  for (int i = 0; i < 20; ++i) pipeline += request({"GET", "tag:large"});

  for (int i = 0; i < 200; ++i) {
    TcpClient client = server.connect();
    client.send(pipeline);
    client.read_some();
  }

  EXPECT_GT(bystander.finish(), 0U);
  while (server.larder().metric("larder_connections") > 1) std::this_thread::yield();
  EXPECT_LT(server.larder().peak_memory(), 300 * kMiB);
}

// Each may keep its reply buffer, and no more.
TEST(Hostile, ManyWhoDoNotReadCostTheirReplyBuffersAlone) {
  ShopServer server{"max_reply_buffer = \"1MiB\""};
  Bystander bystander{server};
  ASSERT_EQ(server.connect().ask({"SET", "tag:large", std::string(kMiB / 2, 'x')}).text, "OK");
  std::string pipeline;
  for (int i = 0; i < 100; ++i) pipeline += request({"GET", "tag:large"});
  std::vector<TcpClient> lazy;

  for (int i = 0; i < 50; ++i) {
    lazy.push_back(server.connect());
    lazy.back().send(pipeline);
  }
  for (TcpClient& client : lazy) client.read_some();  // each was served, to its limit

  EXPECT_GT(bystander.finish(), 0U);
  EXPECT_LT(server.larder().peak_memory(), 200 * kMiB);
}

TEST(Hostile, NestedRequestsAreRefusedAtTheirFirstLevel) {
  ShopServer server;
  Bystander bystander{server};
  std::string nested;
  for (int i = 0; i < 10'000; ++i) nested += "*1\r\n";

  for (int i = 0; i < 20; ++i) {
    TcpClient client = server.connect();
    client.send(nested);
    client.finish_sending();
    EXPECT_EQ(client.read_to_end(), "-ERR Protocol error: expected '$', got '*'\r\n");
  }

  EXPECT_GT(bystander.finish(), 0U);
  EXPECT_LT(server.larder().peak_memory(), 200 * kMiB);
}

TEST(Hostile, BrowsersRequestsAreNotTakenForCommands) {
  ShopServer server;

  for (const std::string verb : {"GET", "POST", "PUT", "OPTIONS", "HEAD", "PATCH"}) {
    TcpClient client = server.connect();
    client.send(verb +
                " /SET/tag:web/evil HTTP/1.1\r\nHost: localhost:6380\r\n"
                "Content-Type: text/plain\r\n\r\nSET tag:web evil\r\n");
    const std::string said = client.read_to_end();

    EXPECT_THAT(said, AnyOf("", MatchesRegex("-ERR [^\r]*\r\n"))) << verb;
  }
  EXPECT_TRUE(server.connect().ask({"GET", "tag:web"}).is_null()) << "a web page wrote it";
}

}  // namespace
}  // namespace larder::test
