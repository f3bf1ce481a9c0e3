// Walking over the keys in memory.
#include <algorithm>
#include <charconv>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "resp/glob.hpp"
#include "server/awaited_reply.hpp"
#include "server/commands/commands.hpp"
#include "server/commands/words.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

constexpr std::size_t kStep = 256;  // entries looked at under one of the tier's locks

struct Filter {
  std::string_view pattern = "*";
  bool strings = true;  // whether the type asked for is the only one there is

  [[nodiscard]] bool takes(std::string_view key) const {
    return strings && (pattern == "*" || resp::glob_matches(pattern, key));
  }
};

// Keys on their way into a reply, no more than the reply buffer takes.
class Found {
 public:
  explicit Found(Session& session)
      : room_{
            session.context().limits.max_reply_buffer.bytes -
            std::min(session.context().limits.max_reply_buffer.bytes, session.replies().bytes())} {}

  void add(std::string_view key) {
    bytes_ += key.size() + 16;  // with its length and line ends
    if (fits()) keys_.emplace_back(key);
  }
  [[nodiscard]] bool fits() const { return bytes_ <= room_; }
  [[nodiscard]] const std::vector<std::string>& keys() const { return keys_; }
  void write(resp::ReplyWriter& reply) const {
    reply.array(keys_.size());
    for (const std::string& key : keys_) reply.bulk(key);
  }

 private:
  const std::size_t room_;
  std::size_t bytes_ = 0;
  std::vector<std::string> keys_;
};

// One step of a walk: what it finds, and the next cursor.
std::uint64_t step(Session& session, std::uint64_t cursor, std::size_t count, const Filter& filter,
                   Found& found) {
  BytesTier& tier = session.keys().keyspace().tier();
  return tier.scan(cursor, count, session.now(),
                   [&](std::string_view key, std::string_view, const EntryInfo& info) {
                     if (!info.absent && filter.takes(key)) found.add(key);
                   });
}

// As strtoul() reads it, which takes a sign, and no digits at all as 0.
std::optional<std::uint64_t> to_cursor(std::string_view word) {
  if (word.empty()) return 0;
  const bool negative = word.starts_with('-');
  if (negative || word.starts_with('+')) word.remove_prefix(1);
  std::uint64_t cursor = 0;
  const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), cursor);
  if (problem != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return negative ? 0 - cursor : cursor;
}

}  // namespace

void scan(Session& session, Arguments words) {
  const auto cursor = to_cursor(words[1]);
  if (!cursor) return session.error("ERR invalid cursor");
  Filter filter;
  std::int64_t count = 10;
  for (std::size_t i = 2; i < words.size(); i += 2) {
    const bool more = i + 1 < words.size();
    if (more && same_word(words[i], "count")) {
      const auto number = to_integer(words[i + 1]);
      if (!number) return session.error(kNotAnInteger);
      if (*number < 1) return session.error(kSyntaxError);
      count = *number;
    } else if (more && same_word(words[i], "match")) {
      filter.pattern = words[i + 1];
    } else if (more && same_word(words[i], "type")) {
      filter.strings = same_word(words[i + 1], "string");
    } else {
      return session.error(kSyntaxError);
    }
  }

  if (filter.pattern.size() > kLongestPattern) {
    return session.error(pattern_too_long(filter.pattern));
  }
  Found found{session};
  std::uint64_t next = *cursor;
  std::size_t left = static_cast<std::size_t>(count);
  do {
    const std::size_t some = std::min(left, kStep);
    next = step(session, next, some, filter, found);
    left -= some;
  } while (next != 0 && left > 0 && found.fits());
  if (!found.fits()) {
    return session.error_reply_too_large();
  }
  auto reply = session.reply();
  reply.array(2);
  reply.bulk(std::to_string(next));
  found.write(reply);
}

void keys(Session& session, Arguments words) {
  if (words[1].size() > kLongestPattern) return session.error(pattern_too_long(words[1]));
  Found found{session};
  const Filter filter{.pattern = words[1]};
  std::uint64_t cursor = 0;
  do {
    cursor = step(session, cursor, kStep, filter, found);
  } while (cursor != 0 && found.fits());
  if (!found.fits()) {
    return session.error_reply_too_large();
  }
  // What grew under the walk may have been seen twice.
  std::vector<std::string_view> once{found.keys().begin(), found.keys().end()};
  std::ranges::sort(once);
  once.erase(std::unique(once.begin(), once.end()), once.end());
  auto reply = session.reply();
  reply.array(once.size());
  for (const std::string_view key : once) reply.bulk(key);
}

// Somewhere in the table, the next keys from there, and one of them.
void randomkey(Session& session, Arguments) {
  Found found{session};
  std::uint64_t cursor =
      std::uint64_t{session.context().random()} << 32 | session.context().random();
  bool wrapped = false;
  while (found.keys().empty()) {
    cursor = step(session, cursor, 16, {}, found);
    if (cursor == 0 && std::exchange(wrapped, true)) break;
  }
  if (found.keys().empty()) return session.reply().null();
  session.reply().bulk(found.keys()[session.context().random() % found.keys().size()]);
}

}  // namespace larder::commands
