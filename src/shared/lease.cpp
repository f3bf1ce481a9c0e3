#include "shared/lease.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "shared/announcements.hpp"

namespace larder::shared {
namespace {

constexpr std::size_t kLongestMessage = 1024;  // of a failure that is told to others
constexpr std::size_t kFingerprintAt = 2;      // of a failure
constexpr std::size_t kMessageAt = kFingerprintAt + kFingerprintSize;

// ---- The scripts. Offsets are those of envelope.hpp. ----

// ARGV: stamp, token, lease in ms, what is wanted ('c', 'a', 'r'). What is not larder's is as
// nothing (is_larders() says the same), and so is a failure with another fingerprint: another
// statement's. Who wants it anew takes a lease over: its holder may have begun before what is asked
// for was true.
constexpr std::string_view kAcquire = R"lua(
local head = redis.call('GETRANGE', KEYS[1], 0, 24)
local left = redis.call('PTTL', KEYS[1])
local kind = left >= 0 and head:sub(1, 1) or ''
if kind == 'L' and #head == 17 and ARGV[4] ~= 'a' then return {'L', '', left} end
if kind == 'M' then return {'M', '', 0} end
if kind == 'F' and head:find('^F%l') and ARGV[4] ~= 'a' and
   head:sub(3, 10) == ARGV[1]:sub(9, 16) then
  return {'F', redis.call('GET', KEYS[1]), left}
end
if kind == 'V' and ARGV[4] ~= 'r' and head:sub(2) == ARGV[1] then
  if ARGV[4] == 'c' then return {'V', redis.call('GET', KEYS[1]), left} end
  redis.call('SETRANGE', KEYS[1], 25, ARGV[2])
  return {'A', '', 0}
end
redis.call('SET', KEYS[1], 'L' .. ARGV[2], 'PX', ARGV[3])
return {'A', '', 0}
)lua";

// Whether the lease or the refresh of this key is ARGV[1]'s: 'L', 'V', or false.
constexpr std::string_view kMine = R"lua(
local head = redis.call('GETRANGE', KEYS[1], 0, 40)
local mine = false
if head == 'L' .. ARGV[1] then mine = 'L' end
if head:sub(1, 1) == 'V' and head:sub(26, 41) == ARGV[1] then mine = 'V' end
)lua";

// ARGV: token, lease in ms.
constexpr std::string_view kExtend = R"lua(
if mine == 'L' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return mine and 1 or 0
)lua";

// ARGV: token, value, its life in ms, the announcement. Others' memory may have what was before.
constexpr std::string_view kFill = R"lua(
if not mine then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
announce(4)
return 1
)lua";

// ARGV: token, failure, its life in ms. A value that was to be refreshed stays.
constexpr std::string_view kFail = R"lua(
if mine == 'L' then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
if mine == 'V' then redis.call('SETRANGE', KEYS[1], 25, string.rep('\0', 16)) end
return mine and 1 or 0
)lua";

// ARGV: token.
constexpr std::string_view kRelease = R"lua(
if mine == 'L' then redis.call('DEL', KEYS[1]) end
if mine == 'V' then redis.call('SETRANGE', KEYS[1], 25, string.rep('\0', 16)) end
return mine and 1 or 0
)lua";

// Tells the other processes. With a stream (KEYS[2]) the arguments from `at` on are the
// announcement's own, cache and key; else, if there are any, a channel and the message. A
// channel is no key, whose absence would hold a moving slot up. A full server takes it, since the
// script has changed something before. What cannot be announced is done all the same, and the
// stream goes: who follows it notices that.
constexpr std::string_view kAnnounce = R"lua(
local function announce(at)
  if #KEYS == 2 then
    local done = redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', '10000', '*',
                             'o', ARGV[at], 'c', ARGV[at + 1], 'k', ARGV[at + 2])
    if type(done) == 'table' and done.err then redis.call('DEL', KEYS[2]) end
  elseif #ARGV > at then
    redis.pcall('SPUBLISH', ARGV[at], ARGV[at + 1])
  end
