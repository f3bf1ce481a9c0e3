// Processes over a real cluster of three masters and three replicas.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "demo/free_port.hpp"
#include "redis/redis_cluster.hpp"
#include "redis/slot.hpp"
#include "shared/process.hpp"
#include "shared/routed_tier.hpp"
#include "tls/certificate_files.hpp"

namespace larder::shared {
namespace {

using test::RedisCluster;

class ClusterProcess : public ProcessOver<RoutedTier> {
 public:
  using ProcessOver::ProcessOver;

  // Until all masters are asked, and heard.
  ClusterProcess& ready() {
    while (!tier().trusted() || tier().stats().gaps < RedisCluster::kMasters) {
      std::this_thread::yield();
    }
    return *this;
  }
  ClusterProcess& trusted() {
    while (!tier().trusted()) std::this_thread::yield();
    return *this;
  }
  // Reads until there is a copy; who loads leaves `value`.
  void settle(const std::string& key, const std::string& value) {
    for (;;) {
      const SharedAnswer answer = read(key);
      if (answer.kind == Kind::kCopy) return;
      if (answer.lease) copies().fill(answer.lease, value, 60s, 0ms);
      std::this_thread::yield();
    }
  }
};

class ClusterTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!RedisCluster::installed()) GTEST_SKIP() << "redis-server or redis-cli is not installed";
    cluster_.emplace();
  }

  // Keys of which each master has some.
  static std::vector<std::string> keys() {
    std::vector<std::string> keys;
    for (int i = 0; i < 60; ++i) keys.push_back(std::to_string(i));
    return keys;
  }
  static std::string name(const std::string& key) {
    return KeyNames{"larder", true}.value("product", key);
  }
  // A key that the node has.
  std::string key_of(std::size_t node) const {
    for (const std::string& key : keys()) {
      if (cluster_->owner(name(key), node) == node) return key;
    }
    ADD_FAILURE() << "it has none";
    return {};
  }
  // Kills a master and waits for its replica to take over, as another node sees it.
  void fail_over(std::size_t master, std::size_t seen_by) {
    const std::uint16_t port = cluster_->node(master).port();
    cluster_->node(master).kill();
    cluster_->wait(seen_by, [&](const redis::Topology& topology) {
      return topology.size() == RedisCluster::kMasters &&
             std::ranges::find(topology, port, [](const redis::Master& each) {
               return each.place.port;
             }) == topology.end();
    });
  }

  std::optional<RedisCluster> cluster_;
};

TEST_F(ClusterTest, WhatOneLoadsAllHaveWhereverItIs) {
  ClusterProcess one{cluster_->url()};
  ClusterProcess other{cluster_->url()};
  for (const std::string& key : keys()) one.ready().load(key, "v" + key);
  one.trusted();

  const auto answers = other.ready().begin(keys())->wait();

  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].copy.bytes, "v" + keys()[i]);
  }
  for (std::size_t node = 0; node < RedisCluster::kMasters; ++node) {
    EXPECT_GT(cluster_->node(node).ask({"DBSIZE"}).integer, 0) << "each master has some";
  }
  EXPECT_EQ(other.tier().stats().errors, 0U);
}

TEST_F(ClusterTest, WhatOneInvalidatesTheOthersHearAndNobodyIsServed) {
  ClusterProcess one{cluster_->url()};
  ClusterProcess other{cluster_->url()};
  for (const std::string& key : keys()) one.ready().load(key, "old");
  const auto heard = other.ready().listen();

  for (const std::string& key : keys()) one.copies().invalidate(key);

  std::set<std::string> told;
  for (std::size_t i = 1; i <= keys().size(); ++i) told.insert(heard->word(i));
  const auto all = keys();
  EXPECT_EQ(told, (std::set<std::string>{all.begin(), all.end()}));
  for (const std::string& key : keys()) EXPECT_EQ(other.copy(key), std::nullopt);
}

