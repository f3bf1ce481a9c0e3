// One read of keys that one Memcached server has.
//
//   look      the cache's generation, and each key: what may be believed is the answer
//   acquire   what is not there becomes this reader's lease, if it is still not there; else
//             look again
//   wait      for a key of which another has the lease, by itself; then look again
//
// Threads: any. Held by shared_ptr by whoever is to call it next.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "larder/shared_copies.hpp"
#include "shared/item.hpp"
#include "shared/pool_server.hpp"

namespace larder::shared {

class PoolReading : public std::enable_shared_from_this<PoolReading> {
 public:
  struct Key {
    std::string name;  // in the tier
    bool anew = false;
  };

  PoolReading(std::shared_ptr<PoolServer> server, const std::string& cache,
              std::uint64_t fingerprint, std::vector<Key> keys, SharedCopies::Take take);

  void begin();
  // A key that waits: its lease may have ended.
  void look_again(std::size_t index);

 private:
  using Indices = std::vector<std::size_t>;
  using Answers = SharedCopies::Answers;

  struct Place {
    std::string name;
    std::string item;  // its name in Memcached
    bool anew;
    unsigned waits = 0;  // the key's own thread of control alone
    unsigned lost = 0;   // times that others were quicker
  };
  // What is to become this reader's lease.
  struct Wanted {
    std::size_t index;
    Item item;
    std::string token;
  };

  // `made`: the cache was given a generation just now.
  void look(Indices indices, bool made);
  void looked(Indices indices, bool made, Result<memcached::Replies> replies);
  // None: there is none where one is needed; it is seen to.
  [[nodiscard]] std::optional<Stamp> take_generation(Indices& indices, bool made,
                                                     const memcached::MetaReply& reply);
  void make_generation(Indices indices);
  void acquire(std::vector<Wanted> wanted, const Stamp& stamp);
  void acquired(const std::vector<Wanted>& wanted, const Stamp& stamp,
                const Result<memcached::Replies>& replies);
  void wait(std::size_t index);

  // What an item means for its reader; none: it needs another step.
  [[nodiscard]] std::optional<SharedAnswer> answer(const Place& place, const Item& item,
                                                   Found& found, const Stamp& stamp);
  [[nodiscard]] SharedAnswer lease(const Place& place, std::string token, const Stamp& stamp);
  [[nodiscard]] SharedAnswer pass(bool written = false);
  void pass_all(const Indices& indices);
  void give(Answers answers);

  const std::shared_ptr<PoolServer> server_;
  const std::string generation_;  // where it stands
  const std::uint64_t fingerprint_;
  const TimePoint begun_;
  std::vector<Place> keys_;
  SharedCopies::Take take_;
  PoolServer::Trust trust_{};  // with which it looked first
};

}  // namespace larder::shared
