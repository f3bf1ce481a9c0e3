// A writer that does nothing until the test says so.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "larder/writer.hpp"

namespace larder::testing {

// Keeps each submission until the test answers it. One thread.
class HandWriter final : public Writer<int, std::string> {
 public:
  struct Pending {
    std::vector<Write<int, std::string>> writes;
    Done done;
    Begin begin{};
  };

  void submit(std::vector<Write<int, std::string>> writes, Begin begin, Done done) override {
    if (throws) throw std::runtime_error{"no hand free"};
    if (begins_by_hand) {
      pending.push_back({std::move(writes), std::move(done), std::move(begin)});
    } else if (begin()) {
      pending.push_back({std::move(writes), std::move(done)});
    }
  }
  [[nodiscard]] std::string describe() const override { return "a writing hand"; }
  [[nodiscard]] bool removes() const override { return can_remove; }
  [[nodiscard]] std::size_t most_writes() const override { return most; }

  // Ends the submission that has waited longest: every write gets `result`.
  void answer_with(const Result<Stored<std::string>>& result) {
    Pending write = std::move(pending.front());
    pending.erase(pending.begin());
    write.done(std::vector<Result<Stored<std::string>>>(write.writes.size(), result));
  }
  void answer(std::string row) { answer_with(Stored<std::string>{.value = std::move(row)}); }
  void reject(std::string why) { answer_with(fail(Errc::kRejected, std::move(why))); }
  void lose() { answer_with(fail(Errc::kOutcomeUnknown, "the line went dead")); }

  void drop_all() {
    while (!pending.empty()) {
      const auto lost = std::exchange(pending, {});
    }
  }

  std::vector<Pending> pending;
  std::size_t most = 100;
  bool can_remove = true;
  bool throws = false;
  bool begins_by_hand = false;  // a write runs when the test calls its `begin`
};

}  // namespace larder::testing
