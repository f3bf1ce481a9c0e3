#include <gmock/gmock.h>

#include "cli/run_larder.hpp"
#include "larder/version.hpp"

namespace larder {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(CommandLine, SaysItsVersion) {
  const test::Ran ran = test::run_larder({"--version"});

  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.out, "larder " + std::string{kVersion} + "\n");
}

TEST(CommandLine, HelpGoesToStandardOutput) {
  const test::Ran ran = test::run_larder({"--help"});

  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_THAT(ran.out, HasSubstr("Usage: larder"));
  EXPECT_EQ(ran.err, "");
}

TEST(CommandLine, RefusesWhatItDoesNotKnowAsUsage) {
  const test::Ran ran = test::run_larder({"frobnicate"});

  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, StartsWith("larder: "));
  EXPECT_EQ(ran.out, "");
}

TEST(CommandLine, NamesTheNearestSubcommandForATypingMistake) {
  const test::Ran ran = test::run_larder({"chek", "shop.toml"});

  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, StartsWith("larder: there is no subcommand chek; did you mean check?\n"));
}

TEST(CommandLine, ListsTheSubcommandsWhenNoneIsNear) {
  EXPECT_THAT(test::run_larder({"frobnicate"}).err,
              StartsWith("larder: there is no subcommand frobnicate; there are check, serve, "));
}

TEST(CommandLine, NamesTheNearestOptionForATypingMistake) {
  EXPECT_THAT(test::run_larder({"serve", "--confg", "shop.toml"}).err,
              StartsWith("larder: larder serve has no option --confg; did you mean --config?\n"
                         "Run `larder serve --help`"));
  EXPECT_THAT(test::run_larder({"check", "--explan=caches.ttl"}).err,
              StartsWith("larder: larder check has no option --explan; did you mean --explain?"));
  EXPECT_THAT(test::run_larder({"--vesion"}).err,
              StartsWith("larder: larder has no option --vesion; did you mean --version?"));
}

TEST(CommandLine, AskedForNothingItSaysHowToAsk) {
  const test::Ran ran = test::run_larder({});

  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("larder --help"));
}

}  // namespace
}  // namespace larder
