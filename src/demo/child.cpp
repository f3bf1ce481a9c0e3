#include "demo/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace larder::demo {
namespace {

constexpr Duration kPatience = std::chrono::seconds{10};
constexpr int kCouldNotStart = 127;  // as shells say

std::unexpected<Error> failure(std::string_view doing) {
  std::string message{doing};
  message += ": ";
  message += std::strerror(errno);
  return fail(Errc::kInternal, std::move(message));
}

// In the child, between fork and exec: async-signal-safe calls alone.
[[noreturn]] void become(char* const* argv, int log, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(kCouldNotStart);  // it died before the line above
  ::setpgid(0, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execv(argv[0], argv);
  ::_exit(kCouldNotStart);
}

}  // namespace

Result<Child> Child::start(const std::filesystem::path& program,
                           const std::vector<std::string>& arguments,
                           const std::filesystem::path& log) {
  std::vector<std::string> words{program.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (output < 0) return failure("writing " + log.string() + " failed");
  const pid_t parent = ::getpid();
  const pid_t process = ::fork();
  if (process == 0) become(argv.data(), output, parent);
  const int error = errno;
  ::close(output);
  errno = error;
  if (process < 0) return failure("starting " + program.string() + " failed");

  const auto descriptor = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
  if (descriptor < 0) {
    const auto failed = failure("watching " + program.string() + " failed");
    ::kill(process, SIGKILL);
    ::waitpid(process, nullptr, 0);
    return failed;
  }
  return Child{process, descriptor};
}

Child::~Child() {
  if (process_ < 0) return;
  terminate();
  if (!wait(kPatience)) {
    kill();
    (void)wait();
  }
  ::close(descriptor_);
}

// By the pidfd: once reaped, its number may be another's.
void Child::terminate() const {
  ::syscall(SYS_pidfd_send_signal, descriptor_, SIGTERM, nullptr, 0);
}

void Child::kill() const { ::syscall(SYS_pidfd_send_signal, descriptor_, SIGKILL, nullptr, 0); }

std::optional<int> Child::wait(Duration patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!ended_) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd end{descriptor_, POLLIN, 0};
    const int ready = ::poll(&end, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready > 0) return reap();
    if (ready == 0) return std::nullopt;
  }
  return ended_;
}

int Child::wait() { return ended_ ? *ended_ : reap(); }

int Child::reap() {
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  ended_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return *ended_;
}

}  // namespace larder::demo
