// The command table as data.
#include "server/command.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace larder