TEST_F(ClusterTest, WhatOneRefreshesTheOthersHearAndFindWhereverItIs) {
  ClusterProcess one{cluster_->url()};
  ClusterProcess other{cluster_->url()};
  for (const std::string& key : keys()) one.ready().load(key, "old");
  const auto heard = other.ready().listen();

  const auto answers = one.begin(keys(), true)->wait();
  for (const SharedAnswer& each : answers) one.copies().fill(each.lease, "new", 60s, 0ms);

  std::set<std::string> told;
  for (std::size_t i = 1; i <= keys().size(); ++i) told.insert(heard->word(i));
  const auto all = keys();
  EXPECT_EQ(told, (std::set<std::string>{all.begin(), all.end()}));
  for (const std::string& key : keys()) EXPECT_EQ(other.copy(key), "new");
}

TEST_F(ClusterTest, MemoryIsBelievedWhileEachMasterIsHeard) {
  ClusterProcess one{cluster_->url()};
  one.ready();
  const auto heard = one.listen();
  const auto vouch = one.copies().vouch();
  while (vouch->longest() < 1h) std::this_thread::yield();
  const std::size_t before = heard->size();
  RedisServer& master = cluster_->node(cluster_->owner("{1}", 0));

  master.pause();

  EXPECT_EQ(heard->word(before + 1), "*");
  EXPECT_EQ(vouch->longest(), Hearing::kBound);
  master.resume();
  while (vouch->longest() < 1h) std::this_thread::yield();
}

TEST_F(ClusterTest, AfterClearNothingOfTheCacheIsBelieved) {
  ClusterProcess one{cluster_->url()};
  ClusterProcess other{cluster_->url()};
  for (const std::string& key : keys()) one.ready().load(key, "old");
  const auto heard = other.ready().listen();

  one.copies().clear();

  for (const std::string& key : keys()) EXPECT_EQ(one.copy(key), std::nullopt);
  EXPECT_EQ(heard->word(), "*");
}

TEST_F(ClusterTest, WhatIsClearedIsToldOnceEachMasterSaysSo) {
  ClusterProcess one{cluster_->url(), {.timeout = 60s}};
  ClusterProcess other{cluster_->url(), {.timeout = 60s}};
  for (const std::string& key : keys()) one.ready().load(key, "old");
  EXPECT_EQ(other.ready().copy(keys().front()), "old");
  const auto& slow = cluster_->node(RedisCluster::kMasters - 1);
  slow.pause();
  one.copies().clear();
  const auto told = one.told();
  EXPECT_EQ(told.wait_for(0s), std::future_status::timeout);

  slow.resume();
  told.wait();

  const auto answers = other.begin(keys())->wait();
  EXPECT_TRUE(std::ranges::none_of(
      answers, [](const SharedAnswer& answer) { return answer.kind == Kind::kCopy; }));
}

TEST_F(ClusterTest, AMasterThatDiesIsFollowedByItsReplicaAndItsOldCopiesAreMisses) {
  ClusterProcess one{cluster_->url()};
  ClusterProcess other{cluster_->url()};
  const std::string key = key_of(0);
  const std::string far = key_of(1);
  one.ready().load(key, "old");
  one.load(far, "v");
  EXPECT_EQ(other.ready().copy(key), "old");
  cluster_->node(0).wait_for_replica();

  fail_over(0, 1);

  EXPECT_EQ(other.copy(far), "v") << "of another master";
  one.trusted();
  EXPECT_EQ(cluster_->node(cluster_->owner(name(key), 1)).ask({"EXISTS", name(key)}).integer, 1)
      << "the replica has it";
  EXPECT_EQ(one.copy(key), std::nullopt);
  one.settle(key, "new");
  EXPECT_EQ(other.trusted().copy(key), "new");
}

