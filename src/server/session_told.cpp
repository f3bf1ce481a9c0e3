// Replies that wait until the shared tier was told what their commands invalidated: so that it
// is true for every process once the client knows of it, whatever becomes of this one.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "server/session.hpp"
#include "shared/once_told.hpp"

namespace larder {
namespace {

// Brings together that the tier was told and the place of the reply that waits for it, whichever
// comes first. Threads: told() by any, once; the rest by the session's.
class Telling {
 public:
  explicit Telling(std::shared_ptr<Inbox> inbox) : inbox_{std::move(inbox)} {}

  void told() {
    if (state_.exchange(State::kTold) == State::kHeld) inbox_->put(place_);
  }
  [[nodiscard]] bool over() const { return state_.load() == State::kTold; }
  void hold(ReplyQueue::Place place) {
    place_ = place;
    if (state_.exchange(State::kHeld) == State::kTold) inbox_->put(place_);
  }

 private:
  enum class State : std::uint8_t { kBegun, kHeld, kTold };

  const std::shared_ptr<Inbox> inbox_;
  std::atomic<State> state_{State::kBegun};
  ReplyQueue::Place place_ = 0;
};

}  // namespace

void Session::ok_once_told(std::span<BytesCache* const> caches) {
  reply_once_told({AwaitedReply::Shape::kOk}, caches);
}

void Session::integer_once_told(std::int64_t number, std::span<BytesCache* const> caches) {
  reply_once_told({AwaitedReply::Shape::kNumber, number}, caches);
}

// The reply takes its place, so that of many in a row none waits for another's. What was told
// meanwhile is taken later: no reply may leave the queue while a command writes another.
void Session::reply_once_told(AwaitedReply::Form form, std::span<BytesCache* const> caches) {
  std::vector<BytesCache*> shared;
  for (BytesCache* const cache : caches) {
    const bool known = std::ranges::find(shared, cache) != shared.end();
    if (cache->shares() && !known) shared.push_back(cache);
  }
  AwaitedReply awaited{form, protocol_, 1};
  // Who wants no reply waits for none.
  if (shared.empty() || answers_ != Answers::kAll) return awaited.write(replies_.tail());
  if (!inbox_) inbox_ = std::make_shared<Inbox>(wake_);
  const auto telling = std::make_shared<Telling>(inbox_);
  shared::once_told(shared, [telling] { telling->told(); });
  if (telling->over()) return awaited.write(replies_.tail());  // it cannot be told now
  awaited.owe();
  telling->hold(replies_.hold(std::move(awaited)));
}

// Whether some replies wait no more.
bool Session::take_told() {
  const std::vector<ReplyQueue::Place> told = inbox_->take_told();
  for (const ReplyQueue::Place place : told) {
    replies_.take(place, 0, Answer<std::string>{}, context_.limits.max_reply_buffer.bytes);
  }
  return !told.empty();
}

}  // namespace larder
