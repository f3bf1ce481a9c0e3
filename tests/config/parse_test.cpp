#include "config/parse.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <concepts>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <random>

#include "config/surroundings.hpp"
#include "larder/units.hpp"

namespace larder {
namespace {

using namespace std::chrono_literals;
using namespace larder::literals;
using testing::HasSubstr;

constexpr std::string_view kShop = R"toml(
[server]
listen  = "127.0.0.2:6390"
threads = 2

[memory]
capacity = "64MiB"

[sources.shop]
url = "sqlite:data/shop.db"

[caches.product]
key       = "product:{id:int}"
source    = "shop"
read      = "SELECT id, name FROM products WHERE id = :id"
read_many = "SELECT id, name FROM products WHERE id IN (SELECT value FROM json_each(:ids))"
ttl       = "10m"
jitter    = 0.2
json      = ["attributes"]

[caches.basket]
key = "basket:{user}"
ttl = "1h30m"
)toml";

ParsedConfig parse(std::string_view text, const test::Surroundings& around = {}) {
  return parse_config(text, around.as("etc/shop.toml"));
}

std::string messages(const ParsedConfig& parsed) {
  std::string all;
  for (const Problem& problem : parsed.problems) all += to_string(problem, "f") + "\n";
  return all;
}

Config config(std::string_view text, const test::Surroundings& around = {}) {
  ParsedConfig parsed = parse(text, around);
  if (!parsed.config) throw std::runtime_error{messages(parsed)};
  return *parsed.config;
}

TEST(ParseConfig, ReadsEverySection) {
  const Config read = config(kShop);

  EXPECT_EQ(read.file, "etc/shop.toml");
  EXPECT_EQ(read.server.listen, "127.0.0.2:6390");
  EXPECT_EQ(read.server.threads, 2U);
  EXPECT_EQ(read.memory.capacity, 64_MiB);
  ASSERT_EQ(read.sources.size(), 1U);
  EXPECT_EQ(read.sources[0].name, "shop");
  ASSERT_EQ(read.caches.size(), 2U);
  EXPECT_EQ(read.caches[0].source, "shop");
  EXPECT_EQ(read.caches[0].key.text(), "product:{id:int}");
  EXPECT_EQ(read.caches[0].ttl, Duration{10min});
  EXPECT_DOUBLE_EQ(read.caches[0].jitter, 0.2);
  EXPECT_EQ(read.caches[0].json, std::vector<std::string>{"attributes"});
}

TEST(ParseConfig, KeepsTheOrderOfTheText) {
  const Config read = config(kShop);

  EXPECT_EQ(read.caches[0].name, "product");
  EXPECT_EQ(read.caches[1].name, "basket");
}

TEST(ParseConfig, LeavesDefaultsWhereNothingIsWritten) {
  const Config read = config("[caches.a]\nkey = \"a:{x}\"\n");

  EXPECT_EQ(read.server.listen, ServerConfig{}.listen);
  EXPECT_EQ(read.memory.capacity, MemoryConfig{}.capacity);
  EXPECT_EQ(read.caches[0].ttl, Duration{5min});
}

TEST(ParseConfig, MakesACacheWithASourceReadThrough) {
  const Config read = config(kShop);

  EXPECT_EQ(read.caches[0].strategy, StrategyKind::kReadThrough);
  EXPECT_EQ(read.caches[1].strategy, StrategyKind::kCacheAside);
}

TEST(ParseConfig, RemembersAbsencesNoLongerThanRows) {
  EXPECT_EQ(config("[caches.a]\nkey = \"a\"\n").caches[0].negative_ttl, 5s);
  EXPECT_EQ(config("[caches.a]\nkey = \"a\"\nttl = \"2s\"\n").caches[0].negative_ttl, 2s);
}

TEST(ParseConfig, ResolvesRelativePathsFromTheFilesFolder) {
  EXPECT_EQ(config(kShop).sources[0].path, "etc/data/shop.db");
}

TEST(ParseConfig, LeavesAbsolutePathsAsTheyAre) {
  const Config read =
      config("[sources.s]\nurl = \"sqlite:/var/shop.db\"\n[caches.a]\nkey = \"a\"\n");

  EXPECT_EQ(read.sources[0].path, "/var/shop.db");
}

TEST(ParseConfig, RemembersWhereSettingsStand) {
  const Config read = config(kShop);

  EXPECT_EQ(read.caches[0].written.of("read"), (Position{15, 13}));
  EXPECT_EQ(read.caches[0].written.of("negative_ttl"), read.caches[0].written.section);
}

TEST(ParseConfig, TakesTextsFromTheEnvironment) {
  const test::Surroundings around{.variables = {{"SHOP_URL", "sqlite:/run/shop.db"}}};

  const Config read =
      config("[sources.s]\nurl = \"env:SHOP_URL\"\n[caches.a]\nkey = \"a\"\n", around);

  EXPECT_EQ(read.sources[0].url.reveal(), "sqlite:/run/shop.db");
  EXPECT_EQ(read.sources[0].path, "/run/shop.db");
}

TEST(ParseConfig, TakesTextsFromFilesWithoutTheirLastLineBreak) {
  const test::Surroundings around{.files = {{"etc/secrets/url", "sqlite:/run/shop.db\n"},
                                            {"/sql/product", "SELECT 1 WHERE 1 = :id\r\n"}}};

  const Config read = config(
      "[sources.s]\nurl = \"file:secrets/url\"\n"
      "[caches.a]\nkey = \"a:{id}\"\nsource = \"s\"\nread = \"file:/sql/product\"\n",
      around);

  EXPECT_EQ(read.sources[0].url.reveal(), "sqlite:/run/shop.db");
  EXPECT_EQ(read.caches[0].read, "SELECT 1 WHERE 1 = :id");
}

TEST(ParseConfig, TakesAKeyAsItStands) {
  const test::Surroundings around{.variables = {{"HOME", "hunter2"}}};

  EXPECT_EQ(config("[caches.a]\nkey = \"env:HOME\"\n", around).caches[0].key.text(), "env:HOME");
}

TEST(ParseConfig, AllowsWhatIsOnlyOddWithAWarning) {
  const ParsedConfig parsed = parse("[sources.s]\nurl = \"sqlite:a\"\n[caches.a]\nkey = \"a\"\n");

  EXPECT_TRUE(parsed.config);
  EXPECT_EQ(messages(parsed),
            "f:1:10: warning: sources.s is used by no cache; it is not opened.\n");
}

TEST(ParseConfig, GivesNoConfigWithAMistake) {
  EXPECT_FALSE(parse("[caches.a]\nkey = \"a\"\nttl = 5\n").config);
}

TEST(ParseConfig, PortZeroMayStandTwice) {
  EXPECT_TRUE(parse("[server]\nlisten = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n"
                    "[caches.a]\nkey = \"a\"\n")
                  .config);
}

TEST(ParseConfig, AnEmptyAdminAddressMeansNone) {
  EXPECT_EQ(config("[server]\nadmin = \"\"\n[caches.a]\nkey = \"a\"\n").server.admin, "");
}

TEST(ParseConfig, KeepsNoAbsencesWhenAskedTo) {
  EXPECT_EQ(config("[caches.a]\nkey = \"a\"\nnegative_ttl = \"0s\"\n").caches[0].negative_ttl,
            Duration{0});
}

// Secrets --------------------------------------------------------------------

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };
static_assert(Printable<std::string>);
static_assert(!Printable<Secret>);
static_assert(!std::convertible_to<Secret, std::string>);
static_assert(!std::convertible_to<Secret, std::string_view>);

