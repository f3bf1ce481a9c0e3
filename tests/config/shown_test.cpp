#include "config/shown.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>

#include "access/password_hash.hpp"
#include "config/parse.hpp"

namespace larder {
namespace {

std::string value_of(const std::vector<ShownSetting>& settings, std::string_view name) {
  const auto found = std::ranges::find(settings, name, &ShownSetting::name);
  return found == settings.end() ? "(none)" : found->value;
}

std::vector<ShownSetting> shown(const std::string& file) {
  const ParsedConfig parsed = parse_config(file, {});
  EXPECT_TRUE(parsed.config) << (parsed.problems.empty() ? "" : parsed.problems[0].message);
  return parsed.config ? shown_settings(*parsed.config) : std::vector<ShownSetting>{};
}

TEST(ShownSettings, AreAsAFileHasThem) {
  const auto settings = shown(
      "[server]\nmax_clients = 77\nidle_timeout = \"90s\"\n"
      "[caches.tag]\nkey = \"tag:{name}\"\njitter = 0.25\n");

  EXPECT_EQ(value_of(settings, "server.max_clients"), "77");
  EXPECT_EQ(value_of(settings, "server.idle_timeout"), "1m30s");
  EXPECT_EQ(value_of(settings, "server.max_key"), "64KiB");
  EXPECT_EQ(value_of(settings, "server.allow_insecure"), "false");
  EXPECT_EQ(value_of(settings, "caches.tag.key"), "tag:{name}");
  EXPECT_EQ(value_of(settings, "caches.tag.jitter"), "0.25");
  EXPECT_EQ(value_of(settings, "caches.tag.strategy"), "cache-aside");
}

TEST(ShownSettings, HoldNoSecret) {
  const std::string hash = PasswordHash::of("pw", {.log_rounds = 10}).value().text();
  const auto settings =
      shown("[server]\npassword = \"" + hash + "\"\n[caches.tag]\nkey = \"t:{n}\"\n");

  EXPECT_EQ(value_of(settings, "server.password"), "(redacted)");
  EXPECT_TRUE(std::ranges::none_of(settings, [&](const ShownSetting& setting) {
    return setting.value.contains(hash.substr(hash.rfind('$')));
  }));
}

TEST(ShownSettings, UrlsAreShownWithoutTheirPasswords) {
  const auto settings = shown(
      "[shared]\nurl = \"memcached://cache:11211\"\nbackplane = \"redis://app:pass@beside:6379\"\n"
      "[caches.tag]\nkey = \"t:{n}\"\n");

  const std::string backplane = value_of(settings, "shared.backplane");
  EXPECT_TRUE(backplane.contains("beside")) << backplane;
  EXPECT_FALSE(backplane.contains("pass")) << backplane;
}

TEST(ShownSettings, ASecretThatIsNotThereIsEmpty) {
  EXPECT_EQ(value_of(shown("[caches.tag]\nkey = \"t:{n}\"\n"), "server.password"), "");
}

}  // namespace
}  // namespace larder
