#include <gmock/gmock.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

#include "access/password_hash.hpp"
#include "cli/run_larder.hpp"

namespace larder {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string line_of(const std::string& text) { return text.substr(0, text.find('\n')); }

TEST(PasswordCommand, PrintsAHashOfWhatStandardInputHolds) {
  const test::Ran ran = test::run_larder({"password"}, "correct horse\n");

  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, StartsWith("$scrypt$ln=14,r=8,p=1$"));
  EXPECT_TRUE(PasswordHash::parse(line_of(ran.out))->verify("correct horse").value());
}

TEST(PasswordCommand, ALineEndIsNoPartOfThePassword) {
  const std::array inputs{"secret", "secret\n", "secret\r\n", "secret\nnot this"};
  for (const std::string input : inputs) {
    const test::Ran ran = test::run_larder({"password", "--cost", "10"}, input);

    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_TRUE(PasswordHash::parse(line_of(ran.out))->verify("secret").value());
  }
}

TEST(PasswordCommand, TakesAnotherCost) {
  const test::Ran ran = test::run_larder({"password", "--cost", "11"}, "secret");

  EXPECT_THAT(ran.out, StartsWith("$scrypt$ln=11,r=8,p=1$"));
}

TEST(PasswordCommand, RefusesACostThatNoConfigurationWouldTake) {
  EXPECT_EQ(test::run_larder({"password", "--cost", "17"}, "secret").exit_code, 2);
  EXPECT_EQ(test::run_larder({"password", "--cost", "9"}, "secret").exit_code, 2);
}

TEST(PasswordCommand, RefusesAnEmptyAndAnEndlessPassword) {
  const test::Ran empty = test::run_larder({"password"}, "\n");
  EXPECT_EQ(empty.exit_code, 1);
  EXPECT_THAT(empty.err, HasSubstr("empty"));

  const test::Ran endless = test::run_larder({"password"}, std::string(10'000, 'x'));
  EXPECT_EQ(endless.exit_code, 1);
  EXPECT_THAT(endless.err, HasSubstr("more than 1024 bytes"));
  EXPECT_THAT(endless.err, Not(HasSubstr("xxx")));
}

TEST(PasswordCommand, TakesNoPasswordAsAnArgument) {
  EXPECT_EQ(test::run_larder({"password", "secret"}).exit_code, 2);
}

// `larder password` on a terminal of its own, and who sits before it.
class Terminal {
 public:
  Terminal() {
    child_ = ::forkpty(&terminal_, nullptr, nullptr, nullptr);
    if (child_ < 0) throw std::system_error{errno, std::generic_category(), "forkpty"};
    if (child_ == 0) {
      ::execl(LARDER_PROGRAM, "larder", "password", "--cost", "10", nullptr);
      ::_exit(127);
    }
  }
  ~Terminal() {
    ::close(terminal_);
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      (void)end();
    }
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // Reads until `text` was shown; false: the program ended without it.
  bool shows(const std::string& text) {
    while (!shown_.contains(text)) {
      std::array<char, 1000> room;
      const ssize_t size = ::read(terminal_, room.data(), room.size());
      if (size <= 0) return false;  // EIO: the other end is closed
      shown_.append(room.data(), static_cast<std::size_t>(size));
    }
    return true;
  }
  void type(const std::string& keys) {
    ASSERT_EQ(::write(terminal_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  [[nodiscard]] bool echoes() const {
    termios attributes{};
    ::tcgetattr(terminal_, &attributes);
    return (attributes.c_lflag & ECHO) != 0;
  }
  // Its exit code; 128 + the signal if a signal ended it.
  int end() {
    int status = 0;
    while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  [[nodiscard]] const std::string& shown() const { return shown_; }

 private:
  int terminal_ = -1;
  pid_t child_ = -1;
  std::string shown_;
};

TEST(PasswordCommand, OnATerminalAsksTwiceAndShowsNothing) {
  Terminal terminal;

  ASSERT_TRUE(terminal.shows("Password: "));
  terminal.type("correct horse\n");
  ASSERT_TRUE(terminal.shows("The same again: "));
  terminal.type("correct horse\n");
  ASSERT_TRUE(terminal.shows("$scrypt$"));
  terminal.shows("no such text");  // until it has ended

  EXPECT_EQ(terminal.end(), 0);
  EXPECT_THAT(terminal.shown(), Not(HasSubstr("horse")));
}

TEST(PasswordCommand, OnATerminalRefusesTwoThatDiffer) {
  Terminal terminal;

  ASSERT_TRUE(terminal.shows("Password: "));
  terminal.type("correct horse\n");
  ASSERT_TRUE(terminal.shows("The same again: "));
  terminal.type("correct house\n");

  EXPECT_TRUE(terminal.shows("not the same"));
  EXPECT_EQ(terminal.end(), 1);
}

TEST(PasswordCommand, InterruptedItLeavesTheTerminalAsItWas) {
  Terminal terminal;
  ASSERT_TRUE(terminal.shows("Password: "));
  ASSERT_FALSE(terminal.echoes());

  terminal.type("\x03");

  EXPECT_EQ(terminal.end(), 128 + SIGINT);
  EXPECT_TRUE(terminal.echoes());
}

}  // namespace
}  // namespace larder
