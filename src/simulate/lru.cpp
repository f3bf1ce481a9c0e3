// Least recently used.
#include "simulate/key_list.hpp"
#include "simulate/policy.hpp"

namespace larder::simulate {

namespace {

class Lru final : public Policy {
 public:
  explicit Lru(const PolicyInput& input)
      : capacity_{input.capacity},
        weights_(input.trace->keys),
        links_{input.trace->keys},
        here_(input.trace->keys),
        list_{links_, weights_} {}

  bool access(const Access& access) override {
    const KeyId key = access.key;
    if (here_[key]) {
      list_.remove(key);
      list_.push(key);
      return true;
    }
    if (access.bytes > capacity_) return false;
    while (list_.weight() + access.bytes > capacity_) here_[list_.pop()] = false;
    weights_[key] = access.bytes;
    here_[key] = true;
    list_.push(key);
    return false;
  }

 private:
  const std::uint64_t capacity_;
  std::vector<std::uint64_t> weights_;
  KeyLinks links_;
  std::vector<bool> here_;
  KeyList list_;
};

}  // namespace

std::unique_ptr<Policy> make_lru(const PolicyInput& input) { return std::make_unique<Lru>(input); }

}  // namespace larder::simulate