TEST_F(ClusterTest, WhatADeadMasterCouldNotBeToldItsReplicaIs) {
  ClusterProcess one{cluster_->url(), {.timeout = 100ms}};
  ClusterProcess other{cluster_->url()};
  const std::string key = key_of(0);
  one.ready();
  other.ready();
  cluster_->node(0).kill();
  while (one.tier().trusted()) std::this_thread::yield();
  one.copies().invalidate(key);
  EXPECT_EQ(one.tier().stats().undelivered, 1U);
  const auto heard = other.listen();

  cluster_->wait(1, [&](const redis::Topology& topology) {
    return topology.size() == RedisCluster::kMasters &&
           topology[0].place.port != cluster_->node(0).port() &&
           topology[1].place.port != cluster_->node(0).port() &&
           topology[2].place.port != cluster_->node(0).port();
  });

  one.trusted();
  EXPECT_EQ(one.tier().stats().undelivered, 0U);
  // Told by name, or covered by the word that something may have been missed.
  EXPECT_THAT(heard->word(), testing::AnyOf(key, "*"));
}

TEST_F(ClusterTest, ANodeThatComesBackAsAReplicaIsNotAsked) {
  ClusterProcess one{cluster_->url()};
  const std::string key = key_of(0);
  one.ready().load(key, "old");
  fail_over(0, 1);
  cluster_->node(0).start();
  one.trusted();
  one.settle(key, "new");
  one.copies().invalidate(key);

  EXPECT_EQ(one.copy(key), std::nullopt);
  const std::size_t owner = cluster_->owner(name(key), 1);
  EXPECT_NE(owner, 0U);
  EXPECT_EQ(one.tier().stats().undelivered, 0U);
}

TEST(Cluster, ThatSlotsHaveNoMasterIsSaidOnceEachWay) {
  if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
  RedisServer node{RedisServer::node_options()};
  node.ask({"CLUSTER", "ADDSLOTSRANGE", "0", "8191"});
  ClusterProcess one{"redis+cluster://127.0.0.1:" + std::to_string(node.port())};
  one.wait_to_say("slots of the cluster have no master");

  node.ask({"CLUSTER", "ADDSLOTSRANGE", "8192", "16383"});
  one.trusted();

  one.wait_to_say("each slot of the cluster has a master");
  EXPECT_EQ(one.times_said("slots of the cluster have no master"), 1U);
  one.settle("1", "v");
  EXPECT_EQ(one.copy("1"), "v");
}

// Its files could be read when the cluster was first asked.
TEST(Cluster, AMasterThatCannotBeBegunKeepsItsOwnReason) {
  if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
  const test::CertificateFiles files;
  const test::Certificate authority = test::make_authority("test");
  files.write("ca.pem", authority.certificate);
  const TlsFiles own = files.write(test::issue(authority, "localhost"));
  const std::string port = std::to_string(demo::free_port(0, 0).value());
  std::vector<std::string> options = RedisServer::node_options();
  options.insert(options.end(),
                 {"--port", "0", "--tls-port", port, "--tls-cluster", "yes", "--tls-cert-file",
                  own.certificate, "--tls-key-file", own.key, "--tls-ca-cert-file",
                  files.path("ca.pem"), "--tls-auth-clients", "no"});
  RedisServer node{options};
  ClusterProcess one{"rediss+cluster://127.0.0.1:" + port + "?ca=" + files.path("ca.pem")};
  one.wait_to_say("slots of the cluster have no master");

  std::filesystem::remove(files.path("ca.pem"));
  node.ask({"CLUSTER", "ADDSLOTSRANGE", "0", "16383"});

  while (!one.tier().trouble().contains("ca.pem")) std::this_thread::yield();
  one.let_pass(1500ms);  // it is asked again each second
  EXPECT_THAT(one.tier().trouble(), testing::HasSubstr("ca.pem"));
  EXPECT_EQ(one.said().size(), 1U);
}

