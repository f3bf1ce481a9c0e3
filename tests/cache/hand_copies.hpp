// A shared tier that does nothing until the test says so, and writes down what it is told.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "larder/shared_copies.hpp"

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

  struct Marking {
    std::vector<std::string> keys;
    Duration life;
    Marked marked;
  };
  struct Finished {
    std::string key;
    bool kept = false;
    std::optional<std::string> bytes{};

    friend bool operator==(const Finished&, const Finished&) = default;
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
  void begin_write(std::vector<std::string> keys, Duration life, Marked marked) override {
    marking.push_back({std::move(keys), life, std::move(marked)});
  }
  void finish_write(SharedMark mark, const std::optional<SharedFill>& kept) override {
    Finished ended{.key = std::move(mark.key), .kept = kept.has_value()};
    if (kept && kept->bytes) ended.bytes = std::string{*kept->bytes};
    finished.push_back(std::move(ended));
  }
  void leave_write(SharedMark mark, Duration life) override {
    still_marked.emplace_back(std::move(mark.key), life);
  }
  void invalidate(std::string_view key) override { invalidated.emplace_back(key); }
  void clear() override { ++clears; }
  void listen(std::weak_ptr<SharedListener>) override {}
  [[nodiscard]] std::shared_ptr<Vouch> vouch() const override { return vouch_; }

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
                   .lease = {.key = pending.front().keys[index].key,
                             .token = "mine",
                             .anew = pending.front().keys[index].anew}});
  }
  // The reader is to load it, and keep nothing here.
  void pass() { answer(0, {.kind = SharedAnswer::Kind::kLoad}); }
  // The same, and somebody writes it.
  void written() { answer(0, {.kind = SharedAnswer::Kind::kLoad, .written = true}); }
  // Takes the marks of the write that has waited longest, or takes none.
  void mark(bool taken = true) {
    Marking oldest = std::move(marking.front());
    marking.erase(marking.begin());
    std::vector<SharedMark> marks;
    for (const std::string& key : oldest.keys) {
      marks.push_back({.key = key, .token = "mine", .run = taken ? 1U : 0U});
    }
    oldest.marked(std::move(marks));
  }
  void failure(std::string why) {
    answer(0,
           {.kind = SharedAnswer::Kind::kFailure, .error = {Errc::kSourceFailed, std::move(why)}});
  }

  std::vector<Pending> pending;
  std::vector<Filled> filled;
  std::vector<std::pair<std::string, std::string>> failed;
  std::vector<std::string> released;
  std::vector<Marking> marking;
  std::vector<Finished> finished;
  std::vector<std::pair<std::string, Duration>> still_marked;
  std::vector<std::string> invalidated;
  int clears = 0;
  std::shared_ptr<Vouch> vouch_{};  // of the caches that are made from then on

 private:
  std::size_t answered_ = 0;  // of the oldest read's keys
};

}  // namespace larder::testing
