// Which of the steps that a server was told it has answered, for who is to wait until it has
// answered all that were told before.
//
// Steps and waits are counted in the order in which they began: a wait is over when no step
// is open that began before it, whatever began since.
//
// Threads: one at a time; its owner's lock guards it. Calls nobody: whoever ends a step calls
// what is given back, under no lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace larder::shared {

class Confirmations {
 public:
  using Then = std::move_only_function<void()>;
  using Step = std::uint64_t;  // names it to end()

  Step begin() {
    ++rounds_.back().open;
    return first_ + rounds_.size() - 1;
  }

  // The step was answered, or no answer comes any more. Whose wait that ends.
  [[nodiscard]] std::vector<Then> end(Step step) {
    --rounds_[step - first_].open;
    std::vector<Then> over;
    while (rounds_.size() > 1 && rounds_.front().open == 0) {
      over.push_back(std::move(rounds_.front().then));
      rounds_.pop_front();
      ++first_;
    }
    return over;
  }

  // The step that began last was never sent.
  void take_back() { --rounds_.back().open; }

  // No step is answered any more, and none is to be ended. Whose waits that ends.
  [[nodiscard]] std::vector<Then> end_all() {
    std::vector<Then> over;
    for (Round& round : std::exchange(rounds_, std::deque<Round>(1))) {
      if (round.then) over.push_back(std::move(round.then));
    }
    return over;
  }

  // Keeps `then` until each step that is open has ended; gives it back when none is.
  [[nodiscard]] std::optional<Then> wait(Then then) {
    if (rounds_.size() == 1 && rounds_.front().open == 0) return then;
    rounds_.back().then = std::move(then);
    rounds_.emplace_back();
    return std::nullopt;
  }

 private:
  // Steps that began between two waits, and the second of these.
  struct Round {
    std::size_t open = 0;
    Then then{};
  };
  std::deque<Round> rounds_ = std::deque<Round>(1);  // never empty; the last has no wait yet
  Step first_ = 0;                                   // the number of rounds_.front()
};

}  // namespace larder::shared