TEST(Cluster, ThatAnnouncementsCannotBeFollowedIsSaidOnceEachWay) {
  if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
  RedisServer node{RedisServer::node_options()};
  node.ask({"CLUSTER", "ADDSLOTSRANGE", "0", "16383"});
  node.ask({"ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all", "-ssubscribe"});
  ClusterProcess one{"redis+cluster://app:secret@127.0.0.1:" + std::to_string(node.port()),
                     {.quiet = 1ms}};
  one.wait_to_say("cannot be followed: NOPERM");
  while (one.tier().stats().errors < 3) std::this_thread::yield();
  EXPECT_EQ(one.times_said("cannot be followed"), 1U);
  EXPECT_EQ(one.copies().vouch()->longest(), Hearing::kBound);

  node.ask({"ACL", "SETUSER", "app", "+ssubscribe"});

  one.wait_to_say("is followed");
  while (one.copies().vouch()->longest() < 1h) std::this_thread::yield();
  EXPECT_EQ(one.times_said("cannot be followed"), 1U);
}

// What a server says is another's.
class Elsewheres final : public Elsewhere {
 public:
  void moved(const std::string& cache, std::optional<std::string> name) override {
    const MutexLock lock{mutex_};
    moved_.push_back(cache + " " + name.value_or("*"));
    news_.notify_all();
  }
  void suspect() override {}
  std::shared_ptr<RedisTier> at(const redis::Place&) override { return nullptr; }

  // Waits for the first.
  std::string word() {
    const MutexLock lock{mutex_};
    while (moved_.empty()) news_.wait(mutex_);
    return moved_.front();
  }

 private:
  Mutex mutex_;
  Condition news_;
  std::vector<std::string> moved_ LARDER_GUARDED_BY(mutex_);
};

// A master of all slots that is being told what was invalidated when it is found to be none any
// more.
class RetiredMaster : public testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
    node_.emplace(RedisServer::node_options());
    node_->ask({"CLUSTER", "ADDSLOTSRANGE", "0", "16383"});
    elsewhere_ = std::make_shared<Elsewheres>();
    master_.emplace(*node_, RedisTierOptions{.in_cluster = true, .elsewhere = elsewhere_});
    RedisTier& tier = master_->tier();
    RedisTier::Buckets buckets;
    for (std::size_t i = 0; i < KeyNames::kBuckets; ++i) {
      buckets.insert(static_cast<KeyNames::Bucket>(i));
    }
    (void)tier.assign(std::move(buckets));
    while (!tier.health().connected) std::this_thread::yield();
    name_ = tier.names().value("product", "1");
    tier.invalidate("product", name_);
    node_->pause();
    while (tier.health().waiting < 2) tier.vouch();  // the probe, and the key
  }

  std::optional<RedisServer> node_;
  std::shared_ptr<Elsewheres> elsewhere_;
  std::optional<Process> master_;
  std::string name_;
};

TEST_F(RetiredMaster, WhatItIsBeingToldIsToldElsewhereThoughItTakesIt) {
  EXPECT_TRUE(master_->tier().retire().keys.empty()) << "it is on its way";

  node_->resume();

  EXPECT_EQ(elsewhere_->word(), "product " + name_);
}

TEST_F(RetiredMaster, CountsNothingThatOthersTell) {
  EXPECT_EQ(master_->tier().stats().undelivered, 1U);

  (void)master_->tier().retire();

  EXPECT_EQ(master_->tier().stats().undelivered, 0U);
}

