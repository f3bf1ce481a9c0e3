#include "demo/child.hpp"

#include <gmock/gmock.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>

#include "demo/temporary_directory.hpp"

namespace larder::demo {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class ChildTest : public testing::Test {
 protected:
  [[nodiscard]] Result<Child> shell(const std::string& script) {
    return Child::start("/bin/sh", {"-c", script}, log_);
  }
  [[nodiscard]] std::string logged() const {
    std::ostringstream text;
    text << std::ifstream{log_}.rdbuf();
    return text.str();
  }

  test::TemporaryDirectory directory_;
  std::filesystem::path log_ = directory_.path() / "log";
};

TEST_F(ChildTest, TellsTheExitCode) {
  auto child = shell("exit 3");

  ASSERT_TRUE(child);
  EXPECT_EQ(child->wait(), 3);
  EXPECT_EQ(child->wait(), 3);  // told again, not waited for again
}

TEST_F(ChildTest, KeepsOutputAndErrors) {
  auto child = shell("echo out; echo err >&2");

  ASSERT_TRUE(child);
  (void)child->wait();
  EXPECT_EQ(logged(), "out\nerr\n");
}

TEST_F(ChildTest, AProgramThatIsNotThereEndsAsShellsSay) {
  auto child = Child::start("/nowhere/to/be/found", {}, log_);

  ASSERT_TRUE(child);
  EXPECT_EQ(child->wait(), 127);
}

TEST_F(ChildTest, ALogThatCannotBeWrittenIsNamed) {
  const auto child = Child::start("/bin/true", {}, directory_.path() / "missing" / "log");

  ASSERT_FALSE(child);
  EXPECT_THAT(child.error().message, HasSubstr("missing/log"));
}

TEST_F(ChildTest, ThatStillRunsIsNotWaitedForLongerThanAsked) {
  auto child = shell("exec sleep 60");

  ASSERT_TRUE(child);
  EXPECT_EQ(child->wait(1ms), std::nullopt);
}

TEST_F(ChildTest, EndsWhenAsked) {
  auto child = shell("exec sleep 60");
  ASSERT_TRUE(child);

  child->terminate();

  EXPECT_EQ(child->wait(), 128 + SIGTERM);
}

TEST_F(ChildTest, DoesNotOutliveItsOwner) {
  {
    auto child = shell("echo $$; exec sleep 60");
    ASSERT_TRUE(child);
    while (logged().find('\n') == std::string::npos) (void)child->wait(1ms);
  }

  const auto process = static_cast<pid_t>(std::stol(logged()));
  EXPECT_EQ(::kill(process, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

// The owner dies without a chance to clean up. The grandchild becomes this
// process's own, which so learns of its end.
TEST_F(ChildTest, DiesWithAParentThatWasKilled) {
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    auto child = shell("echo $$; exec sleep 60");
    while (logged().find('\n') == std::string::npos) (void)child->wait(1ms);
    ::kill(::getpid(), SIGKILL);
  }
  ASSERT_EQ(::waitpid(parent, nullptr, 0), parent);

  const auto orphan = static_cast<pid_t>(std::stol(logged()));
  int status = 0;
  ASSERT_EQ(::waitpid(orphan, &status, 0), orphan);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

}  // namespace
}  // namespace larder::demo
