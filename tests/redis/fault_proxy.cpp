#include "redis/fault_proxy.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <deque>
#include <list>
#include <new>
#include <stdexcept>
#include <vector>

namespace larder::test {

namespace {

constexpr int kTick = 1;  // ms between two looks at what is due

sockaddr_in local(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

void prepare(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
}

TimePoint now() { return std::chrono::steady_clock::now(); }

}  // namespace

// The other process's.
class FaultProxy::Loop {
 public:
  Loop(Control& control, int listener, std::uint16_t server)
      : control_{control}, listener_{listener}, server_{server} {}

  [[noreturn]] void run() {
    for (;;) {
      wait();
      if (const unsigned cuts = control_.cuts; cuts != cuts_) {
        cuts_ = cuts;
        for (Link& link : links_) close(link);
        links_.clear();
      }
      accept();
      std::erase_if(links_, [this](Link& link) { return !carry(link); });
    }
  }

 private:
  struct Bytes {
    std::vector<char> bytes;
    std::size_t sent = 0;
    TimePoint came;
  };
  // One way of a link: from `from` to `to`.
  struct Pipe {
    int from;
    int to;
    std::deque<Bytes> on_the_way{};
    bool ended = false;   // the sender has
    bool closed = false;  // and the receiver knows
  };
  struct Link {
    std::array<Pipe, 2> pipes;  // by direction
  };

  void wait() {
    std::vector<pollfd> polled{{.fd = listener_, .events = POLLIN, .revents = 0}};
    for (const Link& link : links_) {
      for (const Pipe& pipe : link.pipes) {
        if (!pipe.ended) polled.push_back({.fd = pipe.from, .events = POLLIN, .revents = 0});
      }
    }
    const bool owed = std::ranges::any_of(links_, [](const Link& link) {
      return !link.pipes[0].on_the_way.empty() || !link.pipes[1].on_the_way.empty();
    });
    ::poll(polled.data(), polled.size(), owed ? kTick : 10);
  }

  // Who comes while the way to the server is held waits in the listener's queue.
  void accept() {
    if (control_.ways[0].held) return;
    const int program = ::accept(listener_, nullptr, nullptr);
    if (program < 0) return;
    const int server = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = local(server_);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ::close(server);
      ::close(program);
      return;
    }
    prepare(program);
    prepare(server);
    links_.push_back({{Pipe{.from = program, .to = server}, Pipe{.from = server, .to = program}}});
  }

  // False: both ends are done with it.
  bool carry(Link& link) {
    bool alive = true;
    for (std::size_t i = 0; i < 2; ++i) {
      take(link.pipes[i]);
      alive = give(link.pipes[i], control_.ways[i]) && alive;
    }
    const bool over = !alive || (link.pipes[0].closed && link.pipes[1].closed);
    if (over) close(link);
    return !over;
  }

  static void take(Pipe& pipe) {
    std::array<char, 16384> bytes;
    while (!pipe.ended) {
      const ssize_t count = ::recv(pipe.from, bytes.data(), bytes.size(), 0);
      if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (count <= 0) {
        pipe.ended = true;
        return;
      }
      pipe.on_the_way.push_back({.bytes = {bytes.begin(), bytes.begin() + count}, .came = now()});
    }
  }

  // False: the receiver is gone.
  static bool give(Pipe& pipe, const Way& way) {
    while (!pipe.on_the_way.empty()) {
      Bytes& first = pipe.on_the_way.front();
      if (way.held || now() < first.came + Duration{way.delay}) return true;
      const ssize_t count = ::send(pipe.to, first.bytes.data() + first.sent,
                                   first.bytes.size() - first.sent, MSG_NOSIGNAL);
      if (count < 0) return errno == EAGAIN || errno == EINTR;
      first.sent += static_cast<std::size_t>(count);
      if (first.sent == first.bytes.size()) pipe.on_the_way.pop_front();
    }
    if (pipe.ended && !pipe.closed && !way.held) {
      ::shutdown(pipe.to, SHUT_WR);
      pipe.closed = true;
    }
    return true;
  }

  static void close(Link& link) {
    ::close(link.pipes[0].from);
    ::close(link.pipes[0].to);
  }

  Control& control_;
  const int listener_;
  const std::uint16_t server_;
  unsigned cuts_ = 0;
  std::list<Link> links_;
};

FaultProxy::FaultProxy(std::uint16_t server, std::uint16_t port) {
  void* const memory =
      ::mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error{"a proxy has no shared memory"};
  control_ = ::new (memory) Control;
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = local(port);
  socklen_t size = sizeof address;
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(listener, 64) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    ::close(listener);
    throw std::runtime_error{"a proxy has no port"};
  }
  port_ = ntohs(address.sin_port);
  prepare(listener);
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(2);
    Loop{*control_, listener, server}.run();
  }
  ::close(listener);
  if (process_ < 0) throw std::runtime_error{"a proxy cannot be forked"};
}

FaultProxy::~FaultProxy() {
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  ::munmap(control_, sizeof(Control));
}

void FaultProxy::let_go() {
  for (Way& each : control_->ways) {
    each.held = false;
    each.delay = 0;
  }
}

}  // namespace larder::test
