#include "demo/stop_on_signal.hpp"

#include <pthread.h>

namespace larder::demo {
namespace {

// What the destructor wakes the watcher with.
constexpr int kWake = SIGUSR1;

sigset_t watched() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, kWake}) sigaddset(&signals, signal);
  return signals;
}

}  // namespace

StopOnSignal::StopOnSignal() {
  const sigset_t signals = watched();
  ::pthread_sigmask(SIG_BLOCK, &signals, &before_);
  watcher_ = std::jthread{[source = source_, signals]() mutable {
    int signal = 0;
    while (::sigwait(&signals, &signal) != 0) {
    }
    source.request_stop();
  }};
}

StopOnSignal::~StopOnSignal() {
  ::pthread_kill(watcher_.native_handle(), kWake);
  watcher_.join();
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace larder::demo
