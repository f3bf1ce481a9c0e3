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

TEST(CommandLine, AskedForNothingItSaysHowToAsk) {
  const test::Ran ran = test::run_larder({});

  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("larder --help"));
}

}  // namespace
}  // namespace larder
