// The write markers of one cache in this process: which keys are being written, and
// whether what a writer brings may be kept.
//
// Who writes a key marks it first. While it is marked, nothing that is loaded for it is
// kept: nobody knows whether it was read before the commit or after. A writer that ends
// may leave its value if no other has had the mark with it, and nothing was invalidated
// meanwhile: of two writers nobody knows whose commit was the later one. A writer whose
// outcome is unknown leaves the mark behind until its commit can no longer land.
//
// The same rules as of the shared tier's write marker (docs/decisions/lease-protocol.md).
//
// Pure logic: no clock, no thread, no I/O.
//
// Threads: none; guarded by the lock that guards the flights.
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cassert>
#include <deque>
#include <utility>

#include "larder/clock.hpp"

namespace larder::detail {

template <class Key, class Hash, class Equal>
class WriteMarks {
 public:
  // A writer of `key` begins. It ends with exactly one finish() or leave().
  void mark(const Key& key, TimePoint now) {
    expire(now);
    const auto [found, first] = marks_.try_emplace(key);
    Mark& mark = found->second;
    ++mark.writers;
    mark.alone = first;
  }

  // It ended, and what it did to the source is known. Whether its value may be kept.
  [[nodiscard]] bool finish(const Key& key, TimePoint now) {
    const auto found = marks_.find(key);
    assert(found != marks_.end() && found->second.writers > 0);
    const bool alone = found->second.alone;
    end(found, now);
    return alone;
  }

  // It ended, and what it does to the source is not known before `until`. REQUIRES: `until`
  // never comes before that of an earlier leave().
  void leave(const Key& key, TimePoint until, TimePoint now) {
    const auto found = marks_.find(key);
    assert(found != marks_.end() && found->second.writers > 0);
    found->second.alone = false;
    found->second.until = until;
    left_.emplace_back(until, key);
    end(found, now);
  }

  // The truth of `key` changed by another hand than its writers'.
  template <class KeyLike>
  void contend(const KeyLike& key) {
    const auto found = marks_.find(key);
    if (found != marks_.end()) found->second.alone = false;
  }
  void contend_all() {
    for (auto& [key, mark] : marks_) mark.alone = false;
  }

  // Whether nothing may be kept of `key`.
  template <class KeyLike>
  [[nodiscard]] bool marked(const KeyLike& key, TimePoint now) const {
    if (marks_.empty()) return false;
    const auto found = marks_.find(key);
    return found != marks_.end() && (found->second.writers > 0 || now < found->second.until);
  }

  [[nodiscard]] std::size_t size() const { return marks_.size(); }

 private:
  struct Mark {
    unsigned writers = 0;  // at work
    bool alone = true;     // none but the one at work has had it, and nothing else happened
    TimePoint until = TimePoint::min();  // of those whose outcome is unknown
  };
  using Map = boost::unordered_flat_map<Key, Mark, Hash, Equal>;

  void end(typename Map::iterator found, TimePoint now) {
    Mark& mark = found->second;
    mark.alone = false;
    if (--mark.writers == 0 && mark.until <= now) marks_.erase(found);
  }

  // Marks that were left behind go, one for one, as others come.
  void expire(TimePoint now) {
    while (!left_.empty() && left_.front().first <= now) {
      const auto found = marks_.find(left_.front().second);
      if (found != marks_.end() && found->second.writers == 0 && found->second.until <= now) {
        marks_.erase(found);
      }
      left_.pop_front();
    }
  }

  Map marks_;
  std::deque<std::pair<TimePoint, Key>> left_;  // in the order of their time
};

}  // namespace larder::detail
