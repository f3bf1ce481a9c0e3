// How a session reads through: hits at once, what is missing together.
#include <algorithm>
#include <utility>

#include "server/session.hpp"

namespace larder {
namespace {

// What a key takes that is being loaded: it stands in the session, in the load's order and
// in its flight, each time with what is known of it.
std::size_t weight_of_load(std::string_view key) { return 3 * (key.size() + 96); }

}  // namespace

// As the view's visit(); a client that asked for it leaves no trace in what is hot.
template <class Visitor>
bool Session::visit(std::string_view key, Visitor&& visitor) {
  if (activity_.leaves_no_trace.load(std::memory_order_relaxed)) [[unlikely]] {
    return context_.keys.visit_untouched(key, now_, visitor);
  }
  return context_.keys.visit(key, now_, visitor);
}

// Writes the value of `key` if memory has it. Guarded by bench/server.
bool Session::write_hit(std::string_view key) {
  return visit(key, [&](std::string_view value, const EntryInfo& info) {
    resp::ReplyWriter writer = reply();
    if (info.absent) {
      writer.null();
    } else {
      writer.bulk(value);
    }
  });
}

void Session::read(std::string_view key) {
  if (!write_hit(key)) read_missing({AwaitedReply::Shape::kValue}, key);
}

void Session::read_as(AwaitedReply::Form form, std::string_view key) {
  const bool hit = visit(key, [&](std::string_view value, const EntryInfo& info) {
    resp::ReplyWriter writer = reply();
    form.write(writer, info.absent ? nullptr : &value);
  });
  if (!hit) read_missing(form, key);
}

// A reply about a key that memory does not have.
void Session::read_missing(AwaitedReply::Form form, std::string_view key) {
  const Keyspace::Member* member = route(key);
  if (member == nullptr) return;
  if (!member->cache->has_source()) {
    member->cache->count_miss();
    resp::ReplyWriter writer = reply();
    return form.write(writer, nullptr);
  }
  AwaitedReply awaited{form, protocol_, 1};
  awaited.owe();
  std::vector<Miss> misses;
  misses.push_back({member->cache, std::string{key}, {}});
  hold_for(std::move(awaited), std::move(misses));
}

void Session::load_anew(const Keyspace::Member& member, std::string_view key) {
  AwaitedReply awaited{{AwaitedReply::Shape::kPresence}, protocol_, 1};
  awaited.owe();
  std::vector<Miss> misses;
  misses.push_back({member.cache, std::string{key}, {}, /*anew=*/true});
  hold_for(std::move(awaited), std::move(misses));
}

void Session::read_all(Arguments keys) {
  const std::size_t before = replies_.tail().size();
  reply().array(keys.size());
  constexpr std::size_t kAhead = 8;
  std::size_t hits = 0;
  for (const std::string_view key : keys.first(std::min(kAhead, keys.size()))) {
    context_.keys.prefetch(key);
  }
  while (hits < keys.size() && write_hit(keys[hits])) {
    ++hits;
    if (hits + kAhead <= keys.size()) context_.keys.prefetch(keys[hits + kAhead - 1]);
    if (replies_.bytes() > context_.limits.max_reply_buffer.bytes) break;
  }
  const bool fits = replies_.bytes() <= context_.limits.max_reply_buffer.bytes;
  if (hits == keys.size() && fits) return;

  replies_.tail().retract(replies_.tail().size() - before);
  if (!fits) return error_reply_too_large();
  read_some(keys, AwaitedReply::Shape::kValues, hits);
}

void Session::count_all(Arguments keys) { read_some(keys, AwaitedReply::Shape::kCount, 0); }

// A reply of which memory may not have everything. The first `counted` keys were
// found before, and count as hits no more.
void Session::read_some(Arguments keys, AwaitedReply::Shape shape, std::size_t counted) {
  AwaitedReply awaited{{shape}, protocol_, keys.size()};
  std::vector<Miss> misses;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    Handle<std::string> value;
    const auto copy = [&](std::string_view bytes, const EntryInfo& info) {
      if (info.absent) return;
      value = std::make_shared<const std::string>(
          shape == AwaitedReply::Shape::kCount ? std::string_view{} : bytes);
    };
    const bool hit =
        i < counted ? context_.keys.inspect(keys[i], now_, copy) : visit(keys[i], copy);
    if (hit) {
      awaited.know(i, std::move(value));
      if (awaited.bytes() + replies_.bytes() > context_.limits.max_reply_buffer.bytes) {
        return error_reply_too_large();
      }
      continue;
    }
    const Keyspace::Member* member = route(keys[i]);
    if (member == nullptr) return;
    if (member->cache->has_source()) {
      misses.push_back({member->cache, std::string{keys[i]}, {.place = 0, .element = i}});
      awaited.owe();
    } else {
      member->cache->count_miss();
    }
  }
  if (misses.empty()) return awaited.write(replies_.tail());
  hold_for(std::move(awaited), std::move(misses));
}

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

// Sends all that was missed to the sources, together. Whether some of it is
// already answered.
bool Session::order_misses() {
  if (misses_.empty()) return false;
  if (!inbox_) inbox_ = std::make_shared<Inbox>(wake_);
  inbox_->announce_take();
  while (!misses_.empty()) {
    const std::shared_ptr<BytesCache> cache = misses_.front().cache;
    const bool anew = misses_.front().anew;
    std::vector<Miss> others;
    const auto order = std::make_shared<LoadOrder>();
    for (Miss& miss : misses_) {
      if (miss.cache != cache || miss.anew != anew) {
        others.push_back(std::move(miss));
        continue;
      }
      order->keys.push_back(std::move(miss.key));
      order->items.push_back(miss.item);
    }
    misses_ = std::move(others);
    cache->fetch(order->keys, {.force = anew},
                 [inbox = inbox_, order](std::size_t index, Answer<std::string> answer) {
                   inbox->put({order, index, std::move(answer)});
                 });
  }
  return deliver(inbox_->take());
}

// Whether there were any.
bool Session::deliver(const std::vector<Inbox::Letter>& letters) {
  for (const Inbox::Letter& letter : letters) {
    const auto loading = loading_.find(letter.order->keys[letter.index]);
    loading_bytes_ -= weight_of_load(loading->first);
    if (--loading->second == 0) loading_.erase(loading);

    const LoadOrder::Item item = letter.order->items[letter.index];
    const auto progress = replies_.take(item.place, item.element, letter.answer,
                                        context_.limits.max_reply_buffer.bytes);
    if (progress != ReplyQueue::Progress::kFailed) continue;
    context_.counters.error_replies.add();
    const std::string why = letter.answer.failed() ? error_line(letter.answer.error()) : "ERR";
    context_.counters.errors_by_prefix[index_of_prefix(why)].add();
  }
  return !letters.empty();
}

}  // namespace larder
