// SIEVE: Y. Zhang et al., "SIEVE is Simpler than LRU", NSDI 2024.
#include "simulate/key_list.hpp"
#include "simulate/policy.hpp"

namespace larder::simulate {

namespace {

class Sieve final : public Policy {
 public:
  explicit Sieve(const PolicyInput& input)
      : capacity_{input.capacity},
        weights_(input.trace->keys),
        links_{input.trace->keys},
        here_(input.trace->keys),
        visited_(input.trace->keys),
        list_{links_, weights_} {}

  bool access(const Access& access) override {
    const KeyId key = access.key;
    if (here_[key]) {
      visited_[key] = true;
      return true;
    }
    if (access.bytes > capacity_) return false;
    while (list_.weight() + access.bytes > capacity_) evict();
    weights_[key] = access.bytes;
    here_[key] = true;
    visited_[key] = false;
    list_.push(key);
    return false;
  }

 private:
  void evict() {
    for (;;) {
      if (hand_ == kNoKey) hand_ = list_.oldest();
      const KeyId key = hand_;
      hand_ = list_.newer(key);
      if (!visited_[key]) {
        here_[key] = false;
        list_.remove(key);
        return;
      }
      visited_[key] = false;
    }
  }

  const std::uint64_t capacity_;
  std::vector<std::uint64_t> weights_;
  KeyLinks links_;
  std::vector<bool> here_;
  std::vector<bool> visited_;
  KeyList list_;
  KeyId hand_ = kNoKey;
};

}  // namespace

std::unique_ptr<Policy> make_sieve(const PolicyInput& input) {
  return std::make_unique<Sieve>(input);
}

}  // namespace larder::simulate
