// A mutex for what is held for less than a microsecond: who finds it taken tries
// again for a while before it sleeps.
//
// To sleep and be woken takes some microseconds, on a virtual machine whose idle
// processor is handed back tens of them. Two threads that fill a cache meet often,
// and each meeting would cost more than the work that the lock is held for.
//
// Threads: any.
#pragma once

#include "larder/thread_annotations.hpp"

namespace larder::detail {

class LARDER_CAPABILITY("mutex") ShortMutex {
 public:
  void lock() LARDER_ACQUIRE() {
    constexpr unsigned kTries = 200;  // some microseconds
    for (unsigned i = 0; i < kTries; ++i) {
      if (mutex_.try_lock()) return;
      pause();
    }
    mutex_.lock();
  }
  void unlock() LARDER_RELEASE() { mutex_.unlock(); }
  // Tells the analysis what it cannot see: that who calls this lambda holds the lock.
  void assert_held() const LARDER_ASSERT_HELD() {}

 private:
  // Leaves the core's resources to its other thread for a moment.
  static void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  std::mutex mutex_;
};

// Holds a ShortMutex for a scope.
class LARDER_SCOPED_CAPABILITY ShortLock {
 public:
  explicit ShortLock(ShortMutex& mutex) LARDER_ACQUIRE(mutex) : mutex_{mutex} { mutex_.lock(); }
  ~ShortLock() LARDER_RELEASE() { mutex_.unlock(); }
  ShortLock(const ShortLock&) = delete;
  ShortLock& operator=(const ShortLock&) = delete;

 private:
  ShortMutex& mutex_;
};

}  // namespace larder::detail
