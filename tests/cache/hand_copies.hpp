// A shared tier that does nothing until the test says so, and writes down what it is told.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "larder/shared_tier.hpp"

namespace larder::testing {

// One thread.
class HandCopies final : public SharedCopies {
 public:
  struct Pending {
    std::vector<Key> keys;
    Take take;
  };
  struct Filled {
    std::string key;
    std::optional<std::string> bytes;
    Duration lifetime;
    Duration cost;

    friend bool operator==(const Filled&, const Filled&) = default;
  };

  void read(std::vector<Key> keys, Take take) override {
    pending.push_back({std::move(keys), std::move(take)});
  }
  void fill(SharedLease lease, std::optional<std::string_view> bytes, Duration lifetime,
            Duration cost) override {
    filled.push_back(
        {lease.key, bytes ? std::optional<std::string>{*bytes} : std::nullopt, lifetime, cost});
  }
  void fail(SharedLease lease, const Error& error) override {
    failed.emplace_back(lease.key, error.message);
  }
  void release(SharedLease lease) override { released.push_back(lease.key); }
  void invalidate(std::string_view key) override { invalidated.emplace_back(key); }
  void clear() override { ++clears; }
  void listen(std::weak_ptr<SharedListener>) override {}

  // Answers the index-th key of the read that has waited longest.
  void answer(std::size_t index, SharedAnswer answer) {
    Answers answers;
    answers.emplace_back(index, std::move(answer));
    Pending& oldest = pending.front();
    if (++answered_ < oldest.keys.size()) return oldest.take(std::move(answers));
    answered_ = 0;
    const Pending whole = std::move(oldest);
    pending.erase(pending.begin());
    whole.take(std::move(answers));
  }
  void copy(std::string bytes, Duration age, Duration left, std::size_t index = 0) {
    answer(index, {.kind = SharedAnswer::Kind::kCopy,
                   .copy = {.bytes = std::move(bytes), .age = age, .left = left}});
  }
  void absent(Duration left) {
    answer(0, {.kind = SharedAnswer::Kind::kCopy, .copy = {.left = left}});
  }
  // The reader is to load it, and has the lease.
  void lease(std::size_t index = 0) {
    answer(index, {.kind = SharedAnswer::Kind::kLoad,
                   .lease = {.key = pending.front().keys[index].key, .token = "mine"}});
  }
  // The reader is to load it, and keep nothing here.
  void pass() { answer(0, {.kind = SharedAnswer::Kind::kLoad}); }
  void failure(std::string why) {
    answer(0,
           {.kind = SharedAnswer::Kind::kFailure, .error = {Errc::kSourceFailed, std::move(why)}});
  }

  std::vector<Pending> pending;
  std::vector<Filled> filled;
  std::vector<std::pair<std::string, std::string>> failed;
  std::vector<std::string> released;
  std::vector<std::string> invalidated;
  int clears = 0;

 private:
  std::size_t answered_ = 0;  // of the oldest read's keys
};

}  // namespace larder::testing
