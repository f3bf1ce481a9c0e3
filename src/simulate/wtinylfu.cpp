// W-TinyLFU with an adaptive window, as in Caffeine: G. Einziger et al., "TinyLFU:
// a Highly Efficient Cache Admission Policy", TOS 2017, and "Adaptive Software
// Cache Management", Middleware 2018.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "simulate/key_list.hpp"
#include "simulate/policy.hpp"

namespace larder::simulate {

namespace {

// Counts to fifteen, approximately; all counts are halved now and then.
class FrequencySketch {
 public:
  explicit FrequencySketch(std::uint64_t entries)
      : mask_{std::bit_ceil(std::max<std::uint64_t>(entries, 16)) - 1},
        sample_{10 * std::max<std::uint64_t>(entries, 16)},
        counts_(4 * (mask_ + 1)) {}

  void add(KeyId key) {
    bool counted = false;
    for (unsigned row = 0; row < kRows; ++row) {
      std::uint8_t& count = counts_[index(key, row)];
      if (count == kMost) continue;
      ++count;
      counted = true;
    }
    if (counted && ++added_ >= sample_) halve();
  }
  [[nodiscard]] unsigned count(KeyId key) const {
    unsigned least = kMost;
    for (unsigned row = 0; row < kRows; ++row) {
      least = std::min<unsigned>(least, counts_[index(key, row)]);
    }
    return least;
  }

 private:
  static constexpr unsigned kRows = 4;
  static constexpr std::uint8_t kMost = 15;
  static constexpr std::array<std::uint64_t, kRows> kSeeds{0xC3A5C85C97CB3127, 0xB492B66FBE98F273,
                                                           0x9AE16A3B2F90404F, 0xCBF29CE484222325};

  [[nodiscard]] std::size_t index(KeyId key, unsigned row) const {
    const std::uint64_t hash = (key + std::uint64_t{1}) * kSeeds[row];
    return row * (mask_ + 1) + ((hash + (hash >> 32)) & mask_);
  }
  void halve() {
    for (std::uint8_t& count : counts_) count = static_cast<std::uint8_t>(count / 2);
    added_ /= 2;
  }

  const std::uint64_t mask_;
  const std::uint64_t sample_;
  std::uint64_t added_ = 0;
  std::vector<std::uint8_t> counts_;
};

class WTinyLfu final : public Policy {
 public:
  explicit WTinyLfu(const PolicyInput& input)
      : capacity_{input.capacity},
        entries_{entries_of(input)},
        weights_(input.trace->keys),
        links_{input.trace->keys},
        place_(input.trace->keys, Place::kNone),
        sketch_{entries_},
        window_{links_, weights_},
        probation_{links_, weights_},
        protected_{links_, weights_} {
    window_share_ = kFirstWindow * static_cast<double>(capacity_);
    step_ = -kStep * static_cast<double>(capacity_);
  }

  bool access(const Access& access) override {
    const KeyId key = access.key;
    sketch_.add(key);
    const bool hit = place_[key] != Place::kNone;
    if (hit) {
      touch(key);
    } else if (access.bytes <= capacity_) {
      weights_[key] = access.bytes;
      enter(key, Place::kWindow);
      while (window_.weight() > window_capacity()) settle(window_.pop());
    }
    climb(hit);
    return hit;
  }

 private:
  enum class Place : std::uint8_t { kNone, kWindow, kProbation, kProtected };
  static constexpr double kFirstWindow = 0.01;
  static constexpr double kProtectedShare = 0.8;
  static constexpr double kStep = 0.0625;
  static constexpr double kStepDecay = 0.98;
  static constexpr double kRestart = 0.05;  // change of the hit ratio

  // How many entries there is room for, about.
  static std::uint64_t entries_of(const PolicyInput& input) {
    const std::uint64_t mean = std::max<std::uint64_t>(
        input.trace->total_bytes / std::max<std::uint64_t>(input.trace->keys, 1), 1);
    return std::max<std::uint64_t>(input.capacity / mean, 1);
  }

  [[nodiscard]] KeyList& list(Place place) {
    if (place == Place::kWindow) return window_;
    return place == Place::kProbation ? probation_ : protected_;
  }
  [[nodiscard]] std::uint64_t window_capacity() const {
    return std::max<std::uint64_t>(static_cast<std::uint64_t>(window_share_), 1);
  }
  [[nodiscard]] std::uint64_t main_capacity() const {
    return capacity_ - std::min(window_capacity(), capacity_);
  }
  void enter(KeyId key, Place place) {
    place_[key] = place;
    list(place).push(key);
  }
  void leave(KeyId key) {
    list(place_[key]).remove(key);
    place_[key] = Place::kNone;
  }

  void touch(KeyId key) {
    const Place place = place_[key];
    leave(key);
    enter(key, place == Place::kProbation ? Place::kProtected : place);
    while (static_cast<double>(protected_.weight()) >
           kProtectedShare * static_cast<double>(main_capacity())) {
      enter(protected_.pop(), Place::kProbation);
    }
  }

  // What leaves the window stays if it is asked for more often than what it displaces.
  void settle(KeyId candidate) {
    place_[candidate] = Place::kNone;
    if (weights_[candidate] > main_capacity()) return;
    while (probation_.weight() + protected_.weight() + weights_[candidate] > main_capacity()) {
      const KeyId victim = probation_.empty() ? protected_.oldest() : probation_.oldest();
      if (sketch_.count(candidate) <= sketch_.count(victim)) return;
      leave(victim);
    }
    enter(candidate, Place::kProbation);
  }

  // Hill climbing: on while the hit ratio rises, back when it falls.
  void climb(bool hit) {
    hits_ += hit ? 1 : 0;
    if (++accesses_ < 10 * entries_) return;
    const double ratio = static_cast<double>(hits_) / static_cast<double>(accesses_);
    const double change = ratio - last_ratio_;
    const auto capacity = static_cast<double>(capacity_);
    const double amount = change >= 0 ? step_ : -step_;
    step_ = std::abs(change) >= kRestart ? std::copysign(kStep * capacity, amount)
                                         : kStepDecay * amount;
    window_share_ = std::clamp(window_share_ + amount, 1.0, std::max(1.0, 0.8 * capacity));
    last_ratio_ = ratio;
    hits_ = accesses_ = 0;
    while (window_.weight() > window_capacity()) settle(window_.pop());
    while (probation_.weight() + protected_.weight() > main_capacity()) {
      leave(probation_.empty() ? protected_.oldest() : probation_.oldest());
    }
  }

  const std::uint64_t capacity_;
  const std::uint64_t entries_;
  std::vector<std::uint64_t> weights_;
  KeyLinks links_;
  std::vector<Place> place_;
  FrequencySketch sketch_;
  KeyList window_;
  KeyList probation_;
  KeyList protected_;
  double window_share_ = 0;
  double step_ = 0;
  double last_ratio_ = 0;
  std::uint64_t hits_ = 0;
  std::uint64_t accesses_ = 0;
};

}  // namespace

std::unique_ptr<Policy> make_wtinylfu(const PolicyInput& input) {
  return std::make_unique<WTinyLfu>(input);
}

}  // namespace larder::simulate
