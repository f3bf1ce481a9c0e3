// How a session has loaded what it missed: together, as far as there is room for what comes.
#include <algorithm>
#include <utility>

#include "server/session.hpp"

namespace larder {
namespace {

// What a key takes that is being loaded: it stands in the session, in the load's order and
// in its flight, each time with what is known of it.
std::size_t weight_of_load(std::string_view key) { return 3 * (key.size() + 96); }

}  // namespace

// Takes a place in the replies, and notes what its reply waits for.
void Session::hold_for(AwaitedReply reply, std::vector<Miss> misses) {
  const ReplyQueue::Place place = replies_.hold(std::move(reply));
  for (Miss& miss : misses) {
    miss.item.place = place;
    ++loading_[miss.key];
    loading_bytes_ += weight_of_load(miss.key);
    misses_.push_back(std::move(miss));
  }
}

// Sends what was missed to the sources, as much as there is room for. Whether some of it
// is already answered.
bool Session::order_misses() {
  bool delivered = false;
  if (futile_) drop_futile();
  while (const std::size_t count = room_for_loads()) {
    order(count);
    delivered = deliver(inbox_->take()) || delivered;
    if (futile_) drop_futile();
  }
  return delivered;
}

// How many of the first misses may be loaded now: what values are expected to take, and
// what is held, is not to be more than the reply buffer. What the client gets next comes in
// any case, unless there is something else that it has not read.
std::size_t Session::room_for_loads() {
  if (misses_.empty()) return 0;
  if (!std::ranges::is_sorted(misses_, {}, &Miss::item)) {
    std::ranges::sort(misses_, {}, &Miss::item);
  }
  const std::size_t most = context_.limits.max_reply_buffer.bytes;
  const std::size_t held = replies_.bytes() + on_way_ * expected_bytes_;
  if (held < most) {
    if (expected_bytes_ == 0) return misses_.size();
    return std::min(misses_.size(), (most - held) / expected_bytes_ + 1);
  }
  if (!replies_.ready().empty()) return 0;
  const auto next = std::ranges::upper_bound(misses_, replies_.first_waiting(), {},
                                             [](const Miss& miss) { return miss.item.place; });
  return static_cast<std::size_t>(next - misses_.begin());
}

// The first `count` misses go to the sources, those of a cache together.
void Session::order(std::size_t count) {
  if (!inbox_) inbox_ = std::make_shared<Inbox>(wake_);
  inbox_->announce_take();
  const auto end = misses_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<Miss> wanted{std::make_move_iterator(misses_.begin()), std::make_move_iterator(end)};
  misses_.erase(misses_.begin(), end);
  while (!wanted.empty()) {
    const std::shared_ptr<BytesCache> cache = wanted.front().cache;
    const bool anew = wanted.front().anew;
    std::vector<Miss> others;
    const auto load = std::make_shared<LoadOrder>();
    for (Miss& miss : wanted) {
      if (miss.cache != cache || miss.anew != anew) {
        others.push_back(std::move(miss));
        continue;
      }
      load->keys.push_back(std::move(miss.key));
      load->items.push_back(miss.item);
    }
    wanted = std::move(others);
    on_way_ += load->keys.size();
    auto wait = cache->fetch(load->keys, {.force = anew},
                             [inbox = inbox_, load](std::size_t index, Answer<std::string> answer) {
                               inbox->put({load, index, std::move(answer)});
                             });
    orders_.emplace(
        load.get(),
        Ordered{.cache = cache, .wait = std::move(wait), .anew = anew, .owed = load->keys.size()});
  }
}

// Whether there were any.
bool Session::deliver(const std::vector<Inbox::Letter>& letters) {
  bool taken = false;
  for (const Inbox::Letter& letter : letters) {
    const auto found = orders_.find(letter.order.get());
    Ordered& ordered = found->second;
    const std::string& key = letter.order->keys[letter.index];
    const LoadOrder::Item item = letter.order->items[letter.index];
    --on_way_;
    const bool unanswered = ordered.recalled && letter.answer.failed() &&
                            letter.answer.error().code == Errc::kCancelled;
    if (unanswered) {
      misses_.push_back({ordered.cache, key, item, ordered.anew});
    } else {
      tell_if_not_kept(key);
      take_answer(key, item, letter.answer);
      taken = true;
    }
    if (--ordered.owed == 0) orders_.erase(found);
  }
  const bool full = replies_.bytes() >= context_.limits.max_reply_buffer.bytes;
  if (taken && !orders_.empty() && (full || futile_)) recall();
  return !letters.empty();
}

void Session::take_answer(std::string_view key, LoadOrder::Item item,
                          const Answer<std::string>& answer) {
  const auto loading = loading_.find(key);
  loading_bytes_ -= weight_of_load(loading->first);
  if (--loading->second == 0) loading_.erase(loading);

  const std::size_t size = answer ? answer->size() : 0;
  expected_bytes_ = std::max(size, expected_bytes_ - expected_bytes_ / 8);
  const auto progress =
      replies_.take(item.place, item.element, answer, context_.limits.max_reply_buffer.bytes);
  if (progress == ReplyQueue::Progress::kOwed) futile_ = futile_ || replies_.failed(item.place);
  if (progress != ReplyQueue::Progress::kFailed) return;
  context_.counters.error_replies.add();
  const std::string why = answer.failed() ? error_line(answer.error()) : "ERR";
  context_.counters.errors_by_prefix[index_of_prefix(why)].add();
}

// Calls off what was ordered: it was missed, again. What a source works at goes on, and
// whoever orders it again waits for that.
void Session::recall() {
  inbox_->announce_take();
  for (auto& [load, ordered] : orders_) {
    ordered.recalled = true;
    ordered.wait.abandon({Errc::kCancelled, "there is no room for the reply yet"});
  }
  deliver(inbox_->take());
}

// Nobody needs what is missing for a reply that is an error already.
void Session::drop_futile() {
  futile_ = false;
  std::vector<Miss> futile;
  std::erase_if(misses_, [&](Miss& miss) {
    if (!replies_.failed(miss.item.place)) return false;
    futile.push_back(std::move(miss));
    return true;
  });
  for (const Miss& miss : futile) take_answer(miss.key, miss.item, Answer<std::string>{});
  futile_ = false;
}

}  // namespace larder
