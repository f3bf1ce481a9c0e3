// A configuration file that changes while the real program serves.
#include <gmock/gmock.h>
#include <signal.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/running_larder.hpp"
#include "server/tcp_client.hpp"
#include "sqlite/shop_file.hpp"

namespace larder::test {
namespace {

using resp::Reply;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr auto kProduct = R"toml(
[sources.shop]
url = "sqlite:shop.db"
load_timeout = "60s"

[caches.product]
key    = "product:{id:int}"
source = "shop"
read   = "SELECT id, name FROM products WHERE id = :id"
)toml";
constexpr auto kTag = "[caches.tag]\nkey = \"tag:{name}\"\n";
constexpr auto kCart = "[caches.cart]\nkey = \"cart:{name}\"\n";

// A larder whose file a test rewrites.
class Reload : public testing::Test {
 protected:
  Reload() {
    OtherProgram shop{directory_.file("shop.db")};
    shop.execute("CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL)");
    shop.execute(
        "WITH RECURSIVE ids(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < 1000) "
        "INSERT INTO products SELECT id, 'Product ' || id FROM ids");
  }

  void serve(const std::string& sections, const std::string& settings = "") {
    larder_ = std::make_unique<RunningLarder>(directory_.file(""), sections, settings);
  }
  void write(const std::string& sections, const std::string& settings = "") const {
    std::ofstream{directory_.file("larder.toml")} << server_section(settings) << sections;
  }
  // The file as it was read first: RunningLarder listens on ports of its own choosing.
  static std::string server_section(const std::string& settings) {
    return "[server]\nlisten = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n" + settings + "\n";
  }
  Reply reload(const std::string& sections, const std::string& settings = "") const {
    write(sections, settings);
    return connect().ask({"LARDER", "RELOAD"});
  }
  // One list of the reply to LARDER RELOAD.
  static std::vector<std::string> list(const Reply& reply, std::string_view name) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i + 1 < reply.items.size(); i += 2) {
      if (reply.items[i].text != name) continue;
      for (const Reply& text : reply.items[i + 1].items) texts.push_back(text.text);
    }
    return texts;
  }
  [[nodiscard]] TcpClient connect() const { return TcpClient{larder_->port()}; }

  TemporaryDirectory directory_;
  std::unique_ptr<RunningLarder> larder_;
};

TEST_F(Reload, CachesComeGoAndStay) {
  serve(std::string{kTag} + kCart);
  TcpClient client = connect();
  client.ask({"SET", "tag:a", "1"});
  client.ask({"SET", "cart:a", "1"});

  const Reply reply = reload(std::string{kProduct} + kTag);

  EXPECT_THAT(list(reply, "added"), ElementsAre("product")) << reply.text;
  EXPECT_THAT(list(reply, "removed"), ElementsAre("cart"));
  EXPECT_EQ(client.ask({"GET", "tag:a"}).text, "1");
  EXPECT_EQ(client.ask({"GET", "product:7"}).text, R"({"id":7,"name":"Product 7"})");
  EXPECT_THAT(client.ask({"GET", "cart:a"}).text, HasSubstr("belongs to no cache"));
}

TEST_F(Reload, SighupDoesTheSame) {
  serve(kTag);
  write(std::string{kTag} + kCart);

  larder_->signal(SIGHUP);
  ASSERT_TRUE(larder_->says("is loaded; caches: 1 added (cart), 1 unchanged"));

  EXPECT_EQ(connect().ask({"SET", "cart:a", "1"}).text, "OK");
}

TEST_F(Reload, ABadFileChangesNothingAndEveryMistakeIsTold) {
  serve(kTag);
  TcpClient client = connect();

  const Reply reply = reload(std::string{kCart} + "ttl = 5\n[caches.other]\nkye = \"o:{name}\"\n");

  EXPECT_TRUE(reply.is_error());
  EXPECT_THAT(reply.text, AllOf(StartsWith("ERR nothing was changed"),
                                HasSubstr("larder.toml:7:7: caches.cart.ttl"),
                                HasSubstr("larder.toml:9:1: [caches.other] has no setting kye")));
  EXPECT_EQ(client.ask({"SET", "tag:a", "1"}).text, "OK");
  EXPECT_THAT(client.ask({"SET", "cart:a", "1"}).text, HasSubstr("belongs to no cache"));
  larder_->signal(SIGTERM);
  larder_->wait();
  EXPECT_THAT(larder_->log(), AllOf(HasSubstr("larder.toml:7:7: caches.cart.ttl"),
                                    HasSubstr("LARDER RELOAD: nothing was changed")));
}

