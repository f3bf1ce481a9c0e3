#include "redis/redis_server.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>

#include "demo/free_port.hpp"

namespace larder::test {

namespace {

using namespace std::chrono_literals;

std::optional<std::string> find_program() {
  std::istringstream path{std::getenv("PATH") != nullptr ? std::getenv("PATH") : ""};
  for (std::string folder; std::getline(path, folder, ':');) {
    std::string program = folder + "/redis-server";
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  return std::nullopt;
}

}  // namespace

bool RedisServer::installed() { return find_program().has_value(); }
std::vector<std::string> RedisServer::node_options() {
  return {"--cluster-enabled", "yes", "--cluster-port",
          std::to_string(demo::free_port(0, 0).value())};
}
std::string RedisServer::program() { return find_program().value(); }

// A port that was free may be another process's by the time that the server listens.
RedisServer::RedisServer(std::vector<std::string> options)
    : options_{std::move(options)}, port_{demo::free_port(0, 0).value()} {
  constexpr int kTries = 5;
  for (int tries = 1;; ++tries) {
    try {
      start();
      return;
    } catch (const std::runtime_error& error) {
      const bool taken = std::string_view{error.what()}.contains("Address already in use");
      if (!taken || tries == kTries) throw;
    }
    std::filesystem::remove(directory() / "log");
    port_ = demo::free_port(0, 0).value();
    const auto bus = std::ranges::find(options_, "--cluster-port");
    if (bus != options_.end()) *std::next(bus) = std::to_string(demo::free_port(0, 0).value());
  }
}

RedisServer::~RedisServer() { kill(); }

void RedisServer::start() {
  std::vector<std::string> words{*find_program(), "--bind", "127.0.0.1",         "--unixsocket",
                                 socket(),        "--dir",  directory().string()};
  // Options of the test come last, and so win.
  for (const char* word : {"--save", "", "--appendonly", "no", "--port"}) words.emplace_back(word);
  words.push_back(std::to_string(port_));
  words.insert(words.end(), options_.begin(), options_.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string log = directory() / "log";

  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  // A server says nowhere when it listens: its socket does, and the first answer.
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  for (;;) {
    try {
      (void)ask({"PING"});
      return;
    } catch (const std::exception&) {
      const bool ended = ::waitpid(process_, nullptr, WNOHANG) == process_;
      if (ended || std::chrono::steady_clock::now() > deadline) {
        if (ended) process_ = -1;
        std::ostringstream said;
        said << std::ifstream{log}.rdbuf();
        throw std::runtime_error{"redis-server does not start: " + said.str()};
      }
      std::this_thread::sleep_for(5ms);
    }
  }
}

resp::Reply RedisServer::ask(const Words& command) const {
  return Peer::to_socket(socket()).ask(command);
}

void RedisServer::wait_for_replica() const {
  // The number behind `field` in INFO; none while it is not there.
  const auto offset = [this](std::string_view field) -> std::optional<std::uint64_t> {
    const std::string info = ask({"INFO", "replication"}).text;
    const std::size_t at = info.find(field);
    if (at == std::string::npos) return std::nullopt;
    return std::stoull(info.substr(at + field.size()));
  };
  const auto written = offset("master_repl_offset:");
  while (offset("state=online,offset=") < written) std::this_thread::yield();
}

void RedisServer::kill() {
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
}

// Returns once it has stopped: the signal alone leaves it time for an answer or two.
void RedisServer::pause() const {
  ::kill(process_, SIGSTOP);
  siginfo_t what{};
  while (::waitid(P_PID, static_cast<id_t>(process_), &what, WSTOPPED | WEXITED | WNOWAIT) < 0 &&
         errno == EINTR) {
  }
}
void RedisServer::resume() const { ::kill(process_, SIGCONT); }

}  // namespace larder::test