TEST_F(ClusterTest, ASlotThatMovesIsFollowed) {
  ClusterProcess one{cluster_->url()};
  ClusterProcess other{cluster_->url()};
  const std::string key = key_of(0);
  one.ready().load(key, "old");
  EXPECT_EQ(other.ready().copy(key), "old");
  const auto heard = other.listen();
  const std::string slot = std::to_string(redis::slot_of(name(key)));
  const std::string from = cluster_->id(0);
  const std::string to = cluster_->id(1);

  // On its way: what is there already is answered with ASK.
  cluster_->node(1).ask({"CLUSTER", "SETSLOT", slot, "IMPORTING", from});
  cluster_->node(0).ask({"CLUSTER", "SETSLOT", slot, "MIGRATING", to});
  const auto in_slot = cluster_->node(0).ask({"CLUSTER", "GETKEYSINSLOT", slot, "100"});
  for (const resp::Reply& each : in_slot.items) {
    cluster_->node(0).ask(
        {"MIGRATE", "127.0.0.1", std::to_string(cluster_->node(1).port()), each.text, "0", "5000"});
  }
  EXPECT_EQ(one.read(key).kind, Kind::kLoad);
  EXPECT_FALSE(one.read(key).lease) << "nothing is kept meanwhile";
  one.copies().invalidate(key);
  for (const std::size_t node : {1U, 0U, 2U}) {
    cluster_->node(node).ask({"CLUSTER", "SETSLOT", slot, "NODE", to});
  }

  one.settle(key, "new");
  other.settle(key, "new");
  EXPECT_EQ(cluster_->node(1).ask({"EXISTS", name(key)}).integer, 1);
  EXPECT_EQ(other.copy(key), "new");
  EXPECT_THAT(heard->word(), testing::AnyOf(key, "*"));
  EXPECT_EQ(one.tier().stats().undelivered, 0U);
  const auto said = one.said();
  EXPECT_EQ(std::ranges::count_if(said, [](const auto& each) { return each.contains("is there"); }),
            static_cast<std::ptrdiff_t>(RedisCluster::kMasters))
      << "that a master is told something first is no news";
}

// A slot on its way from the first master to the second: of two keys there one has gone already.
class MovingSlot : public ClusterTest {
 protected:
  void SetUp() override {
    ClusterTest::SetUp();
    if (!cluster_) return;
    one_.emplace(cluster_->url());
    other_.emplace(cluster_->url());
    one_->ready();
    gone_ = key_of(0);
    const KeyNames names{"larder", true};
    for (int i = 100; here_.empty(); ++i) {
      if (names.bucket("product", std::to_string(i)) == names.bucket("product", gone_)) {
        here_ = std::to_string(i);
      }
    }
    slot_ = std::to_string(redis::slot_of(name(gone_)));
    for (const std::string& key : {gone_, here_}) one_->load(key, "old");
    other_->ready();
    for (const std::string& key : {gone_, here_}) EXPECT_EQ(other_->copy(key), "old");
    heard_ = other_->listen();
    cluster_->node(1).ask({"CLUSTER", "SETSLOT", slot_, "IMPORTING", cluster_->id(0)});
    cluster_->node(0).ask({"CLUSTER", "SETSLOT", slot_, "MIGRATING", cluster_->id(1)});
    migrate(name(gone_));
  }
  void migrate(const std::string& name) {
    const std::string port = std::to_string(cluster_->node(1).port());
    EXPECT_EQ(cluster_->node(0).ask({"MIGRATE", "127.0.0.1", port, name, "0", "5000"}).text, "OK");
  }
  void settle() {
    for (const resp::Reply& each :
         cluster_->node(0).ask({"CLUSTER", "GETKEYSINSLOT", slot_, "100"}).items) {
      migrate(each.text);
    }
    for (const std::size_t node : {1U, 0U, 2U}) {
      cluster_->node(node).ask({"CLUSTER", "SETSLOT", slot_, "NODE", cluster_->id(1)});
    }
  }
  std::int64_t keys_on(std::size_t node) {
    return cluster_->node(node).ask({"CLUSTER", "COUNTKEYSINSLOT", slot_}).integer;
  }
  // Until the other has heard it so often, whatever else it hears.
  void wait_to_hear(const std::string& word, std::size_t times = 1) {
    for (std::size_t at = 1; times > 0; ++at) times -= heard_->word(at) == word ? 1 : 0;
  }

  std::optional<ClusterProcess> one_;
  std::optional<ClusterProcess> other_;
  std::shared_ptr<Heard> heard_;
  std::string gone_;
  std::string here_;
  std::string slot_;
};

