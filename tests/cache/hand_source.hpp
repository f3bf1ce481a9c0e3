// A source and timers that do nothing until the test says so.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "larder/source.hpp"
#include "larder/timers.hpp"

namespace larder::testing {

// Keeps each load until the test answers it. One thread.
class HandSource final : public Source<int, std::string> {
 public:
  struct Pending {
    std::vector<int> keys;
    Done done;
    Begin begin{};
  };

  void load(std::vector<int> keys, Done done) override {
    ++loads;
    if (throws) throw std::runtime_error{"no hand free"};
    pending.push_back({std::move(keys), std::move(done)});
  }
  void submit(std::vector<int> keys, Begin begin, Done done) override {
    if (begins_by_hand) {
      pending.push_back({std::move(keys), std::move(done), std::move(begin)});
    } else if (begin()) {
      load(std::move(keys), std::move(done));
    }
  }
  [[nodiscard]] std::string describe() const override { return "a hand"; }
  [[nodiscard]] std::size_t most_keys() const override { return most; }
  [[nodiscard]] bool answers_in_parts() const override { return in_parts; }

  // Ends the load that has waited longest: every key gets `result`.
  void answer_with(const Loaded<std::string>& result) {
    Pending load = std::move(pending.front());
    pending.erase(pending.begin());
    load.done(std::vector<Loaded<std::string>>(load.keys.size(), result));
  }
  // The same for its first `count` keys alone.
  void answer_first(std::size_t count, const Loaded<std::string>& result) {
    Pending load = std::move(pending.front());
    pending.erase(pending.begin());
    load.done(std::vector<Loaded<std::string>>(count, result));
  }
  void answer(std::string value) { answer_with(std::move(value)); }
  void answer_absent() { answer_with(std::nullopt); }
  void answer_error(std::string why) { answer_with(fail(Errc::kSourceFailed, std::move(why))); }

  // Loses what is pending, and what takes its place then.
  void drop_all() {
    while (!pending.empty()) {
      const auto lost = std::exchange(pending, {});
    }
  }

  std::vector<Pending> pending;
  std::size_t loads = 0;
  std::size_t most = 1000;
  bool in_parts = false;
  bool throws = false;
  bool begins_by_hand = false;  // a load runs when the test calls its `begin`
};

// Timers that fire when the test moves their clock. One thread.
class HandTimers final : public Timers {
 public:
  explicit HandTimers(ManualClock& clock) : clock_{clock} {}

  [[nodiscard]] TimePoint now() const override { return clock_.now(); }

  std::unique_ptr<Timer> after(Duration delay, std::move_only_function<void()> due) override {
    const auto id = next_++;
    due_.emplace(std::pair{clock_.now() + delay, id}, std::move(due));
    return std::make_unique<HandTimer>(*this, std::pair{clock_.now() + delay, id});
  }

  // Moves the clock, calling what falls due on the way, in order.
  void advance(Duration by) {
    const TimePoint until = clock_.now() + by;
    while (!due_.empty() && due_.begin()->first.first <= until) {
      clock_.advance(std::max(due_.begin()->first.first - clock_.now(), Duration{}));
      auto due = std::move(due_.begin()->second);
      due_.erase(due_.begin());
      due();
    }
    clock_.advance(until - clock_.now());
  }

  [[nodiscard]] std::size_t size() const { return due_.size(); }

 private:
  using Id = std::pair<TimePoint, std::uint64_t>;
  class HandTimer final : public Timer {
   public:
    HandTimer(HandTimers& timers, Id id) : timers_{timers}, id_{id} {}
    ~HandTimer() override { timers_.due_.erase(id_); }
    HandTimer(const HandTimer&) = delete;
    HandTimer& operator=(const HandTimer&) = delete;

   private:
    HandTimers& timers_;
    Id id_;
  };

  ManualClock& clock_;
  std::map<Id, std::move_only_function<void()>> due_;
  std::uint64_t next_ = 0;
};

}  // namespace larder::testing
