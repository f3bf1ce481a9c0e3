#include "shared/item.hpp"

#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

namespace larder::shared {
namespace {

using std::chrono::seconds;
using Kind = Found::Kind;

constexpr std::size_t kLongestMessage = 1024;  // of a failure that is told to others
constexpr std::size_t kFailedTokenAt = 2;
constexpr std::size_t kFingerprintAt = kFailedTokenAt + kTokenSize;
constexpr std::size_t kMessageAt = kFingerprintAt + kFingerprintSize;
constexpr std::size_t kEndSize = 4;
constexpr std::size_t kMarkSize = kTokenSize + kEndSize;
constexpr std::size_t kMarksAt = 2;
// Of an item that lives a second less than it says, a reader has to see something.
constexpr seconds kLeastLife{2};
constexpr seconds kLifeOfFailure{2};  // unless it is forgotten before

seconds bounded(seconds life) { return std::clamp(life, seconds{1}, memcached::kLongestLife); }

// A writer at work.
struct Mark {
  std::string token;
  seconds left;
};

std::vector<Mark> marks_in(const Item& item) {
  std::vector<Mark> marks;
  for (std::size_t at = kMarksAt; at + kMarkSize <= item.bytes.size(); at += kMarkSize) {
    std::uint32_t before = 0;
    for (std::size_t i = 0; i < kEndSize; ++i) {
      const auto byte = static_cast<unsigned char>(item.bytes[at + kTokenSize + i]);
      before |= std::uint32_t{byte} << (8 * i);
    }
    marks.push_back(
        {.token = item.bytes.substr(at, kTokenSize), .left = item.left - seconds{before}});
  }
  return marks;
}

// A marker lives as long as the last of its writers.
Change marker(const std::vector<Mark>& marks, bool contended) {
  seconds life{1};
  for (const Mark& mark : marks) life = std::max(life, mark.left);
  life = bounded(life);
  std::string bytes{contended ? "M1" : "M0"};
  for (const Mark& mark : marks) {
    bytes += mark.token;
    const auto before = static_cast<std::uint32_t>((life - std::min(mark.left, life)).count());
    for (unsigned shift = 0; shift < 8 * kEndSize; shift += 8) {
      bytes += static_cast<char>(before >> shift);
    }
  }
  return {.kind = Change::Kind::kSet, .bytes = std::move(bytes), .life = life};
}

// Like leases and failures it has an end, always: what has none is nobody's who would take it
// away.
bool is_marker(const Item& item) {
  return item.bytes.starts_with('M') && item.left > seconds::zero();
}

// Those of a marker whose time is not up, other than this one.
std::vector<Mark> others(const Item& item, std::string_view token) {
  if (!is_marker(item)) return {};
  std::vector<Mark> marks = marks_in(item);
  std::erase_if(
      marks, [&](const Mark& mark) { return mark.left <= seconds::zero() || mark.token == token; });
  return marks;
}

bool leased_to(const Item& item, std::string_view token) {
  return item.there && !item.stale && item.bytes.size() == 1 + kTokenSize &&
         item.bytes.front() == 'L' && std::string_view{item.bytes}.substr(1) == token;
}

bool is_lease(const Item& item) {
  return item.bytes.starts_with('L') && item.bytes.size() == 1 + kTokenSize &&
         item.left > seconds::zero();
}

bool is_failure(const Item& item) {
  return item.bytes.starts_with('F') && item.bytes.size() >= kMessageAt &&
         item.left > seconds::zero();
}

Error failure_in(std::string_view bytes) {
  const auto code = static_cast<Errc>(bytes[1] - 'a');
  const bool known = to_string(code) != "unknown";
  return {known ? code : Errc::kSourceFailed, std::string{bytes.substr(kMessageAt)}};
}

}  // namespace

// ---- Reading and changing items. ----

Item item_in(memcached::MetaReply&& reply) {
  if (reply.kind != memcached::MetaReply::Kind::kValue) return {};
  return {.there = true,
          .bytes = std::move(reply.text),
          .cas = reply.cas,
          .left = reply.left.value_or(seconds::zero()),
          .stale = reply.stale};
}

void write(memcached::MetaWriter& write, std::string_view key, const Item& item,
           const Change& change) {
  switch (change.kind) {
    case Change::Kind::kNone: assert(false); return;
    case Change::Kind::kInvalidate: return write.invalidate(key);
    case Change::Kind::kDelete: return write.remove(key, item.cas);
    case Change::Kind::kSet: break;
  }
  if (!item.there) return write.add(key, change.bytes, change.life);
  write.replace(key, change.bytes, change.life, item.cas);
}

bool carried_out(const Change& change, const memcached::MetaReply& reply) {
  using Reply = memcached::MetaReply::Kind;
  if (reply.kind == Reply::kNotFound) return change.kind != Change::Kind::kSet;  // it is gone
  return reply.kind == Reply::kDone;
}

seconds life_of_lease(Duration lease) {
  return bounded(std::max(std::chrono::ceil<seconds>(lease), kLeastLife));
}

std::optional<seconds> life_of_value(Duration left) {
  const auto whole = std::chrono::floor<seconds>(left);
  if (whole < seconds{1}) return std::nullopt;
  return bounded(whole);
}

// ---- Readers. ----

Found found(const Item& item) {
  if (!item.there) return {};
  if (is_marker(item)) return {.kind = Kind::kMarker};
  if (item.stale) return {};
  const Duration left = std::max<Duration>(item.left - seconds{1}, std::chrono::milliseconds{1});
  if (item.bytes.starts_with('V')) return {.kind = Kind::kValue, .left = left};
  if (is_lease(item)) return {.kind = Kind::kLease, .left = left};
  if (is_failure(item)) {
    return {.kind = Kind::kFailure,
            .left = left,
            .error = failure_in(item.bytes),
            .fingerprint = fingerprint_in(std::string_view{item.bytes}.substr(kFingerprintAt))};
  }
  return {};
}

Change take_lease(std::string_view token, seconds life) {
  assert(token.size() == kTokenSize);
  return {.kind = Change::Kind::kSet, .bytes = std::string{"L"}.append(token), .life = life};
}

Change extend_lease(const Item& item, std::string_view token, seconds life) {
  if (!leased_to(item, token)) return {};
  return take_lease(token, life);
}

Change fill_lease(const Item& item, std::string_view token, const std::string& value,
                  seconds life) {
  if (!leased_to(item, token)) return {};
  return {.kind = Change::Kind::kSet, .bytes = value, .life = life};
}

Change fail_lease(const Item& item, std::string_view token, std::uint64_t fingerprint,
                  const Error& error) {
  if (!leased_to(item, token)) return {};
  std::string bytes{"F"};
  bytes += static_cast<char>('a' + static_cast<int>(error.code));
  bytes += token;
  bytes += fingerprint_bytes(fingerprint);
  bytes += error.message.substr(0, kLongestMessage);
  return {.kind = Change::Kind::kSet, .bytes = std::move(bytes), .life = kLifeOfFailure};
}

Change release_lease(const Item& item, std::string_view token) {
  if (!leased_to(item, token)) return {};
  return {.kind = Change::Kind::kDelete};
}

Change forget_failure(const Item& item, std::string_view token) {
  const bool same = item.there && item.bytes.starts_with('F') && item.bytes.size() >= kMessageAt &&
                    std::string_view{item.bytes}.substr(kFailedTokenAt, kTokenSize) == token;
  return same ? Change{.kind = Change::Kind::kDelete} : Change{};
}

// ---- Writers. ----

Change set_mark(const Item& item, std::string_view token, Duration life) {
  assert(token.size() == kTokenSize);
  std::vector<Mark> marks = others(item, token);
  const bool contended = !marks.empty();
  const seconds whole = std::chrono::ceil<seconds>(life) + seconds{1};
  marks.push_back({.token = std::string{token}, .left = bounded(whole)});
  return marker(marks, contended);
}

bool sole_writer(const Item& item, std::string_view token) {
  return is_marker(item) && !item.stale && item.bytes.size() == kMarksAt + kMarkSize &&
         item.bytes[1] == '0' && std::string_view{item.bytes}.substr(kMarksAt, kTokenSize) == token;
}

Change finish_mark(const Item& item, std::string_view token, const std::string& value,
                   seconds life) {
  if (!item.there) return {};
  // The mark was lost. What is there now may be from before the commit.
  if (!is_marker(item)) return {.kind = Change::Kind::kInvalidate};
  if (!value.empty() && sole_writer(item, token)) {
    return {.kind = Change::Kind::kSet, .bytes = value, .life = life};
  }
  const std::vector<Mark> left = others(item, token);
  return left.empty() ? Change{.kind = Change::Kind::kDelete} : marker(left, true);
}

}  // namespace larder::shared