end
local function keep(value, life)
  local done = redis.pcall('SET', KEYS[1], value, 'PX', life)
  if type(done) == 'table' and done.err then return redis.call('DEL', KEYS[1]) and false end
  return true
end
)lua";

// ARGV: the announcement, from 1 on. A full server may refuse to mark a marker: it then goes,
// as by eviction. What is not larder's goes as well.
constexpr std::string_view kInvalidate = R"lua(
local gone = 0
if redis.pcall('GETRANGE', KEYS[1], 0, 0) == 'M' then
  if type(redis.pcall('SETRANGE', KEYS[1], 1, '1')) == 'table' then redis.call('DEL', KEYS[1]) end
else
  gone = redis.call('DEL', KEYS[1])
end
announce(1)
return gone
)lua";

// ARGV: the generation; with a stream the announcement's own and cache; else a channel and
// the message. A full server may refuse a new generation: then there is none, and none of the
// copies of the old one is believed either.
constexpr std::string_view kClear = R"lua(
local done = redis.pcall('SET', KEYS[1], ARGV[1])
if done.err then redis.call('DEL', KEYS[1]) end
if #KEYS == 2 then
  done = redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', '10000', '*', 'o', ARGV[2], 'c', ARGV[3])
  if type(done) == 'table' and done.err then redis.call('DEL', KEYS[2]) end
else
  redis.pcall('SPUBLISH', ARGV[2], ARGV[3])
end
return 1
)lua";

// Of a marker, the writers whose time is not up, other than ARGV[1]; and the longest that one
// of them has left, in ms.
constexpr std::string_view kOthers = R"lua(
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local marked = redis.pcall('GETRANGE', KEYS[1], 0, 0) == 'M'
local marker = marked and redis.call('GET', KEYS[1]) or ''
local others, longest = '', 0
for at = 3, #marker, 29 do
  local left = (tonumber(marker:sub(at + 16, at + 28)) or 0) - now
  if left > 0 and marker:sub(at, at + 15) ~= ARGV[1] then
    others = others .. marker:sub(at, at + 28)
    longest = math.max(longest, left)
  end
end
)lua";

// ARGV: token, the mark's life in ms, the announcement.
constexpr std::string_view kMark = R"lua(
local life = tonumber(ARGV[2])
local ends = string.format('%013d', now + life)
local contended = others == '' and '0' or '1'
redis.call('SET', KEYS[1], 'M' .. contended .. others .. ARGV[1] .. ends,
           'PX', math.max(longest, life))
announce(3)
return 1
)lua";

// ARGV: token, value or nothing, its life in ms, the announcement.
constexpr std::string_view kFinish = R"lua(
local kept = false
if #marker == 31 and marker:sub(1, 18) == 'M0' .. ARGV[1] and ARGV[2] ~= '' then
  kept = keep(ARGV[2], ARGV[3])
elseif others == '' then
  redis.call('DEL', KEYS[1])
else
  keep('M1' .. others, longest)
end
announce(4)
return kept and 1 or 0
)lua";

// ARGV: how many there are, their life in ms, tokens. In a sorted set, by the end of their time.
constexpr std::string_view kTakePermits = R"lua(
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local free = tonumber(ARGV[1]) - redis.call('ZCARD', KEYS[1])
local granted = math.max(math.min(free, #ARGV - 2), 0)
for i = 1, granted do redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[i + 2]) end
if granted > 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return granted
)lua";

// ARGV: token.
constexpr std::string_view kGivePermit = R"lua(
return redis.call('ZREM', KEYS[1], ARGV[1])
)lua";

std::string text_of(Step step) {
  const std::string mine{kMine};
  const std::string announce{kAnnounce};
  const std::string others{kOthers};
  switch (step) {
    case Step::kAcquire: return std::string{kAcquire};
    case Step::kExtend: return mine + std::string{kExtend};
    case Step::kFill: return mine + announce + std::string{kFill};
    case Step::kFail: return mine + std::string{kFail};
    case Step::kRelease: return mine + std::string{kRelease};
    case Step::kInvalidate: return announce + std::string{kInvalidate};
    case Step::kMark: return announce + others + std::string{kMark};
    case Step::kFinish: return announce + others + std::string{kFinish};
    case Step::kClear: return std::string{kClear};
    case Step::kTakePermits: return std::string{kTakePermits};
    case Step::kGivePermit: return std::string{kGivePermit};
  }
  return {};
}

