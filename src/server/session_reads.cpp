// How a session reads: hits at once; what is missing is held for session_loads.cpp.
#include <algorithm>
#include <utility>

#include "server/session.hpp"

namespace larder {

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

}  // namespace larder
