#include "config/change.hpp"

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "config/surroundings.hpp"

namespace larder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Config config(const std::string& text) {
  const test::Surroundings surroundings;
  ParsedConfig parsed = parse_config(text, surroundings.as("shop.toml"));
  EXPECT_TRUE(parsed.config) << (parsed.problems.empty() ? "" : parsed.problems[0].message);
  return std::move(parsed.config).value();
}

constexpr auto kTag = "[caches.tag]\nkey = \"tag:{name}\"\n";

TEST(ConfigChange, WhereACacheStandsInTheFileIsNoDifference) {
  const Config before = config(kTag);
  const Config after = config(std::string{"# moved\n\n"} + kTag + "ttl = \"5m\"\n");

  EXPECT_THAT(differences(before.caches[0], after.caches[0]), IsEmpty());
}

TEST(ConfigChange, NamesTheSettingsThatDiffer) {
  const Config before = config(kTag);
  const Config after = config("[caches.tag]\nkey = \"tag:{other}\"\nttl = \"1m\"\njitter = 0.2\n");

  EXPECT_THAT(differences(before.caches[0], after.caches[0]), ElementsAre("key", "ttl", "jitter"));
}

TEST(ConfigChange, ComparesSourcesByAllTheirSettings) {
  const std::string cache =
      "[caches.p]\nkey = \"p:{id}\"\nsource = \"shop\"\nread = \"SELECT :id\"\n";
  const Config before = config("[sources.shop]\nurl = \"sqlite:a.db\"\n" + cache);
  const Config after = config("[sources.shop]\nurl = \"sqlite:b.db\"\nmax_loads = 1\n" + cache);

  EXPECT_THAT(differences(before.sources[0], after.sources[0]), ElementsAre("url", "max_loads"));
}

TEST(ConfigChange, WhatTheServerTakesWhileItRunsNeedsNoRestart) {
  const Config before = config(kTag);
  const Config after = config(std::string{"[server]\nmax_clients = 7\nidle_timeout = \"1m\"\n"} +
                              "[caches.other]\nkey = \"other:{name}\"\n");

  EXPECT_THAT(what_needs_restart(before, after), IsEmpty());
}

TEST(ConfigChange, WhatNeedsARestartIsNamedWithItsPlace) {
  const Config before = config(kTag);
  const Config after = config(std::string{"[server]\nlisten = \"127.0.0.1:7000\"\nthreads = 3\n"} +
                              "[memory]\ncapacity = \"1GiB\"\n" + kTag);

  const std::vector<Problem> problems = what_needs_restart(before, after);

  ASSERT_THAT(problems, SizeIs(3));
  EXPECT_THAT(to_string(problems[0], "shop.toml"), HasSubstr("shop.toml:2:10: server.listen is"));
  EXPECT_THAT(to_string(problems[1], "shop.toml"), HasSubstr("shop.toml:3:11: server.threads is"));
  EXPECT_THAT(to_string(problems[2], "shop.toml"), HasSubstr("shop.toml:5:12: memory.capacity is"));
  EXPECT_TRUE(has_mistake(problems));
}

// A setting that was left out is its section's; without the section, the file's.
TEST(ConfigChange, ASettingThatWentNeedsARestartAsWell) {
  const Config before = config(std::string{"[server]\nthreads = 3\n"} + kTag);

  const std::vector<Problem> problems = what_needs_restart(before, config(kTag));

  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_THAT(to_string(problems[0], "shop.toml"), HasSubstr("shop.toml: server.threads is"));
}

TEST(ConfigChange, TlsThatComesOrGoesNeedsARestart) {
  const Config plain = config(kTag);
  const Config tls =
      config(std::string{"[tls]\ncertificate = \"a.pem\"\nkey = \"a.key\"\n"} + kTag);

  EXPECT_THAT(what_needs_restart(plain, tls), SizeIs(1));
  EXPECT_THAT(what_needs_restart(tls, plain), SizeIs(1));
  EXPECT_THAT(what_needs_restart(tls, tls), IsEmpty());
}

}  // namespace
}  // namespace larder