TEST_F(Reload, AStatementThatDoesNotPrepareChangesNothing) {
  serve(kProduct);

  const Reply reply = reload(std::string{kProduct} + kTag +
                             "[caches.no]\nkey = \"no:{id:int}\"\nsource = \"shop\"\n" +
                             "read = \"SELECT x FROM nowhere WHERE id = :id\"\n");

  EXPECT_THAT(reply.text, AllOf(HasSubstr("larder.toml:19:8: caches.no"), HasSubstr("nowhere")));
  EXPECT_THAT(connect().ask({"SET", "tag:a", "1"}).text, HasSubstr("belongs to no cache"));
}

TEST_F(Reload, WhatNeedsARestartIsNamedAndChangesNothing) {
  serve(kTag);

  const Reply reply = reload(std::string{"[memory]\ncapacity = \"1MiB\"\n"} + kCart, "threads = 7");

  EXPECT_THAT(reply.text,
              AllOf(HasSubstr("larder.toml:4:11: server.threads"),
                    HasSubstr("larder.toml:6:12: memory.capacity"), HasSubstr("restart larder")));
  EXPECT_EQ(connect().ask({"SET", "tag:a", "1"}).text, "OK");
}

TEST_F(Reload, AnotherTtlKeepsTheCopiesAndHoldsForTheNext) {
  serve(kTag);
  TcpClient client = connect();
  client.ask({"SET", "tag:old", "1"});

  const Reply reply = reload(std::string{kTag} + "ttl = \"50s\"\njitter = 0.0\n");
  client.ask({"SET", "tag:new", "1"});

  EXPECT_THAT(list(reply, "changed with their copies kept"), ElementsAre("tag"));
  EXPECT_GT(client.ask({"TTL", "tag:old"}).integer, 200);
  EXPECT_LE(client.ask({"TTL", "tag:new"}).integer, 50);
}

TEST_F(Reload, AnotherStatementStartsEmpty) {
  serve(kProduct);
  TcpClient client = connect();
  client.ask({"GET", "product:7"});
  std::string other{kProduct};
  other.replace(other.find("id, name"), 8, "name");

  const Reply reply = reload(other);

  EXPECT_THAT(list(reply, "changed and empty"), ElementsAre("product"));
  EXPECT_EQ(client.ask({"GET", "product:7"}).text, R"({"name":"Product 7"})");
}

TEST_F(Reload, ASourcesCountGoesOn) {
  serve(kProduct);
  TcpClient client = connect();
  client.ask({"GET", "product:7"});

  reload(std::string{kProduct} + "ttl = \"1m\"\n");
  client.ask({"GET", "product:8"});

  EXPECT_EQ(larder_->metric("larder_source_queries_total{source=\"shop\"}"), 2);
  EXPECT_EQ(larder_->metric("larder_cache_entries{cache=\"product\"}"), 2);
}

TEST_F(Reload, LimitsHoldForConnectionsThatAreOpen) {
  serve(kTag);
  TcpClient client = connect();
  ASSERT_EQ(client.ask({"SET", "tag:a", "12345"}).text, "OK");

  reload(kTag, "max_value = \"64B\"\nmax_key = \"5B\"\nidle_timeout = \"20ms\"");

  EXPECT_THAT(client.ask({"GET", "tag:abcdef"}).text, HasSubstr("server.max_key is 5"));
  EXPECT_EQ(client.read_to_end(), "");  // for it says nothing more
}

// The hash is of "pw".
TEST_F(Reload, AClientWhoseUserIsGoneIsClosedAtOnce) {
  const std::string user =
      "[users.web]\nrights = [\"read:*\"]\npassword = "
      "\"$scrypt$ln=14,r=8,p=1$Z5intf+PQUMpw1uF2KVmkQ$"
      "de5IRG/qsYmypHJy76WY3vleBJNVn6zLGHtWaV3wKLg\"\n";
  serve(std::string{"[users.default]\nrights = [\"admin:*\"]\n"} + user + kTag);
  TcpClient web = connect();
  ASSERT_EQ(web.ask({"AUTH", "web", "pw"}).text, "OK");

  const Reply reply = reload(std::string{"[users.default]\nrights = [\"admin:*\"]\n"} + kTag);

  EXPECT_FALSE(reply.is_error()) << reply.text;
  EXPECT_EQ(web.read_to_end(), "");
}

// A load that is under way when its cache goes is answered.
TEST_F(Reload, ALoadUnderWayIsAnsweredThoughItsCacheIsGone) {
  const std::string slow = R"toml(
[caches.slow]
key    = "slow:{id:int}"
source = "shop"
read   = """
WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < 3000000)
SELECT id FROM products WHERE id = :id AND (SELECT max(n) FROM count) > 0"""
)toml";
  serve(kProduct + slow);
  TcpClient reader = connect();
  reader.send(request({"GET", "slow:7"}));
  while (larder_->metric("larder_cache_loads_total{cache=\"slow\"}") == 0) {
  }

  const Reply reply = reload(kTag);

  EXPECT_THAT(list(reply, "removed"), ElementsAre("product", "slow"));
  EXPECT_EQ(reader.reply().text, R"({"id":7})");
  EXPECT_EQ(connect().ask({"DBSIZE"}).integer, 0);
}

