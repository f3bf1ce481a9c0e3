// Keys in order, weighed: the queue that the policies are made of.
//
// Several lists share one KeyLinks, as long as a key is in at most one of them.
//
// Threads: none.
#pragma once

#include <cstdint>
#include <vector>

#include "simulate/trace.hpp"

namespace larder::simulate {

inline constexpr KeyId kNoKey = ~KeyId{0};

struct KeyLinks {
  explicit KeyLinks(std::uint64_t keys) : older(keys, kNoKey), newer(keys, kNoKey) {}
  std::vector<KeyId> older;
  std::vector<KeyId> newer;
};

class KeyList {
 public:
  // `links` and `weights`, by key, must outlive the list.
  KeyList(KeyLinks& links, const std::vector<std::uint64_t>& weights)
      : links_{&links}, weights_{&weights} {}

  void push(KeyId key) {
    links_->older[key] = newest_;
    links_->newer[key] = kNoKey;
    (newest_ != kNoKey ? links_->newer[newest_] : oldest_) = key;
    newest_ = key;
    weight_ += (*weights_)[key];
  }
  void remove(KeyId key) {
    const KeyId older = links_->older[key];
    const KeyId newer = links_->newer[key];
    (older != kNoKey ? links_->newer[older] : oldest_) = newer;
    (newer != kNoKey ? links_->older[newer] : newest_) = older;
    weight_ -= (*weights_)[key];
  }
  // REQUIRES: not empty.
  KeyId pop() {
    const KeyId key = oldest_;
    remove(key);
    return key;
  }
  [[nodiscard]] bool empty() const { return oldest_ == kNoKey; }
  [[nodiscard]] KeyId oldest() const { return oldest_; }
  [[nodiscard]] KeyId newer(KeyId key) const { return links_->newer[key]; }
  [[nodiscard]] std::uint64_t weight() const { return weight_; }

 private:
  KeyLinks* links_;
  const std::vector<std::uint64_t>* weights_;
  KeyId oldest_ = kNoKey;
  KeyId newest_ = kNoKey;
  std::uint64_t weight_ = 0;
};

}  // namespace larder::simulate
