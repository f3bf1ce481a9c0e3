#include "config/reference.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <sstream>

#include "config/parse.hpp"
#include "config/settings.hpp"

namespace larder {
namespace {

using testing::HasSubstr;

std::string why_unknown(std::string_view name) {
  const auto text = explain_setting(name);
  return text ? "it is known" : text.error().message;
}

TEST(Explain, SaysTypeRangeDefaultAndConsequence) {
  const auto text = explain_setting("caches.ttl");

  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("a duration"));
  EXPECT_THAT(*text, HasSubstr("1ms to 365d"));
  EXPECT_THAT(*text, HasSubstr("Default    5m"));
  EXPECT_THAT(*text, HasSubstr("ttl = \"5m\""));
  EXPECT_THAT(*text, HasSubstr("Too small"));
  EXPECT_THAT(*text, HasSubstr("Too large"));
}

TEST(Explain, TakesANameAsItStandsInAFile) {
  EXPECT_EQ(explain_setting("caches.product.ttl"), explain_setting("caches.ttl"));
  EXPECT_EQ(explain_setting("ttl"), explain_setting("caches.ttl"));
}

TEST(Explain, ListsASection) {
  const auto text = explain_setting("caches");

  ASSERT_TRUE(text);
  for (const Setting<CacheConfig>& setting : cache_section().settings) {
    EXPECT_THAT(*text, HasSubstr("  " + std::string{setting.name} + " "));
  }
}

TEST(Explain, NamesTheNearestForATypingMistake) {
  EXPECT_THAT(why_unknown("caches.tll"), HasSubstr("did you mean caches.ttl?"));
  EXPECT_THAT(why_unknown("serber"), HasSubstr("did you mean server?"));
  EXPECT_THAT(why_unknown("xyzzy"),
              HasSubstr("a section: server, tls, users, memory, shared, journal, sources, caches"));
}

TEST(Reference, IsTheCommittedPage) {
  std::ostringstream page;
  page << std::ifstream{LARDER_REFERENCE_PAGE}.rdbuf();

  EXPECT_EQ(page.str(), configuration_reference())
      << "renew it: larder check --reference > docs/reference/configuration.md";
}

TEST(Reference, OpensWithAFileThatWorks) {
  const std::string page = configuration_reference();
  const std::string fence = "```toml\n";
  const std::size_t start = page.find(fence) + fence.size();

  const ParsedConfig parsed = parse_config(page.substr(start, page.find("```", start) - start), {});

  EXPECT_TRUE(parsed.config);
  EXPECT_TRUE(parsed.problems.empty());
}

// The records themselves -----------------------------------------------------

template <class Section>
void expect_whole(const SectionRecord<Section>& record) {
  std::set<std::string_view> names;
  for (const Setting<Section>& setting : record.settings) {
    SCOPED_TRACE(std::string{record.name} + "." + std::string{setting.name});
    EXPECT_TRUE(names.insert(setting.name).second);
    EXPECT_FALSE(setting.example.empty());
    EXPECT_THAT(std::string{setting.meaning}, testing::EndsWith("."));
    const bool ranged = setting.target.index() <= 3;
    EXPECT_EQ(!setting.too_small.empty(), ranged);
    EXPECT_EQ(!setting.too_large.empty(), ranged);
  }
}

TEST(SettingRecords, AreWhole) {
  expect_whole(server_section());
  expect_whole(tls_section());
  expect_whole(user_section());
  expect_whole(memory_section());
  expect_whole(source_section());
  expect_whole(cache_section());
}

template <class Section>
std::string all_examples(const SectionRecord<Section>& record,
                         const std::set<std::string_view>& but = {}) {
  std::string text;
  for (const Setting<Section>& setting : record.settings) {
    if (but.contains(setting.name)) continue;
    text += std::string{setting.name} + " = " + std::string{setting.example} + "\n";
  }
  return text;
}

// The examples together are a file, so each is of its setting's type and in its range.
TEST(SettingRecords, HaveExamplesThatWork) {
  const std::set<std::string_view> not_through{"durability", "flush_batch", "flush_delay",
                                               "coalesce", "shared"};
  const auto with_shared = [&](const std::string& shared,
                               const std::set<std::string_view>& not_of_source) {
    return "[server]\n" + all_examples(server_section()) + "[tls]\n" + all_examples(tls_section()) +
           "[users.web]\n" + all_examples(user_section()) + "[memory]\n" +
           all_examples(memory_section()) + "[shared]\n" + shared + "[sources.shop]\n" +
           all_examples(source_section(), not_of_source) + "[journal]\n" +
           all_examples(journal_section()) + "[caches.product]\n" +
           all_examples(cache_section(), not_through) +
           "[caches.stock]\nkey = \"stock:{id:int}\"\nstrategy = \"write-behind\"\n"
           "write = \"UPDATE stock SET pieces = :pieces WHERE id = :id\"\n" +
           all_examples(cache_section(),
                        {"key", "strategy", "write", "many", "row_version", "on_shared_down"});
  };
  // A backplane is beside Memcached, which the example of url is not.
  for (const std::string& file : {with_shared(all_examples(shared_section(), {"backplane"}), {}),
                                  with_shared("url = \"memcached://127.0.0.1:11211\"\n" +
                                                  all_examples(shared_section(), {"url"}),
                                              {"max_fleet_loads"})}) {
    const ParsedConfig parsed = parse_config(file, {});

    std::string problems;
    for (const Problem& problem : parsed.problems) problems += to_string(problem, "it") + "\n";
    EXPECT_EQ(problems, "");
  }
}

}  // namespace
}  // namespace larder