std::string sha1(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += kHex[digest[i] >> 4U];
    hex += kHex[digest[i] & 15U];
  }
  return hex;
}

std::array<Script, kSteps> make_scripts() {
  std::array<Script, kSteps> scripts;
  for (std::size_t i = 0; i < kSteps; ++i) {
    scripts[i].text = text_of(static_cast<Step>(i));
    scripts[i].sha = sha1(scripts[i].text);
  }
  return scripts;
}

// Redis takes whole milliseconds, and none that are 0.
std::string milliseconds(Duration duration) {
  const auto whole = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return std::to_string(std::max<std::int64_t>(whole, 1));
}

Duration from_pttl(std::int64_t pttl) {
  return std::chrono::milliseconds{std::max<std::int64_t>(pttl, 0)};
}

// Whatever larder leaves has an end, a lease its one token, and a failure its code.
bool is_larders(std::string_view bytes, std::int64_t pttl) {
  constexpr std::int64_t kNoEnd = -1;
  if (bytes.empty() || pttl == kNoEnd) return false;
  if (bytes.front() == 'L') return bytes.size() == 1 + kTokenSize;
  if (bytes.front() == 'F') {
    return bytes.size() >= kMessageAt && bytes[1] >= 'a' && bytes[1] <= 'z';
  }
  return true;
}

// REQUIRES: is_larders().
Error failure(std::string_view bytes) {
  const auto code = static_cast<Errc>(bytes[1] - 'a');
  const bool known = to_string(code) != "unknown";
  return {known ? code : Errc::kSourceFailed, std::string{bytes.substr(kMessageAt)}};
}

Found from_bytes(std::string bytes, Duration left) {
  using Kind = Found::Kind;
  switch (bytes.empty() ? '\0' : bytes.front()) {
    case 'V': return {.kind = Kind::kValue, .bytes = std::move(bytes), .left = left};
    case 'L': return {.kind = Kind::kLease, .left = left};
    case 'M': return {.kind = Kind::kMarker};
    case 'F':
      return {.kind = Kind::kFailure,
              .left = left,
              .error = failure(bytes),
              .fingerprint = fingerprint_in(std::string_view{bytes}.substr(kFingerprintAt))};
    default: return {.kind = Kind::kNothing};
  }
}

Call call(Step step, std::string key, std::vector<std::string> arguments) {
  return {.step = step, .key = std::move(key), .arguments = std::move(arguments)};
}

// A key's.
void add(Announce announce, Call& step) {
  step.stream = std::move(announce.stream);
  if (step.stream.empty()) {
    step.arguments.push_back(std::move(announce.channel));
    step.arguments.push_back(announcement_message(announce.own, announce.cache, announce.key));
  } else {
    step.arguments.push_back(std::move(announce.own));
    step.arguments.push_back(std::move(announce.cache));
    step.arguments.push_back(std::move(announce.key));
  }
}

}  // namespace

const Script& script(Step step) {
  static const std::array<Script, kSteps> scripts = make_scripts();  // immutable
  return scripts[static_cast<std::size_t>(step)];
}

// By name a step may have to be sent twice, and what this process sends in between goes
// before it. An invalidation, or a writer's step, must not be overtaken by a read.
bool Call::by_name() const {
  return step != Step::kInvalidate && step != Step::kMark && step != Step::kFinish &&
         step != Step::kClear;
}

