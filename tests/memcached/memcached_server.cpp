#include "memcached/memcached_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "demo/free_port.hpp"

namespace larder::test {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kEnd = "MN\r\n";

std::optional<std::string> find_program() {
  std::istringstream path{std::getenv("PATH") != nullptr ? std::getenv("PATH") : ""};
  for (std::string folder; std::getline(path, folder, ':');) {
    std::string program = folder + "/memcached";
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  return std::nullopt;
}

}  // namespace

bool MemcachedServer::installed() { return find_program().has_value(); }

MemcachedServer::MemcachedServer(std::vector<std::string> options, Listens listens)
    : options_{std::move(options)}, listens_{listens}, port_{demo::free_port(0, 0).value()} {
  start();
}

MemcachedServer::~MemcachedServer() { kill(); }

std::string MemcachedServer::url() const {
  return "memcached://" + (listens_ == Listens::kSocket ? socket() : place());
}

void MemcachedServer::start() {
  std::vector<std::string> words{*find_program(), "-m", "64", "-t", "1"};
  if (listens_ == Listens::kSocket) {
    words.insert(words.end(), {"-s", socket()});
  } else {
    words.insert(words.end(), {"-l", "127.0.0.1", "-p", std::to_string(port_)});
  }
  if (::geteuid() == 0) words.insert(words.end(), {"-u", "root"});  // who else it would become
  words.insert(words.end(), options_.begin(), options_.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string log = directory_.path() / "log";

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
  // A server says nowhere when it listens: its first answer does.
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  for (;;) {
    try {
      (void)ask("");
      return;
    } catch (const std::exception&) {
      const bool ended = ::waitpid(process_, nullptr, WNOHANG) == process_;
      if (ended || std::chrono::steady_clock::now() > deadline) {
        if (ended) process_ = -1;
        std::ostringstream said;
        said << std::ifstream{log}.rdbuf();
        throw std::runtime_error{"memcached does not start: " + said.str()};
      }
      std::this_thread::sleep_for(5ms);
    }
  }
}

int MemcachedServer::connect() const {
  int done = -1;
  int descriptor = -1;
  if (listens_ == Listens::kSocket) {
    descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket().c_str(), sizeof address.sun_path - 1);
    done = ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  } else {
    descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    done = ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  if (done == 0) return descriptor;
  ::close(descriptor);
  throw std::runtime_error{"memcached cannot be reached"};
}

std::string MemcachedServer::ask(const std::string& lines) const {
  const int descriptor = connect();
  const std::string sent = lines + "mn\r\n";
  std::string received;
  bool alive = ::send(descriptor, sent.data(), sent.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(sent.size());
  while (alive && !received.ends_with(kEnd)) {
    std::array<char, 4096> room{};
    const ssize_t size = ::recv(descriptor, room.data(), room.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    alive = size > 0;
    if (alive) received.append(room.data(), static_cast<std::size_t>(size));
  }
  ::close(descriptor);
  if (!alive) throw std::runtime_error{"memcached hung up"};
  received.resize(received.size() - kEnd.size());
  return received;
}

std::uint64_t MemcachedServer::stat(const std::string& name) const {
  const std::string all = ask("stats\r\n");
  const std::string line = "STAT " + name + " ";
  const std::size_t at = all.find(line);
  if (at == std::string::npos) throw std::runtime_error{"memcached does not count " + name};
  return std::stoull(all.substr(at + line.size()));
}

void MemcachedServer::kill() {
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  ::unlink(socket().c_str());
}

// Returns once it has stopped: the signal alone leaves it time for an answer or two.
void MemcachedServer::pause() const {
  ::kill(process_, SIGSTOP);
  siginfo_t what{};
  while (::waitid(P_PID, static_cast<id_t>(process_), &what, WSTOPPED | WEXITED | WNOWAIT) < 0 &&
         errno == EINTR) {
  }
}
void MemcachedServer::resume() const { ::kill(process_, SIGCONT); }

}  // namespace larder::test
