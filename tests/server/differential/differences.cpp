#include "server/differential/differences.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <ctime>

namespace larder::test {

namespace {

using resp::Reply;
using Kind = Reply::Kind;

constexpr std::int64_t kSlowness = 120;  // seconds that a test may be held up
constexpr std::int64_t kHundredYears = 100LL * 365 * 24 * 3600;  // seconds

std::string lower(std::string_view word) {
  std::string text{word};
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// Of a command that answers a time: how many make a second. 0: it does not.
std::int64_t time_unit(std::string_view name) {
  if (name == "ttl" || name == "expiretime") return 1;
  if (name == "pttl" || name == "pexpiretime") return 1000;
  return 0;
}

bool is_far(std::string_view name, std::int64_t time) {
  const bool absolute = name == "expiretime" || name == "pexpiretime";
  const std::int64_t since = absolute ? std::time(nullptr) : 0;
  return time / time_unit(name) >= since + kHundredYears - kSlowness;
}

bool starts_with(const Reply& reply, std::string_view text) { return reply.text.starts_with(text); }

bool same_time(std::string_view name, const Reply& redis, const Reply& larder) {
  if (redis.kind != Kind::kInteger || larder.kind != Kind::kInteger) return false;
  if (redis.integer < 0 || larder.integer < 0) return redis.integer == larder.integer;
  return std::abs(redis.integer - larder.integer) <= kSlowness * time_unit(name);
}

bool same_set(Reply redis, Reply larder) {
  if (redis.kind != larder.kind) return false;
  const auto by_text = [](const Reply& a, const Reply& b) { return a.text < b.text; };
  std::ranges::sort(redis.items, by_text);
  std::ranges::sort(larder.items, by_text);
  return redis == larder;
}

bool same_kinds(const Reply& redis, const Reply& larder) { return redis.kind == larder.kind; }

// The replies of a transaction are compared one by one, with their commands.
bool is_own_choice(std::string_view name, const Words& words) {
  for (const std::string_view own :
       {"randomkey", "time", "scan", "info", "config", "slowlog", "latency"}) {
    if (name == own) return true;
  }
  if (words.size() < 2) return false;
  const std::string sub = lower(words[1]);
  return (name == "client" && (sub == "id" || sub == "info" || sub == "list")) ||
         (name == "memory" && sub == "usage") || (name == "object" && sub == "idletime");
}

constexpr Difference kDifferences[] = {
    {"`HELLO` names larder, its own Redis version and client number.",
     "They are what a client asks for.",
     [](std::string_view name, const Words&, const Reply& redis, const Reply& larder) {
       return name == "hello" && redis.kind == larder.kind &&
              redis.items.size() == larder.items.size();
     }},
    {"Every key has a time to live: where Redis answers -1 to `TTL`, `PTTL`, `EXPIRETIME` and "
     "`PEXPIRETIME`, larder answers the `ttl` of the key's cache.",
     "Nothing lives for ever in a cache.",
     [](std::string_view name, const Words&, const Reply& redis, const Reply& larder) {
       if (time_unit(name) == 0 || redis.kind != Kind::kInteger || redis.integer != -1)
         return false;
       return larder.integer > 0;
     }},
    {"Lives of more than 100 years are cut to 100 years.",
     "The steady clock, by which entries live, counts nanoseconds in 64 bits.",
     [](std::string_view name, const Words&, const Reply& redis, const Reply& larder) {
       return time_unit(name) != 0 && redis.kind == Kind::kInteger &&
              larder.kind == Kind::kInteger && is_far(name, redis.integer) &&
              is_far(name, larder.integer);
     }},
    {"A key that fits no cache's pattern is refused, also by commands that only read.",
     "The configuration says which keys there are; a mistyped key should not look like a miss.",
     [](std::string_view, const Words&, const Reply&, const Reply& larder) {
       return larder.is_error() && starts_with(larder, "ERR key ");
     }},
    {"`OBJECT ENCODING` says what a value would have that was set whole.",
     "larder keeps bytes, in one way; Redis also keeps how a value came about.",
     [](std::string_view name, const Words& words, const Reply& redis, const Reply& larder) {
       const bool less = redis.text == "raw" || (redis.text == "embstr" && larder.text == "int");
       return name == "object" && lower(words[1]) == "encoding" && redis.kind == Kind::kBulk &&
              larder.kind == Kind::kBulk && less;
     }},
    {"`OBJECT FREQ` answers 0 to 3, always; Redis only under an LFU policy.",
     "larder's eviction always counts so.",
     [](std::string_view name, const Words&, const Reply& redis, const Reply& larder) {
       return name == "object" && redis.is_error() && starts_with(redis, "ERR An LFU") &&
              larder.kind == Kind::kInteger;
     }},
    {"`APPEND` and `SETRANGE` name `server.max_value` where a value would become too long.",
     "That is the setting to change.",
     [](std::string_view, const Words&, const Reply& redis, const Reply& larder) {
       return redis.is_error() && larder.is_error() &&
              starts_with(redis, "ERR string exceeds maximum allowed size") &&
              starts_with(larder, "ERR string exceeds maximum allowed size");
     }},
    {"`COMMAND` tells of larder's commands: their summaries, categories and hints are its own.",
     "Not all of Redis's are there, and some do other things.",
     [](std::string_view name, const Words&, const Reply& redis, const Reply& larder) {
       return name == "command" && redis.kind == larder.kind && !redis.is_error();
     }},
    {"The patterns of `KEYS`, `SCAN`, `COMMAND LIST` and `CONFIG GET` have at most 1,024 bytes.",
     "What matching a key costs grows with its length times the pattern's.",
     [](std::string_view, const Words&, const Reply&, const Reply& larder) {
       return larder.is_error() && starts_with(larder, "ERR the pattern has ");
     }},
    {"Client names have at most 256 bytes.", "A client must not take memory that no limit counts.",
     [](std::string_view, const Words& words, const Reply& redis, const Reply& larder) {
       return larder.text == "ERR Client names have at most 256 bytes" ||
              (words.size() == 2 && lower(words[1]) == "getname" && redis.text.size() > 256);
     }},
    {"`HELP` of `CLIENT`, `COMMAND`, `CONFIG`, `LATENCY`, `MEMORY`, `OBJECT` and `SLOWLOG` is "
     "larder's own text.",
     "It tells what larder has.",
     [](std::string_view, const Words& words, const Reply& redis, const Reply& larder) {
       return words.size() == 2 && lower(words[1]) == "help" && redis.kind == Kind::kArray &&
              larder.kind == Kind::kArray;
     }},
};

}  // namespace

std::span<const Difference> differences() { return kDifferences; }

bool same(const Words& words, const Reply& redis, const Reply& larder) {
  const std::string name = words.empty() ? "" : lower(words[0]);
  if (redis == larder) return true;
  if (redis.is_error() || larder.is_error()) return false;
  if (time_unit(name) != 0) return same_time(name, redis, larder);
  if (name == "keys") return same_set(redis, larder);
  return is_own_choice(name, words) && same_kinds(redis, larder);
}

bool explained(const Words& words, const Reply& redis, const Reply& larder) {
  if (same(words, redis, larder)) return true;
  const std::string name = words.empty() ? "" : lower(words[0]);
  return std::ranges::any_of(kDifferences, [&](const Difference& difference) {
    return difference.explains(name, words, redis, larder);
  });
}

std::string shown(const Words& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ' ';
    text += '"';
    for (const char c : word.substr(0, 200)) {
      if (c >= ' ' && c <= '~' && c != '"') {
        text += c;
      } else {
        constexpr std::string_view kDigits = "0123456789abcdef";
        const auto byte = static_cast<unsigned char>(c);
        text += {'\\', 'x', kDigits[byte / 16], kDigits[byte % 16]};
      }
    }
    text += word.size() > 200 ? "…\"" : "\"";
  }
  return text;
}

std::string shown(const Reply& reply) {
  switch (reply.kind) {
    case Kind::kNull: return "null";
    case Kind::kInteger: return std::to_string(reply.integer);
    case Kind::kSimple: return "+" + reply.text;
    case Kind::kError: return "-" + reply.text;
    case Kind::kBulk: return shown(Words{reply.text});
    default: break;
  }
  std::string text = "kind " + std::to_string(static_cast<int>(reply.kind)) + " [";
  for (const Reply& item : reply.items) text += shown(item) + ", ";
  return text + "]" + reply.text;
}

}  // namespace larder::test
