// Leases end to end: the real program, its threads and timers, many connections.
#include <gmock/gmock.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "server/shop_server.hpp"

namespace larder::test {
namespace {

using resp::Reply;

// What LARDER LEASE answered: a value, a token, or neither.
struct Lease {
  explicit Lease(const Reply& reply)
      : value{reply.items.at(0).text}, token{reply.items.at(1).text} {}

  std::string value;
  std::string token;
};

TEST(ServeLease, OfAHundredConnectionsOneLoadsAndAllGetTheValue) {
  ShopServer server{"threads = 3"};
  std::vector<TcpClient> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(server.connect());
  std::atomic<int> loads{0};
  std::atomic<int> right{0};

  std::vector<std::thread> readers;
  for (TcpClient& client : clients) {
    readers.emplace_back([&] {
      const Lease lease{client.ask({"LARDER", "LEASE", "tag:cold", "WAIT", "60000"})};
      if (!lease.token.empty()) {
        ++loads;
        std::this_thread::sleep_for(std::chrono::milliseconds{100});  // a query
        right += client.ask({"LARDER", "FILL", "tag:cold", lease.token, "loaded"}).text == "OK";
      } else {
        right += lease.value == "loaded";
      }
    });
  }
  for (std::thread& reader : readers) reader.join();

  EXPECT_EQ(loads, 1);
  EXPECT_EQ(right, 100);
  EXPECT_EQ(server.larder().metric("larder_leases_total"), 1);
  EXPECT_EQ(server.larder().metric("larder_lease_ends_total{by=\"fill\"}"), 1);
  EXPECT_EQ(server.larder().metric("larder_lease_waits"), 0);
}

TEST(ServeLease, AHolderThatDisconnectsMakesOneOtherTheLoader) {
  ShopServer server{"threads = 3"};
  std::vector<TcpClient> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(server.connect());
  std::atomic<int> tokens{0};
  std::atomic<int> right{0};

  std::vector<std::thread> readers;
  {
    TcpClient holder = server.connect();
    ASSERT_FALSE(Lease{holder.ask({"LARDER", "LEASE", "tag:a"})}.token.empty());
    for (TcpClient& client : clients) {
      readers.emplace_back([&] {
        const Lease lease{client.ask({"LARDER", "LEASE", "tag:a", "WAIT", "60000"})};
        if (!lease.token.empty()) {
          ++tokens;
          client.ask({"LARDER", "FILL", "tag:a", lease.token, "loaded"});
        }
        right += lease.value == "loaded" || !lease.token.empty();
      });
    }
    while (server.larder().metric("larder_lease_waits") != 20) std::this_thread::yield();
  }
  for (std::thread& reader : readers) reader.join();

  EXPECT_EQ(tokens, 1);
  EXPECT_EQ(right, 20);
}

// By the runtime's timer: nobody else does anything.
TEST(ServeLease, LeasesAndWaitsEndByThemselves) {
  ShopServer server;
  TcpClient holder = server.connect();
  TcpClient next = server.connect();
  TcpClient last = server.connect();
  ASSERT_FALSE(Lease{holder.ask({"LARDER", "LEASE", "tag:a", "LEASE", "50"})}.token.empty());

  const Lease lease{next.ask({"LARDER", "LEASE", "tag:a", "LEASE", "600000", "WAIT", "60000"})};
  const Lease vain{last.ask({"LARDER", "LEASE", "tag:a", "WAIT", "20"})};

  EXPECT_FALSE(lease.token.empty());
  EXPECT_EQ(vain.value + vain.token, "");
  EXPECT_EQ(server.larder().metric("larder_lease_ends_total{by=\"time\"}"), 1);
  EXPECT_EQ(server.larder().metric("larder_lease_waits_in_vain_total"), 1);
}

// A row with a version; who changes it drops its copy. What is read from memory must never be
// older than what was dropped before the read began.
TEST(ServeLease, NothingOlderIsKeptHoweverLoadsAndChangesMeet) {
  ShopServer server{"threads = 3"};
  std::atomic<int> row{0};      // the database
  std::atomic<int> dropped{0};  // the copy of what was before this was dropped
  std::atomic<int> older{0};
  std::atomic<int> refused{0};
  std::atomic<bool> done{false};

  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      TcpClient client = server.connect();
      std::minstd_rand random{20260731};
      while (!done) {
        const int least = dropped;
        const Lease lease{client.ask({"LARDER", "LEASE", "tag:row", "WAIT", "60000"})};
        if (!lease.value.empty()) {
          older += std::stoi(lease.value) < least;
          continue;
        }
        const std::string read = std::to_string(row);
        std::this_thread::sleep_for(std::chrono::microseconds{random() % 300});
        refused += client.ask({"LARDER", "FILL", "tag:row", lease.token, read}).text == "CHANGED";
      }
    });
  }
  TcpClient writer = server.connect();
  // Until changes have met loads often enough.
  for (int version = 1; version <= 1000 || (refused < 20 && version < 1'000'000); ++version) {
    row = version;
    if (version % 100 == 0) {
      writer.ask({"FLUSHALL"});
    } else {
      writer.ask({"DEL", "tag:row"});
    }
    dropped = version;
  }
  done = true;
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(older, 0);
  EXPECT_GE(refused, 20);
}

}  // namespace
}  // namespace larder::test