TEST(DescribeUrl, LeavesPasswordAndQueryOut) {
  EXPECT_EQ(describe_url("postgresql://shop:hunter2@db:5432/shop?password=hunter2"),
            "postgresql://shop@db:5432/shop");
  EXPECT_EQ(describe_url("postgresql://shop:a/b@c@db/shop"), "postgresql://shop@db/shop");
  EXPECT_EQ(describe_url("postgresql://:hunter2@db/shop"), "postgresql://@db/shop");
}

TEST(DescribeUrl, LeavesTheRestAsItIs) {
  EXPECT_EQ(describe_url("sqlite:shop.db"), "sqlite:shop.db");
  EXPECT_EQ(describe_url("postgresql://db/shop"), "postgresql://db/shop");
  EXPECT_EQ(describe_url(""), "");
}

// Hostile texts --------------------------------------------------------------

TEST(HostileConfig, DeepArraysAreRefused) {
  EXPECT_THAT(messages(parse("a = " + std::string(100'000, '['))), HasSubstr("f:1:21: brackets"));
}

TEST(HostileConfig, DeepInlineTablesAreRefused) {
  std::string text = "a = ";
  for (int i = 0; i < 50'000; ++i) text += "{a=";

  EXPECT_THAT(messages(parse(text)), HasSubstr("brackets are nested more than 16 deep"));
}

TEST(HostileConfig, LongDottedKeysAreRefused) {
  std::string key = "a";
  for (int i = 0; i < 100'000; ++i) key += ".a";

  EXPECT_THAT(messages(parse(key + " = 1")), HasSubstr("a key has more parts more than 16 deep"));
  EXPECT_THAT(messages(parse("[" + key + "]")), HasSubstr("a key has more parts"));
  EXPECT_THAT(messages(parse("\"a\" . 'b'." + key + " = 1")), HasSubstr("a key has more parts"));
}

TEST(HostileConfig, DotsAndBracketsInTextsAreNoDepth) {
  const std::string many = std::string(500, '[') + std::string(500, '.') + std::string(500, '{');

  const ParsedConfig parsed =
      parse("[sources.s]\nurl = \"sqlite:a\"\n[caches.a] # " + many +
            "\nkey = \"a\"\nsource = \"s\"\nread = \"\"\"SELECT '" + many + "'\n\\\"\"\"\"\n");

  EXPECT_EQ(messages(parsed), "");
}

TEST(HostileConfig, AFileTooLargeIsRefused) {
  EXPECT_THAT(messages(parse(std::string(kMaxConfigBytes + 1, '\n'))),
              HasSubstr("f:1:1: the file has more than 1MiB"));
}

TEST(HostileConfig, TooManyCachesAreRefused) {
  std::string text;
  for (int i = 0; i < 1001; ++i) text += "[caches.c" + std::to_string(i) + "]\nkey = \"x\"\n";

  EXPECT_THAT(messages(parse(text)),
              HasSubstr("the caches are more than the most, 1000; there are 1001."));
}

TEST(HostileConfig, NotUtf8IsAMistake) {
  EXPECT_FALSE(parse("a = \"\xff\xfe\"").config);
  EXPECT_FALSE(parse(std::string_view{"a\0b", 3}).config);
}

// Mutations of a good file: each is a Config or a list of mistakes with places.
TEST(HostileConfig, AnyTextIsAConfigOrAListOfMistakes) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  constexpr std::string_view kBytes = "\"'[]{}=.,:#\n\\ 0aZ-_\xff";
  for (int round = 0; round < 3000; ++round) {
    std::string text{kShop};
    for (auto left = 1 + random() % 6; left > 0; --left) {
      const std::size_t at = random() % text.size();
      if (random() % 3 == 0) {
        text.erase(at, 1 + random() % 8);
      } else {
        text.insert(at, 1, kBytes[random() % kBytes.size()]);
      }
    }

    const ParsedConfig parsed = parse(text);

    EXPECT_EQ(parsed.config.has_value(), !has_mistake(parsed.problems)) << text;
    for (const Problem& problem : parsed.problems) {
      EXPECT_GT(problem.position.line, 0U) << text;
      EXPECT_GT(problem.position.column, 0U) << text;
      EXPECT_THAT(problem.message, testing::AnyOf(testing::EndsWith("."), testing::EndsWith("?")));
    }
  }
}

// Files ----------------------------------------------------------------------

TEST(LoadConfig, SaysWhyAFileCannotBeRead) {
  const ParsedConfig parsed = load_config("/nowhere/shop.toml");

  EXPECT_FALSE(parsed.config);
  EXPECT_EQ(messages(parsed), "f: the file cannot be read: No such file or directory.\n");
}

TEST(LoadConfig, SaysThatAFolderIsNoFile) {
  EXPECT_THAT(messages(load_config(testing::TempDir())), HasSubstr("f: the file is a folder"));
}

TEST(LoadConfig, BoundsWhatItReads) {
  const std::string path = testing::TempDir() + "larder-large-" + std::to_string(::getpid());
  std::ofstream{path} << std::string((1 << 20) + 1, '#');

  const std::string said = messages(load_config(path));
  std::filesystem::remove(path);

  EXPECT_THAT(said, HasSubstr("f: the file has more than 1MiB"));
}

}  // namespace
}  // namespace larder
