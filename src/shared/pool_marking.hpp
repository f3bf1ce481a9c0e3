// The marks of keys that are about to be written, which several servers may take.
//
// Threads: one until begin(), then any. Keeps itself alive until all are known.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "larder/shared_copies.hpp"
#include "larder/thread_annotations.hpp"
#include "shared/pool_server.hpp"

namespace larder::shared {

class PoolMarking : public std::enable_shared_from_this<PoolMarking> {
 public:
  // Each mark holds for `life`; `marked` is called once, when all are taken or known not to be.
  PoolMarking(std::string cache, Duration life, SharedCopies::Marked marked)
      : cache_{std::move(cache)}, life_{life}, marked_{std::move(marked)} {}

  // One more key, `name` as KeyNames has it.
  void add(const std::shared_ptr<PoolServer>& server, std::string name);
  void begin();

 private:
  // The generation is from before the write, so what is cleared during it is not kept.
  void mark(std::size_t index);
  void set(std::size_t index, const Result<Change::Kind>& outcome);
  void take_generation(std::size_t index, const Result<memcached::Replies>& replies)
      LARDER_EXCLUDES(mutex_);
  void known(std::size_t index, bool taken) LARDER_EXCLUDES(mutex_);
  void end() LARDER_EXCLUDES(mutex_);

  const std::string cache_;
  const Duration life_;
  SharedCopies::Marked marked_;                       // called once
  std::vector<std::shared_ptr<PoolServer>> servers_;  // by mark
  Mutex mutex_;
  std::vector<SharedMark> marks_ LARDER_GUARDED_BY(mutex_);
  std::size_t owed_ LARDER_GUARDED_BY(mutex_) = 1;  // and one for begin()
};

}  // namespace larder::shared
