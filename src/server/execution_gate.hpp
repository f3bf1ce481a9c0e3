// Lets one thread's command run while no other thread runs any: what makes EXEC
// and MSET one step for every other client.
//
// Each thread is inside the gate while it carries out a batch of commands. A
// command that must be alone waits until the others have left, and keeps them
// out. Threads meet nowhere else: entering writes a cache line of the thread's
// own and reads one that only such commands write. docs/decisions/transactions.md
// says why not otherwise.
//
// Threads: any; each index belongs to one thread. Never blocks for longer than
// the others' batches and lonely commands last.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

namespace larder {

class ExecutionGate {
 public:
  explicit ExecutionGate(std::size_t threads) : inside_(threads) {}

  // Hot, once a batch: guarded by bench/server.
  void enter(std::size_t thread) {
    std::atomic<bool>& inside = inside_[thread].flag;
    for (;;) {
      // In one order for all: either the lonely one sees us, or we see it.
      inside.store(true, std::memory_order_seq_cst);
      if (!taken_.load(std::memory_order_seq_cst)) return;
      leave(thread);
      taken_.wait(true);
    }
  }
  void leave(std::size_t thread) {
    std::atomic<bool>& inside = inside_[thread].flag;
    inside.store(false, std::memory_order_seq_cst);
    if (taken_.load(std::memory_order_seq_cst)) inside.notify_all();
  }

  // Runs `work` alone. REQUIRES: `thread` is inside, and the caller's; it is
  // inside again afterwards. `work` does not throw and does not call the gate.
  template <class Work>
  void alone(std::size_t thread, Work&& work) {
    leave(thread);
    exclude(std::forward<Work>(work));
    enter(thread);
  }

  // The same for a thread that has no index, and so is never inside.
  template <class Work>
  void exclude(Work&& work) {
    while (taken_.exchange(true, std::memory_order_seq_cst)) taken_.wait(true);
    for (Inside& other : inside_) {
      while (other.flag.load(std::memory_order_seq_cst)) other.flag.wait(true);
    }
    std::forward<Work>(work)();
    taken_.store(false, std::memory_order_seq_cst);
    taken_.notify_all();
  }

  // Inside for a scope.
  class Turn {
   public:
    Turn(ExecutionGate& gate, std::size_t thread) : gate_{gate}, thread_{thread} {
      gate_.enter(thread_);
    }
    ~Turn() { gate_.leave(thread_); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    ExecutionGate& gate_;
    const std::size_t thread_;
  };

 private:
  struct alignas(64) Inside {
    std::atomic<bool> flag{false};
  };

  std::vector<Inside> inside_;  // never resized
  alignas(64) std::atomic<bool> taken_{false};
};

}  // namespace larder
