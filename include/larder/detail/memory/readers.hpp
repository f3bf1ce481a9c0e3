// Lets readers look at blocks without a lock, and tells when a block that was
// taken out of their sight may be reused: two phases of readers, as in SRCU.
//
// A reader counts itself into the current phase, and out of the same one when
// it is done. The writer keeps what it takes out in the batch of the current
// phase. When nobody is left in the other phase, whoever could see that phase's
// batch is gone: the batch is reused, and the phases change places. When nobody is
// inside at all, both are. Readers never wait for the writer; the writer waits for
// readers only where it says so.
//
// Each thread counts in a cache line of its own, by plain loads and stores: a
// read costs no atomic read-modify-write and no barrier, so that the cache misses
// of one read overlap with those of the next. It is the writer that makes every
// running thread pass a barrier (Linux's membarrier(2)) before it looks at the
// counts. Threads beyond the number of lines, and all of them on systems without
// membarrier, count in shared lines with sequential consistency. The proof stands
// in docs/decisions/reclamation.md.
//
// Threads: enter() by any; the rest by who holds the mutex of the shard.
//
// Source: P. McKenney, "Sleepable RCU", LWN 2006; M. Desnoyers et al.,
// "User-Level Implementations of Read-Copy Update", TPDS 2012 (the barrier).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "larder/detail/memory/cache_line.hpp"

namespace larder::detail {

// Which line the calling thread counts in: one of the first kOwnLines, which no
// other running thread has, or one of the kSharedLines behind them.
inline constexpr unsigned kOwnLines = 64;
inline constexpr unsigned kSharedLines = 16;
// A thread has none before it first reads.
inline constexpr unsigned kNoLine = ~0U;
inline thread_local constinit unsigned reader_line = kNoLine;

class Readers {
  using Count = std::atomic<std::uint32_t>;
  struct alignas(kCacheLine) Line {
    std::array<Count, 2> inside{};
  };

 public:
  // A reader that is inside, until it is destroyed.
  class [[nodiscard]] Section {
   public:
    explicit Section(Count& count) : count_{count} {}
    ~Section() {
      if (reader_line >= kOwnLines) [[unlikely]] {
        count_.fetch_sub(1, std::memory_order_release);
      } else {
        count_.store(count_.load(std::memory_order_relaxed) - 1, std::memory_order_release);
      }
    }
    Section(const Section&) = delete;
    Section& operator=(const Section&) = delete;

   private:
    Count& count_;
  };

  // The same for a thread that has a line of its own: in fewer instructions.
  class [[nodiscard]] OwnSection {
   public:
    explicit OwnSection(Count& count) : count_{count} {
      count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
      // The processor may still let what follows overtake the store; the writer's
      // barrier deals with that. The compiler may not.
      asm volatile("" ::: "memory");
    }
    ~OwnSection() {
      count_.store(count_.load(std::memory_order_relaxed) - 1, std::memory_order_release);
    }
    OwnSection(const OwnSection&) = delete;
    OwnSection& operator=(const OwnSection&) = delete;

   private:
    Count& count_;
  };

  // Whether the calling thread has a line of its own. It gets one when it first enters.
  [[nodiscard]] static bool owns_line() { return reader_line < kOwnLines; }
  // REQUIRES: owns_line().
  OwnSection enter_own() {
    return OwnSection{lines_[reader_line].inside[phase_.load(std::memory_order_acquire)]};
  }

  Section enter() {
    unsigned line = reader_line;
    if (line >= kOwnLines) [[unlikely]]
      line = take_line();
    Count& count = lines_[line].inside[phase_.load(std::memory_order_acquire)];
    if (line >= kOwnLines) [[unlikely]] {
      count.fetch_add(1, std::memory_order_seq_cst);
    } else {
      count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_release);
      // The processor may still let what follows overtake the store; the writer's
      // barrier deals with that. The compiler may not.
      asm volatile("" ::: "memory");
    }
    return Section{count};
  }

  // Which batch to keep what is taken out now in: 0 or 1.
  [[nodiscard]] unsigned batch() const { return phase_.load(std::memory_order_relaxed); }
  // Whose readers are gone, so that nobody can see any more what went into a batch before
  // this call. One barrier at most.
  enum class Gone : std::uint8_t {
    kNone,
    kOther,  // the other batch's
    kAll,    // both batches'
  };
  [[nodiscard]] Gone gone();
  // How many barriers there were.
  [[nodiscard]] std::uint64_t barriers() const { return barriers_; }
  // The phases change places. REQUIRES: gone() just said more than kNone; the other batch is
  // empty.
  void change() { phase_.store(batch() ^ 1U, std::memory_order_seq_cst); }

 private:
  // The calling thread's line, which it gets if it has none.
  static unsigned take_line();
  [[nodiscard]] bool nobody_in(unsigned phase) const;

  std::array<Line, kOwnLines + kSharedLines> lines_{};
  alignas(kCacheLine) std::atomic<unsigned> phase_{0};
  alignas(kCacheLine) std::uint64_t barriers_ = 0;
};

}  // namespace larder::detail
