#include "demo/progress_bar.hpp"

#include <gmock/gmock.h>

#include <sstream>

namespace larder::demo {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;

class ProgressBarTest : public testing::Test {
 protected:
  std::ostringstream out_;
  ManualClock clock_;
};

TEST_F(ProgressBarTest, PlainOutputGetsALineAQuarter) {
  {
    ProgressBar bar{out_, Screen::kPlain, "Building", clock_};
    for (std::uint64_t done = 0; done <= 1'000; ++done) bar.show(done, 1'000);
  }

  EXPECT_EQ(out_.str(), "Building: 25 %\nBuilding: 50 %\nBuilding: 75 %\nBuilding: 100 %\n");
}

TEST_F(ProgressBarTest, ATerminalIsDrawnTenTimesASecondAtMost) {
  ProgressBar bar{out_, Screen::kTerminal, "Building", clock_};
  bar.show(1, 1'000);
  const std::size_t once = out_.str().size();
  bar.show(2, 1'000);
  EXPECT_EQ(out_.str().size(), once);

  clock_.advance(100ms);
  bar.show(3, 1'000);

  EXPECT_GT(out_.str().size(), once);
}

TEST_F(ProgressBarTest, LeavesTheTerminalsLineEmpty) {
  {
    ProgressBar bar{out_, Screen::kTerminal, "Building", clock_};
    bar.show(500, 1'000);
  }

  EXPECT_THAT(out_.str(), EndsWith("\r\033[K"));
}

TEST_F(ProgressBarTest, WritesNothingForWorkThatNeverBegan) {
  {
    const ProgressBar bar{out_, Screen::kTerminal, "Building", clock_};
  }

  EXPECT_EQ(out_.str(), "");
}

TEST(BarLine, TellsShareAndTimeLeft) {
  EXPECT_THAT(bar_line("Building", 0.25, 5s), HasSubstr("25 %  15 s left"));
}

TEST(BarLine, PromisesNothingAtTheStart) {
  EXPECT_THAT(bar_line("Building", 0.01, 5s), EndsWith("1 %"));
}

TEST(BarLine, IsFullAtTheEnd) {
  const std::string line = bar_line("Building", 1, 5s);

  EXPECT_THAT(line, EndsWith("100 %"));
  EXPECT_THAT(line, testing::Not(HasSubstr("░")));
}

}  // namespace
}  // namespace larder::demo