TEST_F(Reload, BetweenMultiAndExecAPlainCacheThatStaysIsWrittenTo) {
  serve(kTag);
  TcpClient client = connect();
  client.ask({"WATCH", "tag:a"});
  client.ask({"MULTI"});
  client.ask({"SET", "tag:a", "1"});

  reload(std::string{kTag} + kCart);

  EXPECT_EQ(client.ask({"EXEC"}).items.size(), 1U);
  EXPECT_EQ(client.ask({"GET", "tag:a"}).text, "1");
}

TEST_F(Reload, AWatchedKeyWhoseCacheStartsEmptyHasChanged) {
  serve(kTag);
  TcpClient client = connect();
  client.ask({"SET", "tag:a", "1"});
  client.ask({"WATCH", "tag:a"});
  client.ask({"MULTI"});
  client.ask({"SET", "tag:a", "2"});

  reload("[caches.tag]\nkey = \"tag:{other}\"\n");

  EXPECT_TRUE(client.ask({"EXEC"}).is_null());
  EXPECT_TRUE(client.ask({"GET", "tag:a"}).is_null());
}

TEST_F(Reload, ExecIsRefusedWhenAQueuedKeyHasNoPlainCacheAnyMore) {
  serve(kTag);
  TcpClient client = connect();
  client.ask({"MULTI"});
  client.ask({"SET", "tag:a", "2"});

  reload(kCart);

  EXPECT_THAT(client.ask({"EXEC"}).text,
              StartsWith("EXECABORT Transaction discarded because a reload"));
}

TEST_F(Reload, IsRefusedInsideATransaction) {
  serve(kTag);
  TcpClient client = connect();
  client.ask({"MULTI"});

  EXPECT_EQ(client.ask({"LARDER", "RELOAD"}).text, "ERR LARDER RELOAD inside MULTI is not allowed");
  EXPECT_THAT(client.ask({"EXEC"}).text, StartsWith("EXECABORT"));
}

// Whatever the file says next, who reads meanwhile gets right answers: of a cache that
// stays the value that was set, of one that comes and goes its rows or that it is gone.
TEST_F(Reload, TrafficGoesOnThroughManyReloads) {
  serve(std::string{kProduct} + kTag);
  connect().ask({"SET", "tag:a", "kept"});
  std::atomic<bool> over{false};
  std::atomic<std::size_t> wrong{0};
  std::atomic<std::size_t> reads{0};

  std::vector<std::jthread> readers;
  for (int each = 0; each < 4; ++each) {
    readers.emplace_back([&, each] {
      TcpClient client = connect();
      for (int i = each; !over; i = (i + 7) % 1000) {
        const std::string id = std::to_string(i + 1);
        client.send(request({"GET", "tag:a"}) + request({"GET", "product:" + id}) +
                    request({"MSET", "tag:b", id, "tag:c", id}) +
                    request({"MGET", "tag:b", "tag:c"}));
        wrong += client.reply().text == "kept" ? 0 : 1;
        const Reply product = client.reply();
        const bool right = product.text == R"({"id":)" + id + R"(,"name":"Product )" + id + "\"}" ||
                           product.text == R"({"name":"Product )" + id + "\"}" ||
                           product.text.contains("belongs to no cache");
        wrong += right ? 0 : 1;
        client.reply();
        const Reply pair = client.reply();
        const bool whole = pair.items.size() == 2 && pair.items[0].text == pair.items[1].text;
        wrong += whole ? 0 : 1;
        ++reads;
      }
    });
  }
  std::string other{kProduct};
  other.replace(other.find("id, name"), 8, "name");
  const std::string files[] = {other + kTag, kTag, kProduct + std::string{kTag} + "ttl = \"1h\"\n",
                               kProduct + std::string{kCart} + kTag};
  std::size_t refused = 0;
  for (int i = 0; i < 60; ++i) refused += reload(files[i % 4]).is_error() ? 1 : 0;
  over = true;
  readers.clear();

  EXPECT_EQ(refused, 0U);
  EXPECT_EQ(wrong.load(), 0U);
  EXPECT_GT(reads.load(), 0U);
}

TEST_F(Reload, TwoAtATimeAreOneAfterTheOtherOrBusy) {
  serve(kTag);
  TcpClient first = connect();
  TcpClient second = connect();
  std::size_t loaded = 0;
  for (int i = 0; i < 20; ++i) {
    first.send(request({"LARDER", "RELOAD"}));
    second.send(request({"LARDER", "RELOAD"}));
    for (TcpClient* client : {&first, &second}) {
      const Reply reply = client->reply();
      if (!reply.is_error())
        ++loaded;
      else
        EXPECT_THAT(reply.text, StartsWith("BUSY another reload is under way"));
    }
  }

  EXPECT_GE(loaded, 20U);
}

}  // namespace
}  // namespace larder::test
