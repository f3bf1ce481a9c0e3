// ARC: N. Megiddo, D. Modha, "ARC: a Self-Tuning, Low Overhead Replacement
// Cache", FAST 2003; weighed in bytes.
#include <algorithm>

#include "simulate/key_list.hpp"
#include "simulate/policy.hpp"

namespace larder::simulate {

namespace {

class Arc final : public Policy {
 public:
  explicit Arc(const PolicyInput& input)
      : capacity_{input.capacity},
        weights_(input.trace->keys),
        links_{input.trace->keys},
        place_(input.trace->keys, Place::kNone),
        recent_{links_, weights_},
        frequent_{links_, weights_},
        recent_ghosts_{links_, weights_},
        frequent_ghosts_{links_, weights_} {}

  bool access(const Access& access) override {
    const KeyId key = access.key;
    switch (place_[key]) {
      case Place::kRecent:
        recent_.remove(key);
        keep(key);
        return true;
      case Place::kFrequent:
        frequent_.remove(key);
        keep(key);
        return true;
      case Place::kRecentGhost: meet_recent_ghost(key); return false;
      case Place::kFrequentGhost: meet_frequent_ghost(key); return false;
      case Place::kNone: break;
    }
    if (access.bytes > capacity_) return false;
    weights_[key] = access.bytes;
    make_room(key);
    place_[key] = Place::kRecent;
    recent_.push(key);
    return false;
  }

 private:
  enum class Place : std::uint8_t { kNone, kRecent, kFrequent, kRecentGhost, kFrequentGhost };

  void keep(KeyId key) {
    place_[key] = Place::kFrequent;
    frequent_.push(key);
  }

  void meet_recent_ghost(KeyId key) {
    const double ratio = share(frequent_ghosts_.weight(), recent_ghosts_.weight());
    target_ = std::min(target_ + ratio * weight(key), static_cast<double>(capacity_));
    recent_ghosts_.remove(key);
    replace(key, false);
    keep(key);
  }
  void meet_frequent_ghost(KeyId key) {
    const double ratio = share(recent_ghosts_.weight(), frequent_ghosts_.weight());
    target_ = std::max(target_ - ratio * weight(key), 0.0);
    frequent_ghosts_.remove(key);
    replace(key, true);
    keep(key);
  }

  void make_room(KeyId key) {
    while (recent_.weight() + recent_ghosts_.weight() + weights_[key] > capacity_ &&
           !recent_ghosts_.empty()) {
      place_[recent_ghosts_.pop()] = Place::kNone;
    }
    while (recent_.weight() + frequent_.weight() + recent_ghosts_.weight() +
                   frequent_ghosts_.weight() + weights_[key] >
               2 * capacity_ &&
           !frequent_ghosts_.empty()) {
      place_[frequent_ghosts_.pop()] = Place::kNone;
    }
    replace(key, false);
  }

  // Evicts until `key`, which is in no list, has room.
  void replace(KeyId key, bool was_frequent) {
    while (recent_.weight() + frequent_.weight() + weights_[key] > capacity_) {
      const auto recent = static_cast<double>(recent_.weight());
      const bool from_recent = !recent_.empty() && (frequent_.empty() || recent > target_ ||
                                                    (was_frequent && recent >= target_));
      const KeyId victim = (from_recent ? recent_ : frequent_).pop();
      place_[victim] = from_recent ? Place::kRecentGhost : Place::kFrequentGhost;
      (from_recent ? recent_ghosts_ : frequent_ghosts_).push(victim);
    }
  }

  [[nodiscard]] double weight(KeyId key) const { return static_cast<double>(weights_[key]); }
  static double share(std::uint64_t a, std::uint64_t b) {
    return std::max(1.0,
                    static_cast<double>(a) / static_cast<double>(std::max<std::uint64_t>(b, 1)));
  }

  const std::uint64_t capacity_;
  std::vector<std::uint64_t> weights_;
  KeyLinks links_;
  std::vector<Place> place_;
  KeyList recent_;
  KeyList frequent_;
  KeyList recent_ghosts_;
  KeyList frequent_ghosts_;
  double target_ = 0;  // of recent_
};

}  // namespace

std::unique_ptr<Policy> make_arc(const PolicyInput& input) { return std::make_unique<Arc>(input); }

}  // namespace larder::simulate
