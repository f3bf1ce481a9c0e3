#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/run_larder.hpp"

namespace larder {
namespace {

using testing::HasSubstr;

constexpr std::string_view kTrace = "a\nb\na\nb\nc\na\n";

TEST(Simulate, PrintsATableOfPoliciesAndCapacities) {
  const test::Ran ran =
      test::run_larder({"simulate", "-", "--policy", "lru,sieve", "--capacity", "2,100%"}, kTrace);

  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(ran.out,
            "-: 6 accesses to 3 keys\n\n"
            "  policy             entries        hits\n"
            "  lru                      2     33.33 %\n"
            "  lru                      3     50.00 %\n"
            "  sieve                    2     33.33 %\n"
            "  sieve                    3     50.00 %\n\n");
}

TEST(Simulate, PrintsRatiosFromZeroToOneForPrograms) {
  const test::Ran ran =
      test::run_larder({"simulate", "-", "--policy", "lru", "--capacity", "30", "--csv"},
                       "0,a,10\n1,b,20\n2,b,20\n");

  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.out,
            "policy,capacity,hit_ratio,byte_hit_ratio\n"
            "lru,30,0.333333,0.400000\n");
}

TEST(Simulate, TellsTheCapacityThatATargetNeedsOrThatNoneDoes) {
  const test::Ran reached =
      test::run_larder({"simulate", "-", "--policy", "lru", "--target", "0.5"}, kTrace);
  const test::Ran never =
      test::run_larder({"simulate", "-", "--policy", "lru", "--target", "0.9"}, kTrace);

  EXPECT_THAT(reached.out, HasSubstr("3 entries for 50.00 % hits"));
  EXPECT_THAT(never.out, HasSubstr("never reaches 90.00 %"));
}

TEST(Simulate, ShowsWhatATtlCosts) {
  const test::Ran ran = test::run_larder(
      {"simulate", "-", "--policy", "lru", "--capacity", "3", "--ttl", "3s", "--rate", "1"},
      kTrace);

  EXPECT_THAT(ran.out, HasSubstr("without TTL"));
  EXPECT_THAT(ran.out, HasSubstr("lru                      3     33.33 %         50.00 %"));
}

TEST(Simulate, DrawsCurves) {
  std::string folder = testing::TempDir() + "larder-simulate-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string picture = folder + "/curves.svg";

  const test::Ran ran = test::run_larder(
      {"simulate", "-", "--policy", "lru,larder", "--capacity", "1,2,3", "--plot", picture},
      kTrace);

  std::ostringstream drawn;
  drawn << std::ifstream{picture}.rdbuf();
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_THAT(drawn.str(), HasSubstr("<svg"));
  EXPECT_THAT(drawn.str(), HasSubstr(">larder<"));
  std::filesystem::remove_all(folder);
}

TEST(Simulate, NamesTheLineThatIsNoAccess) {
  const test::Ran ran = test::run_larder({"simulate", "-"}, "0,a,10\n1,b,x\n");

  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(
      ran.err,
      "larder: standard input: line 2 is not `time,key,bytes` with whole bytes from 0 to 2^40: "
      "\"1,b,x\"\n");
}

// A mistake is told before a long trace is read in vain.
TEST(Simulate, RefusesSettingsThatMeanNothingBeforeItReads) {
  const auto refusal = [](const std::string& option, const std::string& value) {
    const test::Ran ran = test::run_larder({"simulate", "none.txt", option, value});
    EXPECT_EQ(ran.exit_code, 2) << option << ' ' << value;
    EXPECT_EQ(ran.out, "");
    return ran.err;
  };

  EXPECT_THAT(refusal("--capacity", "0"), HasSubstr("--capacity 0: it must be above 0"));
  EXPECT_THAT(refusal("--capacity", "nan%"), HasSubstr("must be above 0"));
  EXPECT_THAT(refusal("--capacity", "10,lots"), HasSubstr("--capacity lots is neither a number"));
  EXPECT_THAT(refusal("--capacity", ","), HasSubstr("--capacity names none"));
  EXPECT_THAT(refusal("--target", "1.5"), HasSubstr("--target is a hit ratio"));
  EXPECT_THAT(refusal("--target", "nan"), HasSubstr("--target is a hit ratio"));
  EXPECT_THAT(refusal("--rate", "0"), HasSubstr("--rate is accesses a second"));
  EXPECT_THAT(refusal("--ttl", "soon"), HasSubstr("--ttl"));
  EXPECT_THAT(refusal("--plot", "/no/such/folder/a.svg"), HasSubstr("no such folder"));
}

TEST(Simulate, SaysThatATraceWithoutSizesHasNoCapacityInBytes) {
  const test::Ran ran = test::run_larder({"simulate", "-", "--capacity", "1MiB"}, kTrace);

  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("the trace has no sizes"));
}

TEST(Simulate, TellsForProgramsWhatATargetNeeds) {
  const test::Ran ran = test::run_larder(
      {"simulate", "-", "--policy", "lru,belady", "--target", "0.5", "--csv"}, kTrace);
  const test::Ran never =
      test::run_larder({"simulate", "-", "--policy", "lru", "--target", "0.9", "--csv"}, kTrace);

  EXPECT_EQ(ran.out,
            "policy,capacity,hit_ratio,byte_hit_ratio\n"
            "lru,3,0.500000,0.500000\n"
            "belady,2,0.500000,0.500000\n");
  EXPECT_EQ(never.out, "policy,capacity,hit_ratio,byte_hit_ratio\n");
  EXPECT_THAT(never.err, HasSubstr("lru never reaches 90.00 %"));
}

TEST(Simulate, ReadsNoFolder) {
  const test::Ran ran = test::run_larder({"simulate", testing::TempDir()});

  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.err, HasSubstr("is a folder"));
}

TEST(Simulate, RefusesWhatItDoesNotUnderstandBeforeItReads) {
  const test::Ran policy = test::run_larder({"simulate", "none.txt", "--policy", "lfu"});
  const test::Ran sample = test::run_larder({"simulate", "none.txt", "--sample", "1.5"});
  const test::Ran file = test::run_larder({"simulate", "none.txt"});

  EXPECT_EQ(policy.exit_code, 2);
  EXPECT_THAT(policy.err, HasSubstr("no policy \"lfu\"; there are larder lru"));
  EXPECT_EQ(sample.exit_code, 2);
  EXPECT_THAT(sample.err, HasSubstr("--sample is a share"));
  EXPECT_EQ(file.exit_code, 1);
  EXPECT_THAT(file.err, HasSubstr("none.txt: cannot be read"));
}

}  // namespace
}  // namespace larder
