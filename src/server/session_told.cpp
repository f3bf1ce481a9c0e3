// Replies that wait until the shared tier was told what their commands invalidated: so that it
// is true for every process once the client knows of it, whatever becomes of this one.
#include <algorithm>
#include <utility>

#include "server/session.hpp"
#include "shared/once_told.hpp"

namespace larder {

void Session::ok_once_told(std::span<BytesCache* const> caches) {
  reply_once_told({AwaitedReply::Shape::kOk}, caches);
}

void Session::integer_once_told(std::int64_t number, std::span<BytesCache* const> caches) {
  reply_once_told({AwaitedReply::Shape::kNumber, number}, caches);
}

// The reply takes its place, so that of many in a row none waits for another's.
void Session::reply_once_told(AwaitedReply::Form form, std::span<BytesCache* const> caches) {
  std::vector<BytesCache*> shared;
  for (BytesCache* const cache : caches) {
    const bool known = std::ranges::find(shared, cache) != shared.end();
    if (cache->shares() && !known) shared.push_back(cache);
  }
  AwaitedReply awaited{form, protocol_, 1};
  if (shared.empty()) return awaited.write(replies_.tail());
  awaited.owe();
  const ReplyQueue::Place place = replies_.hold(std::move(awaited));
  if (!inbox_) inbox_ = std::make_shared<Inbox>(wake_);
  shared::once_told(shared, [inbox = inbox_, place] { inbox->put(place); });
  take_told();  // which it is already when it cannot be told now
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
