// Waits until some of one thread's descriptors can be read or written, and tells
// those who watch them.
//
// Each descriptor is registered once, and told of on edges: when something
// arrived, not as long as something lies there. So a watcher remembers what it
// has not read yet, and a connection costs no call of the poller's at all beyond
// the wait that it shares with whoever else is ready.
// docs/decisions/own-poller.md says why not Asio's.
//
// Threads: confined to one.
#pragma once

#include <sys/epoll.h>

#include <array>

#include "server/descriptor.hpp"

namespace larder {

class Poller {
 public:
  struct Readiness {
    bool input;  // something may be read: bytes, the end, or an error
    bool room;   // something may be written, or writing tells an error
    bool ended;  // nothing follows what can be read now
  };
  class Watcher {
   public:
    virtual void ready(Readiness readiness) = 0;

   protected:
    ~Watcher() = default;
  };
  enum class Wait : bool { kNo, kYes };

  // Throws std::system_error when the system has no more descriptors.
  Poller();

  // Tells `watcher` of what arrives at `descriptor` until that is closed. The
  // watcher outlives the wait() during which the descriptor is closed. False: the
  // system refuses, for lack of memory.
  [[nodiscard]] bool watch(int descriptor, Watcher& watcher);
  // From now on tells of room to write too; at once, if there is.
  void watch_room(int descriptor, Watcher& watcher);

  // Waits until something is ready, or only looks; tells the watchers. Hot, once a
  // round for all that is ready: guarded by bench/server.
  void wait(Wait wait);

 private:
  static constexpr int kAtOnce = 256;

  Descriptor epoll_;
  std::array<epoll_event, kAtOnce> events_;
};

}  // namespace larder
