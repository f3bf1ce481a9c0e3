// Blocks that were taken out of the table and that readers may still see.
//
// They wait in the batch of the readers' phase in which they came; docs/decisions/
// reclamation.md says why they may be reused when a batch is handed out.
//
// Threads: none; the shard's mutex guards it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "larder/detail/memory/arena.hpp"
#include "larder/detail/memory/cache_line.hpp"
#include "larder/detail/memory/entry_block.hpp"
#include "larder/detail/memory/readers.hpp"

namespace larder::detail {

class Limbo {
 public:
  // Both must outlive it.
  Limbo(const Arena& arena, Readers& readers) : arena_{arena}, readers_{readers} {}

  // `bytes`: what is freed with the block.
  void add(Ref block, std::uint64_t bytes) {
    Batch& batch = batches_[readers_.batch()];
    Ref& first = batch.firsts[batch.blocks++ % kLists];
    older(block) = first;
    first = block;
    batch.bytes += bytes;
  }
  [[nodiscard]] bool empty() const { return batches_[0].blocks == 0 && batches_[1].blocks == 0; }
  // Of the batch that grows.
  [[nodiscard]] std::size_t blocks() const { return batches_[readers_.batch()].blocks; }
  [[nodiscard]] std::uint64_t bytes() const { return batches_[readers_.batch()].bytes; }

  // Of both.
  [[nodiscard]] std::uint64_t all_bytes() const { return batches_[0].bytes + batches_[1].bytes; }

  // Gives discard(block) what the readers who are gone kept here; false: all of it is kept yet.
  template <class Discard>
  bool reclaim(Discard&& discard) {
    if (empty()) return true;
    const Readers::Gone gone = readers_.gone();
    if (gone == Readers::Gone::kNone) return false;
    give(batches_[readers_.batch() ^ 1U], discard);
    if (gone == Readers::Gone::kAll) {
      give(batches_[readers_.batch()], discard);
    } else {
      readers_.change();
    }
    return true;
  }
  // Gives it all, once the readers that are inside now are gone.
  template <class Discard>
  void drain(Discard&& discard) {
    while (!empty()) {
      if (!reclaim(discard)) std::this_thread::yield();
    }
  }

 private:
  static constexpr std::size_t kLists = 4;

  // Blocks that were taken out in one phase of the readers, in lists by turns: so what comes
  // next in a list is being fetched while those of the others are let go.
  struct Batch {
    std::array<Ref, kLists> firsts{};  // linked by `older`
    std::size_t blocks = 0;
    std::uint64_t bytes = 0;
  };

  template <class Discard>
  void give(Batch& batch, Discard&& discard) {
    while (batch.blocks > 0) {
      Ref& first = batch.firsts[--batch.blocks % kLists];
      const Ref block = first;
      first = older(block);
      fetch_to_write(arena_.at(first));
      discard(block);
    }
    batch = {};
  }
  [[nodiscard]] Ref& older(Ref block) const {
    return reinterpret_cast<EntryHead*>(arena_.at(block))->older;
  }

  const Arena& arena_;
  Readers& readers_;
  std::array<Batch, 2> batches_{};  // of either phase
};

}  // namespace larder::detail
