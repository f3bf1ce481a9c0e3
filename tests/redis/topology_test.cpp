#include "redis/topology.hpp"

#include <gmock/gmock.h>

namespace larder::redis {
namespace {

using resp::Reply;
using testing::ElementsAre;
using testing::HasSubstr;

Reply text(std::string words) {
  Reply made;
  made.kind = Reply::Kind::kBulk;
  made.text = std::move(words);
  return made;
}
Reply number(std::int64_t value) {
  Reply made;
  made.kind = Reply::Kind::kInteger;
  made.integer = value;
  return made;
}
Reply list(std::vector<Reply> items, Reply::Kind kind = Reply::Kind::kArray) {
  Reply made;
  made.kind = kind;
  made.items = std::move(items);
  return made;
}
Reply node(const std::string& role, const std::string& endpoint, std::int64_t port) {
  return list({text("id"), text("abc"), text("port"), number(port), text("ip"), text("10.0.0.1"),
               text("endpoint"), text(endpoint), text("role"), text(role)},
              Reply::Kind::kMap);
}
Reply shard(std::vector<Reply> slots, std::vector<Reply> nodes) {
  return list({text("slots"), list(std::move(slots)), text("nodes"), list(std::move(nodes))},
              Reply::Kind::kMap);
}

TEST(Topology, OfShardsHasTheMastersAndTheirSlots) {
  const Reply reply = list({shard({number(0), number(99), number(200), number(200)},
                                  {node("replica", "10.0.0.2", 1), node("master", "a.net", 2)}),
                            shard({number(100), number(199)}, {node("master", "b.net", 3)})});

  const Topology topology = topology_in_shards(reply, "asked", false).value();

  ASSERT_EQ(topology.size(), 2U);
  EXPECT_EQ(topology[0].place, (Place{.host = "a.net", .port = 2}));
  EXPECT_THAT(topology[0].slots, ElementsAre(SlotRange{0, 99}, SlotRange{200, 200}));
  EXPECT_TRUE(topology[0].has(200));
  EXPECT_FALSE(topology[0].has(100));
}

// As Redis 8 tells of a failover: the one that failed is called a master still.
TEST(Topology, OfTwoMastersOfAShardTheOneThatHasFailedIsPassedOver) {
  const auto health = [](Reply node, const char* what) {
    node.items.push_back(text("health"));
    node.items.push_back(text(what));
    return node;
  };
  const Reply dead = health(node("master", "a.net", 1), "fail");
  const Reply heir = health(node("master", "b.net", 2), "online");
  const auto master = [&](std::vector<Reply> nodes) {
    const Reply reply = list({shard({number(0), number(9)}, std::move(nodes))});
    const Topology topology = topology_in_shards(reply, "asked", false).value();
    EXPECT_EQ(topology.size(), 1U);
    return topology.front().place.host;
  };

  EXPECT_EQ(master({dead, heir}), "b.net");
  EXPECT_EQ(master({heir, dead}), "b.net");
  EXPECT_EQ(master({dead}), "a.net") << "nobody has taken over yet";
}

TEST(Topology, ANodeThatDoesNotKnowItsNameIsWhereItWasAsked) {
  Reply nameless = node("master", "?", 2);
  nameless.items[5] = text("");
  const Reply reply = list({shard({number(0), number(9)}, {nameless})});

  EXPECT_EQ(topology_in_shards(reply, "asked", false)->front().place.host, "asked");
}

// Names stand in logs.
TEST(Topology, WhatIsNoNameOfAHostIsNotTakenForOne) {
  for (const std::string& name : {std::string{"a\nb"}, std::string{"a b"}, std::string{"\x1b[2J"},
                                  std::string{"\xc3\xa9"}, std::string(256, 'a')}) {
    const Reply shards = list({shard({number(0), number(9)}, {node("master", name, 1)})});
    EXPECT_EQ(topology_in_shards(shards, "asked", false).value()[0].place.host, "10.0.0.1");
    const Reply slots = list({list({number(0), number(9), list({text(name), number(1)})})});
    EXPECT_EQ(topology_in_slots(slots, "asked").value()[0].place.host, "asked");
    EXPECT_FALSE(topology_in_sentinel(list({text(name), text("1")}), "shop"));
  }
}

TEST(Topology, UnderTlsThePortIsThatOfTls) {
  Reply both = node("master", "a.net", 2);
  both.items.push_back(text("tls-port"));
  both.items.push_back(number(3));
  const Reply reply = list({shard({number(0), number(9)}, {both})});

  EXPECT_EQ(topology_in_shards(reply, "asked", true)->front().place.port, 3);
}

TEST(Topology, OfSlotsIsTheSame) {
  const auto range = [](std::int64_t first, std::int64_t last, std::int64_t port) {
    return list({number(first), number(last), list({text("a.net"), number(port), text("id")}),
                 list({text("replica.net"), number(9), text("id")})});
  };

  const Topology topology =
      topology_in_slots(list({range(0, 9, 1), range(20, 29, 1), range(10, 19, 2)}), "asked")
          .value();

  ASSERT_EQ(topology.size(), 2U);
  EXPECT_THAT(topology[0].slots, ElementsAre(SlotRange{0, 9}, SlotRange{20, 29}));
}

TEST(Topology, OfASentinelIsItsMaster) {
  const Topology topology =
      topology_in_sentinel(list({text("10.0.0.1"), text("6379")}), "shop").value();

  ASSERT_EQ(topology.size(), 1U);
  EXPECT_EQ(to_string(topology[0].place), "10.0.0.1:6379");
  EXPECT_TRUE(topology[0].has(16'383));
}

TEST(Topology, AMasterThatASentinelDoesNotKnowIsNamed) {
  EXPECT_THAT(topology_in_sentinel(Reply{}, "shop").error().message, HasSubstr("\"shop\""));
}

TEST(Topology, OtherRepliesAreRefused) {
  EXPECT_FALSE(topology_in_shards(text("hello"), "asked", false));
  EXPECT_FALSE(topology_in_shards(list({text("hello")}), "asked", false));
  EXPECT_FALSE(topology_in_shards(
      list({shard({number(0), number(16'384)}, {node("master", "a", 1)})}), "asked", false));
  EXPECT_FALSE(topology_in_slots(list({list({number(0)})}), "asked"));
}

TEST(Topology, AnAskSaysWhere) {
  EXPECT_EQ(place_to_ask("ASK 3999 127.0.0.1:6381", "asked"), (Place{"127.0.0.1", 6381}));
  EXPECT_EQ(place_to_ask("ASK 3999 ::1:6381", "asked"), (Place{"::1", 6381}));
  EXPECT_EQ(place_to_ask("ASK 3999 :6381", "asked"), (Place{"asked", 6381}));
  for (const char* other : {"MOVED 3999 127.0.0.1:6381", "ASK 3999", "ASK 3999 a:", "ASK 3999 a:0",
                            "ASK 3999 a:65536", "ASK 3999 a:63x"}) {
    EXPECT_EQ(place_to_ask(other, "asked"), std::nullopt) << other;
  }
}

TEST(Topology, KnowsARedirectFromOtherErrors) {
  EXPECT_TRUE(is_redirect("MOVED 3999 127.0.0.1:6381"));
  EXPECT_TRUE(is_redirect("ASK 3999 127.0.0.1:6381"));
  EXPECT_FALSE(is_redirect("CLUSTERDOWN The cluster is down"));
}

}  // namespace
}  // namespace larder::redis
