// `larder password`: a password in, its hash for the configuration out.
//
// From a terminal it is asked for twice and not shown; otherwise it is the first
// line of standard input. It is never an argument: those stand in the shell's
// history and in the list of processes.
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>

#include "access/password_hash.hpp"
#include "cli/subcommand.hpp"
#include "larder/error.hpp"

namespace larder::cli {
namespace {

struct PasswordOptions {
  unsigned cost = PasswordCost{}.log_rounds;
};

std::system_error system_error(const char* what) {
  return std::system_error{errno, std::generic_category(), what};
}

// A terminal that does not show what is typed. The signals by which people give up
// only make signals() readable meanwhile; they do their work when the terminal is
// as it was.
class SilentTerminal {
 public:
  explicit SilentTerminal(int terminal) : terminal_{terminal} {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) {
      sigaddset(&signals, signal);
    }
    if (::tcgetattr(terminal_, &attributes_) != 0) throw system_error("the terminal");
    ::pthread_sigmask(SIG_BLOCK, &signals, &mask_);
    signals_ = ::signalfd(-1, &signals, SFD_CLOEXEC);
    termios silent = attributes_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(terminal_, TCSAFLUSH, &silent);
  }
  ~SilentTerminal() {
    ::tcsetattr(terminal_, TCSAFLUSH, &attributes_);
    if (signals_ >= 0) ::close(signals_);
    ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

  [[nodiscard]] int signals() const { return signals_; }

 private:
  int terminal_;
  int signals_ = -1;
  termios attributes_{};
  sigset_t mask_{};
};

// A line of standard input without its end. Fails when one of `signals` comes first
// (-1: none is looked for), or the line is longer than a password may be.
Result<std::string> read_line(int signals) {
  std::string line;
  for (;;) {
    std::array<pollfd, 2> awaited{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{signals, POLLIN, 0}};
    if (::poll(awaited.data(), awaited.size(), -1) < 0 && errno != EINTR) {
      throw system_error("waiting for standard input");
    }
    if (awaited[1].revents != 0) return fail(Errc::kCancelled, "no password was made");
    char byte = 0;  // one at a time: what follows the line is not ours
    const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_error("standard input");
    if (got == 0 || byte == '\n') break;
    line += byte;
    if (line.size() > PasswordHash::kLongestPassword + 1) break;  // of() will say so
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

Result<std::string> ask(const SilentTerminal& terminal, const char* question) {
  std::cerr << question << std::flush;
  auto line = read_line(terminal.signals());
  std::cerr << '\n';
  return line;
}

Result<std::string> read_password() {
  if (::isatty(STDIN_FILENO) == 0) return read_line(-1);
  const SilentTerminal terminal{STDIN_FILENO};
  auto password = ask(terminal, "Password: ");
  if (!password) return password;
  auto again = ask(terminal, "The same again: ");
  if (!again) return again;
  const bool same = *password == *again;
  OPENSSL_cleanse(again->data(), again->size());
  if (!same) return fail(Errc::kInvalidArgument, "the two are not the same; nothing was made");
  return password;
}

Exit run(const PasswordOptions& options) {
  auto password = read_password();
  if (!password) {
    complain(password.error().message);
    return Exit::kMistake;
  }
  const auto hash = PasswordHash::of(*password, {.log_rounds = options.cost});
  OPENSSL_cleanse(password->data(), password->size());
  if (!hash) {
    complain(hash.error().message);
    return Exit::kMistake;
  }
  std::cout << hash->text() << '\n';
  return Exit::kOk;
}

}  // namespace

void add_password(CLI::App& program, Action& action) {
  auto options = std::make_shared<PasswordOptions>();
  CLI::App* command = program.add_subcommand(
      "password", "Make a password's hash, for server.password or [users.NAME]");
  command
      ->add_option("--cost", options->cost,
                   "What a guess costs: one more doubles time and memory (14: 40 ms, 16 MiB)")
      ->check(CLI::Range(10U, 16U))
      ->capture_default_str();
  command->footer(
      "Asks for the password twice, without showing it; or reads it from standard input:\n"
      "  printf %s \"$PASSWORD\" | larder password");
  command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace larder::cli
