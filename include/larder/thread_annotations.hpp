// Which lock guards what, said so that clang checks it (-Wthread-safety).
//
// The only macros of larder: attributes cannot be spelt otherwise. With another
// compiler they are nothing.
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define LARDER_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define LARDER_THREAD_ANNOTATION(x)
#endif

#define LARDER_CAPABILITY(x) LARDER_THREAD_ANNOTATION(capability(x))
#define LARDER_SCOPED_CAPABILITY LARDER_THREAD_ANNOTATION(scoped_lockable)
#define LARDER_GUARDED_BY(x) LARDER_THREAD_ANNOTATION(guarded_by(x))
#define LARDER_REQUIRES(...) LARDER_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define LARDER_EXCLUDES(...) LARDER_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define LARDER_ACQUIRE(...) LARDER_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define LARDER_RELEASE(...) LARDER_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define LARDER_ASSERT_HELD(...) LARDER_THREAD_ANNOTATION(assert_capability(__VA_ARGS__))
#define LARDER_TRY_ACQUIRE(...) LARDER_THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))

namespace larder {

// std::mutex, with the annotations that libstdc++ lacks.
class LARDER_CAPABILITY("mutex") Mutex {
 public:
  void lock() LARDER_ACQUIRE() { mutex_.lock(); }
  void unlock() LARDER_RELEASE() { mutex_.unlock(); }
  bool try_lock() LARDER_TRY_ACQUIRE(true) { return mutex_.try_lock(); }
  // Tells the analysis what it cannot see: that who calls this lambda holds the lock.
  void assert_held() const LARDER_ASSERT_HELD() {}

 private:
  std::mutex mutex_;
};

// Holds a Mutex for a scope.
class LARDER_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) LARDER_ACQUIRE(mutex) : mutex_{mutex} { mutex_.lock(); }
  ~MutexLock() LARDER_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits on a Mutex: `while (!ready_) condition.wait(mutex)`, with the lock held.
using Condition = std::condition_variable_any;

}  // namespace larder
