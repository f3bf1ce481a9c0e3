// One read of the shared tier, from the first round trip until each key has its answer.
//
//   look        the cache's generation (of each bucket that there is), and PTTL and GET of
//               each key, together
//   acquire     a script for each key that had nothing to be believed, together
//   wait        a key on which another has the lease, by itself; then acquire again
//
// Threads: any. Held by shared_ptr by whoever is to call it next.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "larder/shared_copies.hpp"
#include "larder/thread_annotations.hpp"
#include "shared/redis_tier.hpp"

namespace larder::shared {

class Reading : public std::enable_shared_from_this<Reading> {
 public:
  struct Key {
    std::string name;        // in the tier
    std::string generation;  // where that of its cache stands
    bool anew = false;
  };

  Reading(std::shared_ptr<RedisTier> tier, std::uint64_t fingerprint, std::vector<Key> keys,
          SharedCopies::Take take);

  void begin();
  // A key that waits: its lease may have ended.
  void look_again(std::size_t index);

  [[nodiscard]] const std::string& key(std::size_t index) const { return keys_[index].name; }

 private:
  using Indices = std::vector<std::size_t>;
  using Answers = SharedCopies::Answers;

  struct Place {
    std::string name;
    std::size_t generation;  // of generations_
    bool anew;
    unsigned looks = 0;  // of one that waits; its thread of control alone
  };

  struct Generation {
    std::string key;
    Stamp stamp{};
  };

  [[nodiscard]] std::size_t generation_at(std::string key);
  void look(bool first);
  void looked(bool first, Result<redis::Replies> replies);
  [[nodiscard]] bool believed() const;
  // False: there is none where one is needed; it is seen to.
  [[nodiscard]] bool take_generations(bool first, const redis::Replies& replies);
  void make_generations(const Indices& missing);
  void acquire(const Indices& indices, Want want);
  void acquired(const Indices& indices, const std::vector<std::string>& tokens,
                Result<redis::Replies> replies);
  void wait(std::size_t index, Duration left);

  // What a key's state means for its reader; none: it needs another step.
  [[nodiscard]] std::optional<SharedAnswer> answer(const Place& place, Found& found);
  [[nodiscard]] static SharedAnswer pass();
  void pass_all();
  void give(Answers answers);

  const std::shared_ptr<RedisTier> tier_;
  const std::uint64_t fingerprint_;
  const TimePoint begun_;
  std::vector<Generation> generations_;
  std::vector<Place> keys_;
  SharedCopies::Take take_;
  redis::Session session_{};  // with which it looked first
};

}  // namespace larder::shared
