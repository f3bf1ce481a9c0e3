// Syntax lines as trees.
#include "server/command_syntax.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "server/command.hpp"

namespace larder {
namespace {

using Kind = SyntaxArgument::Kind;

std::string render(const SyntaxArgument& argument);

std::string join(const std::vector<SyntaxArgument>& arguments, std::string_view between) {
  std::string text;
  for (const SyntaxArgument& each : arguments) {
    if (!text.empty()) text += between;
    text += render(each);
  }
  return text;
}

// The line again that the tree was made from.
std::string render(const SyntaxArgument& argument) {
  const bool one_of = argument.kind == Kind::kOneOf;
  std::string text = argument.kind == Kind::kWord    ? std::string{argument.token}
                     : one_of                        ? join(argument.arguments, " | ")
                     : argument.kind == Kind::kBlock ? join(argument.arguments, " ")
                                                     : argument.name;
  const bool bare = argument.optional && argument.token.empty();
  if (one_of && !bare) text = "<" + text + ">";
  std::string whole = text;
  if (argument.multiple && argument.optional) {
    whole += " ...";
  } else if (argument.multiple) {
    whole = one_of ? text + " ..." : text + " [" + text + " ...]";
  }
  if (argument.kind != Kind::kWord && !argument.token.empty()) {
    whole = std::string{argument.token} + " " + whole;
  }
  return argument.optional ? "[" + whole + "]" : whole;
}

TEST(CommandSyntax, ANameIsAValueAndCapitalsAreAWord) {
  const auto arguments = parse_syntax("key GET");

  ASSERT_EQ(arguments.size(), 2);
  EXPECT_EQ(arguments[0].kind, Kind::kValue);
  EXPECT_EQ(arguments[0].name, "key");
  EXPECT_EQ(arguments[1].kind, Kind::kWord);
  EXPECT_EQ(arguments[1].name, "get");
  EXPECT_EQ(arguments[1].token, "GET");
}

TEST(CommandSyntax, AWordBeforeAValueIsItsToken) {
  const auto arguments = parse_syntax("[COUNT count]");

  ASSERT_EQ(arguments.size(), 1);
  EXPECT_EQ(arguments[0].kind, Kind::kValue);
  EXPECT_EQ(arguments[0].token, "COUNT");
  EXPECT_EQ(arguments[0].name, "count");
  EXPECT_TRUE(arguments[0].optional);
}

TEST(CommandSyntax, ABracketThatRepeatsMeansMoreOfTheSame) {
  const auto arguments = parse_syntax("key value [key value ...]");

  ASSERT_EQ(arguments.size(), 1);
  EXPECT_EQ(arguments[0].kind, Kind::kBlock);
  EXPECT_EQ(arguments[0].name, "key_value");
  EXPECT_TRUE(arguments[0].multiple);
  EXPECT_FALSE(arguments[0].optional);
  EXPECT_EQ(arguments[0].arguments.size(), 2);
}

TEST(CommandSyntax, AChoiceHoldsWhatMayBeChosen) {
  const auto arguments = parse_syntax("FILTERBY <MODULE name | PATTERN pattern>");

  ASSERT_EQ(arguments.size(), 1);
  EXPECT_EQ(arguments[0].kind, Kind::kOneOf);
  EXPECT_EQ(arguments[0].token, "FILTERBY");
  ASSERT_EQ(arguments[0].arguments.size(), 2);
  EXPECT_EQ(arguments[0].arguments[1].token, "PATTERN");
}

TEST(CommandSyntax, NothingIsNoArguments) { EXPECT_TRUE(parse_syntax("").empty()); }

TEST(CommandSyntax, OfEveryCommandIsUnderstoodAsItIsWritten) {
  // Two ways to write that there may be none or more.
  const std::regex none_or_more{R"(\[([a-z-]+) \[\1 \.\.\.\]\])"};
  const auto check = [&](const Command& command) {
    const std::string line =
        std::regex_replace(std::string{command.syntax}, none_or_more, "[$1 ...]");
    EXPECT_EQ(join(parse_syntax(command.syntax), " "), line) << command.name;
  };
  for (const Command& command : all_commands()) {
    check(command);
    for (const Command& sub : command.subcommands) check(sub);
  }
}

}  // namespace
}  // namespace larder
