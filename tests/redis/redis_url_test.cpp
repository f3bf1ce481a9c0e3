#include "redis/redis_url.hpp"

#include <gmock/gmock.h>

namespace larder::redis {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(RedisUrl, AHostAlone) {
  EXPECT_EQ(parse_redis_url("redis://cache.local"),
            (RedisUrl{.host = "cache.local", .port = 6379}));
}

TEST(RedisUrl, ASchemeInCapitalsIsTheSame) {
  EXPECT_EQ(parse_redis_url("REDIS://cache.local"), parse_redis_url("redis://cache.local"));
  EXPECT_EQ(parse_redis_url("Rediss+Cluster://a,b"), parse_redis_url("rediss+cluster://a,b"));
}

TEST(RedisUrl, ValkeysSchemesAreTakenLikeRediss) {
  EXPECT_EQ(parse_redis_url("valkey://h:7000/2"), parse_redis_url("redis://h:7000/2"));
  EXPECT_EQ(parse_redis_url("valkeys://h?ca=/ca.pem"), parse_redis_url("rediss://h?ca=/ca.pem"));
  EXPECT_EQ(parse_redis_url("valkey+cluster://a,b"), parse_redis_url("redis+cluster://a,b"));
  EXPECT_EQ(parse_redis_url("valkeys+sentinel://a/m"), parse_redis_url("rediss+sentinel://a/m"));
}

TEST(RedisUrl, EverythingAtOnce) {
  const auto url = parse_redis_url("rediss://app:s%40cret%2F@[::1]:7000/3?ca=/etc/ca.pem");

  EXPECT_EQ(url, (RedisUrl{.host = "::1",
                           .port = 7000,
                           .tls = true,
                           .ca = "/etc/ca.pem",
                           .user = "app",
                           .password = "s@cret/",
                           .database = 3}));
}

TEST(RedisUrl, APasswordAloneIsTheDefaultUsers) {
  const auto url = parse_redis_url("redis://:secret@localhost").value();

  EXPECT_EQ(url.user, "");
  EXPECT_EQ(url.password, "secret");
}

TEST(RedisUrl, SomeNodesOfACluster) {
  const auto url = parse_redis_url("rediss+cluster://app:secret@a:7000,b,[::1]:7001?ca=/ca.pem");

  EXPECT_EQ(url, (RedisUrl{.kind = RedisUrl::Kind::kCluster,
                           .host = "a",
                           .port = 7000,
                           .tls = true,
                           .ca = "/ca.pem",
                           .user = "app",
                           .password = "secret",
                           .more = {{.host = "b", .port = 6379}, {.host = "::1", .port = 7001}}}));
  EXPECT_EQ(parse_redis_url(to_string(*url)), url);
}

TEST(RedisUrl, SentinelsAndTheirMaster) {
  const auto url = parse_redis_url("redis+sentinel://a,b:26380/my%20shop?db=2");

  EXPECT_EQ(url, (RedisUrl{.kind = RedisUrl::Kind::kSentinel,
                           .host = "a",
                           .port = 26379,
                           .database = 2,
                           .more = {{.host = "b", .port = 26380}},
                           .master = "my shop"}));
  EXPECT_EQ(parse_redis_url(to_string(*url)), url);
}

TEST(RedisUrl, OneServerOfSeveralHasTheirLogin) {
  const auto url = parse_redis_url("redis+cluster://app:secret@a,b").value();

  EXPECT_EQ(to_string(url.server_at({.host = "c", .port = 7})), "redis://app:secret@c:7");
}

TEST(RedisUrl, ASocketWithALoginAndADatabase) {
  EXPECT_EQ(
      parse_redis_url("unix://app:secret@/run/redis.sock?db=2"),
      (RedisUrl{.socket = "/run/redis.sock", .user = "app", .password = "secret", .database = 2}));
}

TEST(RedisUrl, PlacesAreShownWithoutSecrets) {
  EXPECT_EQ(parse_redis_url("redis://app:secret@[::1]:7000").value().place(), "[::1]:7000");
  EXPECT_EQ(parse_redis_url("unix://app:secret@/run/redis.sock").value().place(),
            "/run/redis.sock");
}

struct Bad {
  std::string url;
  std::string why;

  friend void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.url.substr(0, 40); }
};

class BadRedisUrl : public testing::TestWithParam<Bad> {};

TEST_P(BadRedisUrl, IsRefusedWithItsReason) {
  const auto url = parse_redis_url(GetParam().url);

  ASSERT_FALSE(url);
  EXPECT_THAT(url.error().message, HasSubstr(GetParam().why));
  EXPECT_THAT(url.error().message, Not(HasSubstr("secret")));
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadRedisUrl,
    testing::Values(Bad{"localhost:6379", "unknown scheme"}, Bad{"localhost", "no scheme"},
                    Bad{"http://localhost", "unknown scheme"}, Bad{"redis:/x", "needs //"},
                    Bad{"redis://", "no host"}, Bad{"redis://:6379", "no host"},
                    Bad{"redis://a b", "characters"}, Bad{"redis://h:0", "port"},
                    Bad{"redis://h:66000", "port"}, Bad{"redis://h:80x", "port"},
                    Bad{"redis://::1", "brackets"}, Bad{"redis://[::1", "brackets"},
                    Bad{"redis://[::1]6379", ":PORT"}, Bad{"redis://h/x", "database"},
                    Bad{"redis://h/65536", "database"}, Bad{"redis://secret@h", "USER:PASSWORD"},
                    Bad{"redis://u:secret%zz@h", "%25"}, Bad{"redis://u:secret%00@h", "zero byte"},
                    Bad{"redis://a,b", "several servers"},
                    Bad{"redis+cluster://a,", "behind its last comma"},
                    Bad{"redis+cluster://a/1", "has only 0"},
                    Bad{"redis+sentinel://a,b", "what the sentinels call the master"},
                    Bad{"unix+cluster:///a", "unknown scheme"},
                    Bad{"redis+ring://a", "unknown scheme"}, Bad{"redis://h?ca=/x", "rediss"},
                    Bad{"rediss://h?cert=/x", "both or neither"},
                    Bad{"redis://h?x=1", "unknown option"}, Bad{"redis://h?db", "without a value"},
                    Bad{"unix://run/redis.sock", "whole path"},
                    Bad{"unix:///" + std::string(200, 'x'), "longer than"}),
    [](const auto& test) { return "Url" + std::to_string(test.index); });

}  // namespace
}  // namespace larder::redis
