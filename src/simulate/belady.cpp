// Belady's optimum: evicts what is needed last. It knows the future, so it bounds
// what any policy can reach; with objects of different sizes, nearly.
#include <queue>
#include <utility>

#include "simulate/key_list.hpp"
#include "simulate/policy.hpp"

namespace larder::simulate {

namespace {

class Belady final : public Policy {
 public:
  explicit Belady(const PolicyInput& input)
      : capacity_{input.capacity},
        next_(input.trace->accesses.size(), kNever),
        weights_(input.trace->keys),
        next_of_(input.trace->keys, kNever),
        here_(input.trace->keys) {
    std::vector<std::uint64_t> seen(input.trace->keys, kNever);
    for (std::size_t i = next_.size(); i-- > 0;) {
      const KeyId key = input.trace->accesses[i].key;
      next_[i] = std::exchange(seen[key], i);
    }
  }

  bool access(const Access& access) override {
    const KeyId key = access.key;
    const std::uint64_t next = next_[position_++];
    const bool hit = here_[key];
    next_of_[key] = next;
    if (!hit) {
      if (access.bytes > capacity_ || next == kNever) return false;
      here_[key] = true;
      weights_[key] = access.bytes;
      used_ += access.bytes;
    }
    by_need_.emplace(next, key);
    while (used_ > capacity_) evict();
    return hit;
  }

 private:
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  void evict() {
    const auto [next, key] = by_need_.top();
    by_need_.pop();
    if (!here_[key] || next_of_[key] != next) return;  // was accessed since
    here_[key] = false;
    used_ -= weights_[key];
  }

  const std::uint64_t capacity_;
  std::vector<std::uint64_t> next_;  // by access: the next one of its key
  std::vector<std::uint64_t> weights_;
  std::vector<std::uint64_t> next_of_;
  std::vector<bool> here_;
  std::priority_queue<std::pair<std::uint64_t, KeyId>> by_need_;
  std::size_t position_ = 0;
  std::uint64_t used_ = 0;
};

}  // namespace

std::unique_ptr<Policy> make_belady(const PolicyInput& input) {
  return std::make_unique<Belady>(input);
}

}  // namespace larder::simulate
