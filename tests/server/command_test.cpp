// The command table as data.
#include "server/command.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace larder {
namespace {

TEST(CommandTable, EveryCommandIsFoundByItsNameInAnyCase) {
  for (const Command& command : all_commands()) {
    std::string upper{command.name};
    for (char& c : upper) c = static_cast<char>(std::toupper(c));

    EXPECT_EQ(find_command(command.name), &command) << command.name;
    EXPECT_EQ(find_command(upper), &command) << upper;
  }
}

TEST(CommandTable, WordsThatAreNoCommandAreNotFound) {
  for (const std::string_view word : {"", "g", "ge", "gett", "get ", "\x00get", "hgetall", "~et"}) {
    EXPECT_EQ(find_command(word), nullptr) << word;
  }
  EXPECT_EQ(find_command(std::string(100'000, 'g')), nullptr);
}

TEST(CommandTable, IsWholeAndSaysWhatEachCommandDoes) {
  std::set<std::string_view> names;
  const auto check = [&](const Command& command) {
    EXPECT_TRUE(names.insert(command.name).second) << command.name;
    EXPECT_NE(command.arity, 0) << command.name;
    EXPECT_FALSE(command.summary.empty()) << command.name;
    EXPECT_FALSE(command.since.empty()) << command.name;
    EXPECT_TRUE(command.run != nullptr || !command.subcommands.empty()) << command.name;
  };
  for (const Command& command : all_commands()) {
    check(command);
    for (const Command& sub : command.subcommands) {
      check(sub);
      EXPECT_TRUE(sub.name.starts_with(std::string{command.name} + "|")) << sub.name;
      EXPECT_EQ(find_subcommand(command, sub.name.substr(command.name.size() + 1)), &sub);
    }
  }
}

TEST(CommandTable, FindsTheKeysOfACommand) {
  const auto keys = [](std::vector<std::string_view> words) {
    std::string found;
    find_command(words[0])->each_key(words, [&](std::string_view key) { found += key; });
    return found;
  };

  EXPECT_EQ(keys({"get", "a"}), "a");
  EXPECT_EQ(keys({"mget", "a", "b", "c"}), "abc");
  EXPECT_EQ(keys({"set", "a", "v", "ex", "5"}), "a");
  EXPECT_EQ(keys({"ping", "a"}), "");
}

// The table of docs/redis-protocol.md, as the records have it.
std::string reference() {
  std::string text = "\n| command | what it does |\n| --- | --- |\n";
  const auto add = [&](const Command& command) {
    std::string name{command.name};
    std::ranges::replace(name, '|', ' ');
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
    text += "| `" + name;
    std::string syntax{command.syntax};
    for (std::size_t at = 0; (at = syntax.find('|', at)) != std::string::npos; at += 2) {
      syntax.insert(at, "\\");  // a bar would end the cell
    }
    text += (syntax.empty() ? "" : " " + syntax) + "` | " + std::string{command.summary} + " |\n";
  };
  for (const Command& command : all_commands()) {
    if (command.run != nullptr) add(command);
    for (const Command& sub : command.subcommands) add(sub);
  }
  return text + "\n";
}

TEST(CommandTable, IsWhatTheDocumentationSays) {
  constexpr std::string_view kBegin = "<!-- commands -->\n";
  const std::string path = LARDER_DOCS "/redis-protocol.md";
  std::ifstream file{path};
  std::string page{std::istreambuf_iterator<char>{file}, {}};
  const std::size_t begin = page.find(kBegin) + kBegin.size();
  const std::size_t end = page.find("<!-- /commands -->");
  ASSERT_LE(begin, end);

  EXPECT_EQ(page.substr(begin, end - begin), reference());

  if (std::getenv("LARDER_WRITE_DOCS") != nullptr) {
    std::ofstream{path} << page.replace(begin, end - begin, reference());
  }
}

}  // namespace
}  // namespace larder