std::vector<std::string_view> Call::command(bool by_name) const {
  const Script& what = script(step);
  std::vector<std::string_view> words{by_name ? "EVALSHA" : "EVAL", by_name ? what.sha : what.text,
                                      stream.empty() ? "1" : "2", key};
  if (!stream.empty()) words.emplace_back(stream);
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

Found found(const resp::Reply& pttl, resp::Reply&& value) {
  if (value.kind != resp::Reply::Kind::kBulk || !is_larders(value.text, pttl.integer)) return {};
  return from_bytes(std::move(value.text), from_pttl(pttl.integer));
}

Call acquire(std::string key, const Stamp& stamp, std::string_view token, Duration lease,
             Want want) {
  assert(token.size() == kTokenSize);
  const char* const wanted = want == Want::kCopy ? "c" : want == Want::kAnew ? "a" : "r";
  return call(Step::kAcquire, std::move(key),
              {stamp.bytes(), std::string{token}, milliseconds(lease), wanted});
}

Found acquired(resp::Reply&& reply) {
  if (reply.items.size() != 3) return {};
  const std::string& kind = reply.items[0].text;
  const Duration left = from_pttl(reply.items[2].integer);
  if (kind == "A") return {.kind = Found::Kind::kAcquired};
  if (kind == "L" || kind == "M") return from_bytes(kind, left);
  if (!is_larders(reply.items[1].text, reply.items[2].integer)) return {};
  return from_bytes(std::move(reply.items[1].text), left);
}

Call extend(std::string key, std::string_view token, Duration lease) {
  return call(Step::kExtend, std::move(key), {std::string{token}, milliseconds(lease)});
}

Call fill(std::string key, std::string_view token, std::string value, Duration left,
          std::optional<Announce> announce) {
  Call step =
      call(Step::kFill, std::move(key), {std::string{token}, std::move(value), milliseconds(left)});
  if (announce) add(std::move(*announce), step);
  return step;
}

Call fail(std::string key, std::string_view token, std::uint64_t fingerprint, const Error& error,
          Duration left) {
  std::string bytes{"F"};
  bytes += static_cast<char>('a' + static_cast<int>(error.code));
  bytes += fingerprint_bytes(fingerprint);
  bytes += error.message.substr(0, kLongestMessage);
  return call(Step::kFail, std::move(key),
              {std::string{token}, std::move(bytes), milliseconds(left)});
}

Call release(std::string key, std::string_view token) {
  return call(Step::kRelease, std::move(key), {std::string{token}});
}

Call invalidate(std::string key, std::optional<Announce> announce) {
  Call step = call(Step::kInvalidate, std::move(key), {});
  if (announce) add(std::move(*announce), step);
  return step;
}

Call clear(std::string key, std::string generation, Announce announce) {
  Call step = call(Step::kClear, std::move(key), {std::move(generation)});
  step.stream = std::move(announce.stream);
  if (step.stream.empty()) {
    step.arguments.push_back(std::move(announce.channel));
    step.arguments.push_back(announcement_message(announce.own, announce.cache, std::nullopt));
  } else {
    step.arguments.push_back(std::move(announce.own));
    step.arguments.push_back(std::move(announce.cache));
  }
  return step;
}

Call take_permits(std::string key, unsigned most, Duration life,
                  const std::vector<std::string>& tokens) {
  std::vector<std::string> arguments{std::to_string(most), milliseconds(life)};
  arguments.insert(arguments.end(), tokens.begin(), tokens.end());
  return call(Step::kTakePermits, std::move(key), std::move(arguments));
}

Call give_permit(std::string key, std::string_view token) {
  return call(Step::kGivePermit, std::move(key), {std::string{token}});
}

Call mark(std::string key, std::string_view token, Duration life,
          std::optional<Announce> announce) {
  Call step = call(Step::kMark, std::move(key), {std::string{token}, milliseconds(life)});
  if (announce) add(std::move(*announce), step);
  return step;
}

Call finish(std::string key, std::string_view token, std::string value, Duration left,
            std::optional<Announce> announce) {
  Call step = call(Step::kFinish, std::move(key),
                   {std::string{token}, std::move(value), milliseconds(left)});
  if (announce) add(std::move(*announce), step);
  return step;
}

}  // namespace larder::shared
