// The invalidations that a shared tier has not confirmed: kept until it has, and bounded.
// Past the bound, a cache's keys become one invalidation of the whole cache.
//
// Pure logic. Threads: none of its own and no lock.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace larder::shared {

class Undelivered {
 public:
  explicit Undelivered(std::size_t most_keys) : most_{most_keys} {}

  // What is to be told at a time.
  struct Batch {
    std::map<std::string, std::set<std::string>> keys;  // by cache
    std::set<std::string> whole;                        // caches
  };

  // `cache` is the name of the cache in the tier, `key` that of the key there.
  void add(const std::string& cache, std::string key) {
    if (whole_.contains(cache)) return;
    if (count_ >= most_) return add_whole(cache);
    if (keys_[cache].insert(std::move(key)).second) ++count_;
  }
  void add_whole(const std::string& cache) {
    const auto found = keys_.find(cache);
    if (found != keys_.end()) {
      count_ -= found->second.size();
      keys_.erase(found);
    }
    whole_.insert(cache);
  }
  void add(const Batch& batch) {
    for (const std::string& cache : batch.whole) add_whole(cache);
    for (const auto& [cache, keys] : batch.keys) {
      for (const std::string& key : keys) add(cache, key);
    }
  }

  [[nodiscard]] bool empty() const { return count_ == 0 && whole_.empty(); }
  [[nodiscard]] std::size_t size() const { return count_ + whole_.size(); }

  // All of it, which this then holds no more: whoever takes it tells it or adds it again.
  [[nodiscard]] Batch take() {
    count_ = 0;
    return {std::exchange(keys_, {}), std::exchange(whole_, {})};
  }

 private:
  std::size_t most_;
  std::size_t count_ = 0;  // of keys_
  std::map<std::string, std::set<std::string>> keys_;
  std::set<std::string> whole_;
};

}  // namespace larder::shared
