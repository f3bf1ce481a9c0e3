#include "larder/detail/memory/readers.hpp"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bit>

namespace larder::detail {

namespace {

long membarrier(int command) { return syscall(SYS_membarrier, command, 0U, 0); }

// Whether the process may use the barrier. It may register as often as it likes.
bool has_barrier() {
  static const bool registered = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
  return registered;
}

// Which lines running threads have, a bit each, and how many threads have shared
// ones. Process-wide, as threads are.
constinit std::atomic<std::uint64_t> lines_taken{0};
constinit std::atomic<unsigned> sharing{0};
static_assert(kOwnLines == 64);

// Gives a thread's line back when the thread ends.
class ReaderLine {
 public:
  ReaderLine() {
    std::uint64_t taken = lines_taken.load(std::memory_order_relaxed);
    while (has_barrier() && ~taken != 0) {
      line_ = static_cast<unsigned>(std::countr_one(taken));
      // Acquires what the line's last owner did with its counts.
      if (lines_taken.compare_exchange_weak(taken, taken | std::uint64_t{1} << line_,
                                            std::memory_order_acq_rel)) {
        return;
      }
    }
    line_ = kOwnLines + sharing.fetch_add(1, std::memory_order_relaxed) % kSharedLines;
  }
  ~ReaderLine() {
    if (line_ >= kOwnLines) return;
    lines_taken.fetch_and(~(std::uint64_t{1} << line_), std::memory_order_acq_rel);
  }
  ReaderLine(const ReaderLine&) = delete;
  ReaderLine& operator=(const ReaderLine&) = delete;

  [[nodiscard]] unsigned line() const { return line_; }

 private:
  unsigned line_ = 0;
};

}  // namespace

unsigned Readers::take_line() {
  thread_local const ReaderLine line;
  reader_line = line.line();
  return reader_line;
}

bool Readers::nobody_in(unsigned phase) const {
  for (unsigned line = 0; line < kOwnLines + kSharedLines; ++line) {
    if (lines_[line].inside[phase].load(std::memory_order_seq_cst) != 0) return false;
  }
  return true;
}

Readers::Gone Readers::gone() {
  const unsigned other = batch() ^ 1U;
  if (!nobody_in(other)) return Gone::kNone;  // who is plainly there needs no barrier to be seen
  ++barriers_;
  if (has_barrier()) {
    membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
  } else {
    // Readers' own barriers do, but for what this thread has just taken out: that must be
    // seen before the counts are looked at.
    phase_.fetch_add(0, std::memory_order_seq_cst);
  }
  if (!nobody_in(other)) return Gone::kNone;
  return nobody_in(batch()) ? Gone::kAll : Gone::kOther;
}

}  // namespace larder::detail
