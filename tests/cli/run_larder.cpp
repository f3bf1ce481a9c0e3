#include "cli/run_larder.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

namespace larder::test {
namespace {

struct Pipe {
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw std::system_error{errno, std::generic_category(), "pipe"};
    }
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void close_end(std::size_t end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }

  std::array<int, 2> ends{-1, -1};
};

// Appends what is there to `text`; whether more may come.
bool drain(int from, std::string& text) {
  std::array<char, 4096> buffer;
  const ssize_t got = ::read(from, buffer.data(), buffer.size());
  if (got <= 0) return got < 0 && errno == EINTR;
  text.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

int wait_for(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Larder::Larder(const std::vector<std::string>& arguments, std::string_view input) {
  Pipe in;
  if (::write(in.ends[1], input.data(), input.size()) != static_cast<ssize_t>(input.size())) {
    throw std::system_error{errno, std::generic_category(), "pipe"};  // it takes 64 KiB
  }
  in.close_end(1);
  Pipe out;
  Pipe err;
  std::vector<std::string> words{LARDER_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in.ends[0], STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out.ends[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err.ends[1], STDERR_FILENO);
  const int failed =
      ::posix_spawn(&process_, words[0].c_str(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::system_error{failed, std::generic_category(), words[0]};
  streams_ = {std::exchange(out.ends[0], -1), std::exchange(err.ends[0], -1)};
}

Larder::~Larder() {
  for (const int stream : streams_) {
    if (stream >= 0) ::close(stream);
  }
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  wait_for(process_);
}

bool Larder::says(std::string_view text) {
  while (ran_.out.find(text) == std::string::npos) {
    if (!listen()) return false;
  }
  return true;
}

void Larder::signal(int number) const { ::kill(process_, number); }

Ran Larder::finish() {
  while (listen()) {
  }
  ran_.exit_code = wait_for(std::exchange(process_, -1));
  return std::move(ran_);
}

bool Larder::listen() {
  std::array<pollfd, 2> wanted{pollfd{streams_[0], POLLIN, 0}, pollfd{streams_[1], POLLIN, 0}};
  if (streams_[0] < 0 && streams_[1] < 0) return false;
  if (::poll(wanted.data(), wanted.size(), -1) < 0) return errno == EINTR;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].revents == 0 || drain(streams_[i], i == 0 ? ran_.out : ran_.err)) continue;
    ::close(std::exchange(streams_[i], -1));
  }
  return true;
}

Ran run_larder(const std::vector<std::string>& arguments, std::string_view input) {
  return Larder{arguments, input}.finish();
}

}  // namespace larder::test
