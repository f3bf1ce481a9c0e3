// Where the answers to one session's loads arrive, and whatever else it waits for, from
// any thread.
//
// Threads: put() by any; the rest by the session's own. Held by shared_ptr,
// since a load may end after its session.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "larder/answer.hpp"
#include "larder/thread_annotations.hpp"
#include "server/reply_queue.hpp"

namespace larder {

// A load that a session asked for: where each answer belongs. Immutable.
struct LoadOrder {
  struct Item {
    ReplyQueue::Place place;  // the reply that needs it
    std::size_t element;      // of that reply

    auto operator<=>(const Item&) const = default;
  };
  std::vector<std::string> keys;
  std::vector<Item> items;  // one a key
};

// What became of a wait for another client's lease; see Leases.
struct LeaseNews {
  enum class Kind : std::uint8_t {
    kValue,      // what was filled
    kToken,      // it is the loader now
    kLookAgain,  // the key changed
    kInVain,     // its time is over
  };
  std::uint64_t wait;  // its number
  Kind kind;
  std::string token{};
  Handle<std::string> value{};
};

class Inbox {
 public:
  struct Letter {
    std::shared_ptr<const LoadOrder> order;
    std::size_t index;  // of the order's keys
    Answer<std::string> answer;
  };

  // `wake` is called, on the threads that put, when letters lie here that no
  // take() was announced for: once for all that come until the next take(); and for
  // whatever else lies here. It must lead to a take() of everything on the session's thread.
  explicit Inbox(std::function<void()> wake) : wake_{std::move(wake)} {}

  void put(Letter letter) LARDER_EXCLUDES(mutex_) {
    {
      const MutexLock lock{mutex_};
      letters_.push_back(std::move(letter));
      if (std::exchange(awake_, true)) return;
    }
    wake_();
  }

  void put(LeaseNews news) LARDER_EXCLUDES(mutex_) {
    {
      const MutexLock lock{mutex_};
      lease_news_.push_back(std::move(news));
      if (lease_news_.size() > 1) return;  // it was woken
    }
    wake_();
  }
  [[nodiscard]] std::vector<LeaseNews> take_lease_news() LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    return std::exchange(lease_news_, {});
  }

  // What the session waits for, which is no load; see Session::await().
  using Then = std::move_only_function<void()>;
  void put(Then then) LARDER_EXCLUDES(mutex_) {
    {
      const MutexLock lock{mutex_};
      then_ = std::move(then);
    }
    wake_();  // a take() that is announced is of letters alone
  }
  // Empty: it has not come.
  [[nodiscard]] Then take_then() LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    return std::exchange(then_, nullptr);
  }

  // The reply at `place` waits no more for the shared tier to be told.
  void put(ReplyQueue::Place place) LARDER_EXCLUDES(mutex_) {
    {
      const MutexLock lock{mutex_};
      told_.push_back(place);
      if (told_.size() > 1) return;  // it was woken
    }
    wake_();
  }
  [[nodiscard]] std::vector<ReplyQueue::Place> take_told() LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    return std::exchange(told_, {});
  }

  // Promises a take() that follows at once, so that nobody needs to wake.
  void announce_take() LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    awake_ = true;
  }
  [[nodiscard]] std::vector<Letter> take() LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    awake_ = false;
    return std::exchange(letters_, {});
  }

 private:
  const std::function<void()> wake_;
  Mutex mutex_;
  std::vector<Letter> letters_ LARDER_GUARDED_BY(mutex_);
  std::vector<LeaseNews> lease_news_ LARDER_GUARDED_BY(mutex_);
  Then then_ LARDER_GUARDED_BY(mutex_);
  std::vector<ReplyQueue::Place> told_ LARDER_GUARDED_BY(mutex_);
  bool awake_ LARDER_GUARDED_BY(mutex_) = false;
};

}  // namespace larder
