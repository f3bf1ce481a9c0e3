// LIRS: S. Jiang, X. Zhang, "LIRS: an Efficient Low Inter-reference Recency Set
// Replacement Policy", SIGMETRICS 2002; weighed in bytes, with a twentieth of the
// capacity for newcomers and ghosts for twice the capacity.
#include <algorithm>

#include "simulate/key_list.hpp"
#include "simulate/policy.hpp"

namespace larder::simulate {

namespace {

class Lirs final : public Policy {
 public:
  explicit Lirs(const PolicyInput& input)
      : capacity_{input.capacity},
        low_capacity_{input.capacity - std::max<std::uint64_t>(input.capacity / 20, 1)},
        weights_(input.trace->keys),
        stack_links_{input.trace->keys},
        queue_links_{input.trace->keys},
        ghost_links_{input.trace->keys},
        state_(input.trace->keys, State::kNone),
        in_stack_(input.trace->keys),
        stack_{stack_links_, weights_},
        queue_{queue_links_, weights_},
        ghosts_{ghost_links_, weights_} {}

  bool access(const Access& access) override {
    const KeyId key = access.key;
    if (state_[key] == State::kLow) {
      stack_.remove(key);
      stack_.push(key);
      prune();
      return true;
    }
    if (state_[key] == State::kHigh) {
      queue_.remove(key);
      if (in_stack_[key]) {
        stack_.remove(key);
        promote(key);
      } else {
        to_stack(key);
        queue_.push(key);
      }
      return true;
    }
    if (access.bytes > capacity_) return false;
    miss(key, access.bytes);
    return false;
  }

 private:
  // Low and high inter-reference recency; a ghost is high and not resident.
  enum class State : std::uint8_t { kNone, kLow, kHigh, kGhost };

  void miss(KeyId key, std::uint64_t bytes) {
    const bool ghost = state_[key] == State::kGhost;
    if (ghost) forget(key);
    weights_[key] = bytes;
    while (low_ + queue_.weight() + bytes > capacity_) evict();
    if (ghost || low_ + bytes <= low_capacity_) {
      promote(key);
      return;
    }
    state_[key] = State::kHigh;
    to_stack(key);
    queue_.push(key);
  }

  void promote(KeyId key) {
    state_[key] = State::kLow;
    low_ += weights_[key];
    to_stack(key);
    while (low_ > low_capacity_) demote();
  }

  void demote() {
    prune();
    const KeyId key = stack_.pop();
    in_stack_[key] = false;
    state_[key] = State::kHigh;
    low_ -= weights_[key];
    queue_.push(key);
    prune();
  }

  void evict() {
    if (queue_.empty()) demote();
    const KeyId key = queue_.pop();
    if (!in_stack_[key]) {
      state_[key] = State::kNone;
      return;
    }
    state_[key] = State::kGhost;
    ghosts_.push(key);
    while (ghosts_.weight() > 2 * capacity_) forget(ghosts_.oldest());
  }

  // The stack's end is always one of low recency.
  void prune() {
    while (!stack_.empty() && state_[stack_.oldest()] != State::kLow) {
      const KeyId key = stack_.oldest();
      if (state_[key] == State::kGhost) {
        forget(key);
      } else {
        stack_.pop();
        in_stack_[key] = false;
      }
    }
  }

  void forget(KeyId ghost) {
    ghosts_.remove(ghost);
    stack_.remove(ghost);
    in_stack_[ghost] = false;
    state_[ghost] = State::kNone;
  }
  void to_stack(KeyId key) {
    stack_.push(key);
    in_stack_[key] = true;
  }

  const std::uint64_t capacity_;
  const std::uint64_t low_capacity_;
  std::vector<std::uint64_t> weights_;
  KeyLinks stack_links_;
  KeyLinks queue_links_;
  KeyLinks ghost_links_;
  std::vector<State> state_;
  std::vector<bool> in_stack_;
  KeyList stack_;
  KeyList queue_;
  KeyList ghosts_;
  std::uint64_t low_ = 0;  // weight of those of low recency
};

}  // namespace

std::unique_ptr<Policy> make_lirs(const PolicyInput& input) {
  return std::make_unique<Lirs>(input);
}

}  // namespace larder::simulate