TEST_F(MovingSlot, WhatIsInvalidatedIsGoneFromBothSidesAndHeard) {
  EXPECT_EQ(keys_on(0), 2) << "one of them, and the generation";
  EXPECT_EQ(keys_on(1), 1);
  EXPECT_EQ(one_->copy(here_), "old");
  EXPECT_EQ(one_->copy(gone_), std::nullopt) << "nothing is read there";

  one_->copies().invalidate(gone_);
  one_->copies().invalidate(here_);
  one_->told().wait();

  ASSERT_EQ(keys_on(0), 1);
  ASSERT_EQ(keys_on(1), 0);
  wait_to_hear(gone_);
  wait_to_hear(here_);
  EXPECT_EQ(one_->tier().stats().undelivered, 0U) << "nothing waits for the slot to settle";
  settle();
  for (const std::string& key : {gone_, here_}) {
    one_->settle(key, "new");
    other_->settle(key, "new");
    EXPECT_EQ(other_->copy(key), "new");
  }
  EXPECT_EQ(keys_on(1), 3);
}

TEST_F(MovingSlot, AClearFindsTheGenerationWhereItIs) {
  const std::string generation = KeyNames{"larder", true}.generation(
      "product", KeyNames{"larder", true}.bucket("product", gone_));
  migrate(generation);

  one_->copies().clear();
  one_->told().wait();

  EXPECT_EQ(keys_on(1), 2);
  EXPECT_EQ(one_->tier().stats().undelivered, 0U);
  settle();
  for (const std::string& key : {gone_, here_}) {
    one_->settle(key, "new");
    other_->settle(key, "new");
    EXPECT_EQ(other_->copy(key), "new");
  }
}

TEST_F(MovingSlot, AWriteIsMarkedWhereTheKeyIsAndItsEndIsHeard) {
  std::promise<std::vector<SharedMark>> marked;
  one_->copies().begin_write({gone_, here_}, 60s, [&](std::vector<SharedMark> marks) {
    marked.set_value(std::move(marks));
  });
  std::vector<SharedMark> marks = marked.get_future().get();
  ASSERT_TRUE(marks[0]) << "the mark stands with the second master";
  EXPECT_TRUE(marks[1]);
  EXPECT_EQ(keys_on(1), 1);
  wait_to_hear(gone_);

  one_->copies().finish_write(std::move(marks[0]), SharedFill{.bytes = "new", .lifetime = 60s});
  one_->copies().finish_write(std::move(marks[1]), SharedFill{.bytes = "new", .lifetime = 60s});
  one_->told().wait();

  wait_to_hear(gone_, 2);
  EXPECT_EQ(keys_on(1), 0) << "no value of another server's run is left there";
  EXPECT_EQ(one_->copy(here_), "new");
  EXPECT_EQ(one_->tier().stats().undelivered, 0U);
}

TEST_F(ClusterTest, ItNeedsNoMoreRightsThanItsPageSays) {
  for (std::size_t i = 0; i < cluster_->size(); ++i) {
    cluster_->node(i).ask({"ACL",
                           "SETUSER",
                           "app",
                           "on",
                           ">secret",
                           "resetkeys",
                           "~larder:*",
                           "~larder/*",
                           "resetchannels",
                           "&larder/*",
                           "-@all",
                           "+hello",
                           "+info",
                           "+select",
                           "+client|setname",
                           "+client|tracking",
                           "+client|caching",
                           "+get",
                           "+set",
                           "+pttl",
                           "+getrange",
                           "+setrange",
                           "+append",
                           "+del",
                           "+pexpire",
                           "+eval",
                           "+evalsha",
                           "+cluster|shards",
                           "+cluster|slots",
                           "+asking",
                           "+ssubscribe",
                           "+spublish",
                           "+ping"});
  }
  std::string url = cluster_->url();
  url.insert(url.find("127"), "app:secret@");
  ClusterProcess one{url};
  ClusterProcess other{url};
  one.ready().load("1", "v");
  EXPECT_EQ(other.ready().copy("1"), "v");
  const auto heard = other.listen();

  one.copies().invalidate("1");

  EXPECT_EQ(heard->word(), "1");
  EXPECT_EQ(one.tier().stats().errors + other.tier().stats().errors, 0U);
}

}  // namespace
}  // namespace larder::shared
