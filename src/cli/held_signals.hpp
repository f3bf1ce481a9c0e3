// Signals that end a process wait while this lives, and end it then: what it makes meanwhile is
// not left half made.
//
// Threads: of this thread alone, which is the only one to take them.
#pragma once

#include <signal.h>

namespace larder::cli {

class HeldSignals {
 public:
  HeldSignals() {
    sigset_t ends;
    ::sigemptyset(&ends);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::sigaddset(&ends, signal);
    ::pthread_sigmask(SIG_BLOCK, &ends, &before_);
  }
  ~HeldSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace larder::cli
