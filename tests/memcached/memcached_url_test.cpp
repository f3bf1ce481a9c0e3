#include "memcached/memcached_url.hpp"

#include <gmock/gmock.h>

namespace larder::memcached {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(MemcachedUrl, AHostAlone) {
  EXPECT_EQ(parse_memcached_url("memcached://cache.local"),
            (MemcachedUrl{.servers = {{.host = "cache.local", .port = 11211}}}));
}

TEST(MemcachedUrl, APool) {
  const auto url = parse_memcached_url("memcached://a:11212,b,[::1]:7000,/run/m.sock").value();

  EXPECT_EQ(url, (MemcachedUrl{.servers = {{.host = "a", .port = 11212},
                                           {.host = "b"},
                                           {.host = "::1", .port = 7000},
                                           {.socket = "/run/m.sock"}}}));
  EXPECT_EQ(parse_memcached_url(to_string(url)), url);
}

TEST(MemcachedUrl, TheSchemeMayBeInCapitals) {
  EXPECT_TRUE(is_memcached_url("MEMCACHED://a"));
  EXPECT_EQ(parse_memcached_url("MemCached://a,B"), parse_memcached_url("memcached://a,B"));
}

TEST(MemcachedUrl, IsToldFromOthersByItsBeginning) {
  for (const char* url : {"memcached://a", "memcacheds://a", "memcached", "Memcached:a"}) {
    EXPECT_TRUE(is_memcached_url(url)) << url;
  }
  for (const char* url : {"", "mem", "redis://memcached", "unix:///memcached"}) {
    EXPECT_FALSE(is_memcached_url(url)) << url;
  }
}

TEST(MemcachedUrl, WhatKetamaCallsThem) {
  EXPECT_EQ(ketama_name({.host = "a"}), "a");
  EXPECT_EQ(ketama_name({.host = "a", .port = 11212}), "a:11212");
  EXPECT_EQ(ketama_name({.socket = "/run/m.sock"}), "/run/m.sock");
}

TEST(MemcachedUrl, MistakesAreSaid) {
  const auto mistake = [](std::string_view url) {
    const auto parsed = parse_memcached_url(url);
    return parsed ? std::string{"none"} : parsed.error().message;
  };

  EXPECT_THAT(mistake("redis://a"), HasSubstr("write memcached://HOST:PORT"));
  EXPECT_THAT(mistake("memcachedx://a"), HasSubstr("unknown scheme"));
  EXPECT_THAT(mistake("memcached"), HasSubstr("has no address"));
  EXPECT_THAT(mistake("memcacheds://a"), HasSubstr("asks for TLS"));
  EXPECT_THAT(mistake("memcacheds://a"), HasSubstr("write memcached://"));
  EXPECT_THAT(mistake("memcached:a"), HasSubstr("needs //"));
  EXPECT_THAT(mistake("memcached://"), HasSubstr("names no host"));
  EXPECT_THAT(mistake("memcached://a,"), HasSubstr("names no host"));
  EXPECT_THAT(mistake("memcached://a,,b"), HasSubstr("names no host"));
  EXPECT_THAT(mistake("memcached://a:0"), HasSubstr("port"));
  EXPECT_THAT(mistake("memcached://a:70000"), HasSubstr("port"));
  EXPECT_THAT(mistake("memcached://a:x"), HasSubstr("port"));
  EXPECT_THAT(mistake("memcached://::1"), HasSubstr("brackets"));
  EXPECT_THAT(mistake("memcached://[::1"), HasSubstr("does not end"));
  EXPECT_THAT(mistake("memcached://[a]"), HasSubstr("no IPv6 address"));
  EXPECT_THAT(mistake("memcached://a b"), HasSubstr("no host has"));
  EXPECT_THAT(mistake("memcached://a,b,a:11211"), HasSubstr("twice"));
  EXPECT_THAT(mistake("memcached://a?x=1"), HasSubstr("options"));
  EXPECT_THAT(mistake("memcached:///run/"), HasSubstr("folder"));
  EXPECT_THAT(mistake("memcached:///" + std::string(200, 'x')), HasSubstr("longer than 107"));
}

TEST(MemcachedUrl, APasswordIsRefusedAndNotRepeated) {
  const auto parsed = parse_memcached_url("memcached://app:secret@cache");

  EXPECT_THAT(parsed.error().message, HasSubstr("does not log in"));
  EXPECT_THAT(parsed.error().message, Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace larder::memcached
