// S3-FIFO: Y. Yang et al., "FIFO Queues are All You Need for Cache Eviction",
// SOSP 2023. A tenth of the capacity for newcomers, ghosts for as much as it holds.
#include <algorithm>

#include "simulate/key_list.hpp"
#include "simulate/policy.hpp"

namespace larder::simulate {

namespace {

class S3Fifo final : public Policy {
 public:
  explicit S3Fifo(const PolicyInput& input)
      : capacity_{input.capacity},
        small_capacity_{std::max<std::uint64_t>(input.capacity / 10, 1)},
        weights_(input.trace->keys),
        links_{input.trace->keys},
        place_(input.trace->keys, Place::kNone),
        uses_(input.trace->keys),
        small_{links_, weights_},
        main_{links_, weights_},
        ghosts_{links_, weights_} {}

  bool access(const Access& access) override {
    const KeyId key = access.key;
    if (place_[key] == Place::kSmall || place_[key] == Place::kMain) {
      uses_[key] = std::min(uses_[key] + 1U, kMostUses);
      return true;
    }
    if (access.bytes > capacity_) return false;
    const bool ghost = place_[key] == Place::kGhost;
    if (ghost) ghosts_.remove(key);
    place_[key] = Place::kNone;
    while (small_.weight() + main_.weight() + access.bytes > capacity_) evict();
    weights_[key] = access.bytes;
    uses_[key] = 0;
    enter(key, ghost ? Place::kMain : Place::kSmall);
    return false;
  }

 private:
  enum class Place : std::uint8_t { kNone, kSmall, kMain, kGhost };
  static constexpr unsigned kMostUses = 3;

  void enter(KeyId key, Place place) {
    place_[key] = place;
    (place == Place::kMain ? main_ : small_).push(key);
  }

  void evict() {
    if (small_.weight() >= small_capacity_ || main_.empty()) {
      while (!small_.empty()) {
        const KeyId key = small_.pop();
        if (uses_[key] <= 1) return haunt(key);
        uses_[key] = 0;
        enter(key, Place::kMain);
        if (main_.weight() > capacity_ - small_capacity_) break;
      }
    }
    for (;;) {
      const KeyId key = main_.pop();
      if (uses_[key] == 0) {
        place_[key] = Place::kNone;
        return;
      }
      --uses_[key];
      main_.push(key);
    }
  }

  void haunt(KeyId key) {
    place_[key] = Place::kGhost;
    ghosts_.push(key);
    while (ghosts_.weight() > capacity_) place_[ghosts_.pop()] = Place::kNone;
  }

  const std::uint64_t capacity_;
  const std::uint64_t small_capacity_;
  std::vector<std::uint64_t> weights_;
  KeyLinks links_;
  std::vector<Place> place_;
  std::vector<unsigned> uses_;
  KeyList small_;
  KeyList main_;
  KeyList ghosts_;
};

}  // namespace

std::unique_ptr<Policy> make_s3fifo(const PolicyInput& input) {
  return std::make_unique<S3Fifo>(input);
}

}  // namespace larder::simulate
