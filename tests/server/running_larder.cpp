#include "server/running_larder.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include "server/tcp_client.hpp"

namespace larder::test {

namespace {

std::uint16_t port_after(const std::string& text, const std::string& words) {
  const std::size_t at = text.find(words);
  if (at == std::string::npos)
    throw std::runtime_error{"larder did not say: " + words + "\n" + text};
  return static_cast<std::uint16_t>(std::stoi(text.substr(at + words.size())));
}

}  // namespace

RunningLarder::RunningLarder(const std::string& directory, const std::string& config,
                             const std::string& server_settings, std::uint16_t port) {
  const std::string file = directory + "/larder.toml";
  std::ofstream{file} << "[server]\nlisten = \"127.0.0.1:" << port
                      << "\"\nadmin = \"127.0.0.1:0\"\n"
                      << server_settings << "\n"
                      << config;

  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::system_error{errno, std::generic_category(), "pipe"};
  }
  std::string program{LARDER_PROGRAM};
  std::string serve{"serve"};
  std::string option{"--config"};
  std::string path{file};
  std::array<char*, 5> arguments{program.data(), serve.data(), option.data(), path.data(), nullptr};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  // AddressSanitizer keeps freed memory back, by default more than the tests allow.
  ::setenv("ASAN_OPTIONS", "quarantine_size_mb=8", 0);
  // A race ends the process, which a test then misses; it kills most of them anyway.
  ::setenv("TSAN_OPTIONS", "halt_on_error=1", 0);
  const int failed =
      ::posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  standard_error_ = ends[0];
  if (failed != 0) throw std::system_error{failed, std::generic_category(), program};
  try {
    read_until_served();
  } catch (...) {
    end();  // nobody else would, and it holds the test's output open
    throw;
  }
}

RunningLarder::~RunningLarder() { end(); }

void RunningLarder::end() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    wait();
  }
  ::close(standard_error_);
}

void RunningLarder::read_until_served() {
  std::array<char, 4096> bytes{};
  while (log_.find(" serves ") == std::string::npos || !log_.ends_with('\n')) {
    const ssize_t got = ::read(standard_error_, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw std::runtime_error{"larder did not start:\n" + log_};
    log_.append(bytes.data(), static_cast<std::size_t>(got));
  }
  admin_port_ = port_after(
      log_, log_.contains("on https:") ? "on https://127.0.0.1:" : "on http://127.0.0.1:");
  port_ = port_after(log_, " on 127.0.0.1:");
  reader_ = std::thread{[this] {
    std::array<char, 4096> more{};
    for (;;) {
      const ssize_t got = ::read(standard_error_, more.data(), more.size());
      if (got < 0 && errno == EINTR) continue;
      {
        const std::lock_guard lock{mutex_};
        ended_ = got <= 0;
        if (got > 0) log_.append(more.data(), static_cast<std::size_t>(got));
      }
      more_.notify_all();
      if (got <= 0) return;
    }
  }};
}

bool RunningLarder::says(const std::string& text) {
  std::unique_lock lock{mutex_};
  more_.wait(lock, [&] { return ended_ || log_.contains(text); });
  return log_.contains(text);
}

void RunningLarder::signal(int number) const { ::kill(pid_, number); }

void RunningLarder::pause() const {
  signal(SIGSTOP);
  siginfo_t what{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &what, WSTOPPED | WEXITED | WNOWAIT) < 0 &&
         errno == EINTR) {
  }
}
void RunningLarder::resume() const { signal(SIGCONT); }

int RunningLarder::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (reader_.joinable()) reader_.join();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::uint64_t RunningLarder::peak_memory() const {
  std::ifstream file{"/proc/" + std::to_string(pid_) + "/status"};
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) << 10;
  }
  throw std::runtime_error{"no VmHWM"};
}

std::string RunningLarder::page(const std::string& path) const {
  TcpClient client{admin_port_};
  client.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  return client.read_to_end();
}

double RunningLarder::metric(const std::string& name) const {
  const std::string text = page("/metrics");
  const std::size_t at = text.find("\n" + name + " ");
  if (at == std::string::npos) throw std::runtime_error{"no metric " + name};
  return std::stod(text.substr(at + name.size() + 2));
}

bool RunningLarder::flushed(const std::string& cache) const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes{1};
  while (metric("larder_write_behind_backlog{cache=\"" + cache + "\"}") > 0) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});  // it is asked over the network
  }
  return true;
}

}  // namespace larder::test
