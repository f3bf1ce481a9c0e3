// Numbers as values: on caches without a source.
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "server/commands/commands.hpp"
#include "server/commands/words.hpp"
#include "server/commands/writable.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

using Limits = std::numeric_limits<std::int64_t>;

bool overflows(std::int64_t value, std::int64_t by) {
  return by < 0 ? value < Limits::min() - by : value > Limits::max() - by;
}

// Changes the value of words[1]: change(bytes or null) gives the new one, or none
// when it has found a problem, which becomes the reply.
struct Changed {
  std::optional<std::string> value;
  std::string_view problem;
};
template <class Change>
std::optional<std::string> change(Session& session, Arguments words, Change&& change) {
  BytesCache* const cache = plain_cache(session, words[1], words[0]);
  if (cache == nullptr) return std::nullopt;
  const EntryInfo fresh = cache->entry_for_put();
  Changed changed;
  const auto outcome =
      cache->update(words[1], [&](const std::string_view* value, const EntryInfo* was) {
        changed = change(value);
        if (!changed.value) return BytesTier::Update::keep();
        return BytesTier::Update::store(*changed.value,
                                        was == nullptr ? fresh : with_life_of(*was, fresh));
      });
  if (!changed.value) {
    session.error(changed.problem);
    return std::nullopt;
  }
  if (!stored(session, *cache, outcome.put)) return std::nullopt;
  return std::move(changed.value);
}

void add(Session& session, Arguments words, std::int64_t by) {
  std::int64_t sum = 0;
  const auto added = change(session, words, [&](const std::string_view* value) -> Changed {
    const auto number = value == nullptr ? 0 : to_integer(*value);
    if (!number) return {{}, kNotAnInteger};
    if (overflows(*number, by)) return {{}, "ERR increment or decrement would overflow"};
    sum = *number + by;
    return {std::to_string(sum), {}};
  });
  if (added) session.reply().integer(sum);
}

// A number as strtold() reads it, the whole word and nothing before it. Redis
// reckons in long double, and so does who must come to its sums.
std::optional<long double> to_fraction(std::string_view word) {
  constexpr std::size_t kLongest = 5120;  // Redis's
  if (word.empty() || word.size() >= kLongest || std::isspace(static_cast<unsigned char>(word[0])))
    return std::nullopt;
  const std::string text{word};
  char* end = nullptr;
  errno = 0;
  const long double value = std::strtold(text.c_str(), &end);
  if (end != text.c_str() + text.size() || std::isnan(value)) return std::nullopt;
  if (errno == ERANGE && (std::isinf(value) || std::fpclassify(value) == FP_ZERO)) {
    return std::nullopt;
  }
  return value;
}

// 17 digits behind the point, without the zeros at their end.
std::string to_text(long double value) {
  std::array<char, 5120> text;  // the largest has 4,933 digits before the point
  const int size = std::snprintf(text.data(), text.size(), "%.17Lf", value);
  std::string digits{text.data(), static_cast<std::size_t>(size)};
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  return digits == "-0" ? "0" : digits;
}

}  // namespace

void incr(Session& session, Arguments words) { add(session, words, 1); }

void decr(Session& session, Arguments words) { add(session, words, -1); }

void incrby(Session& session, Arguments words) {
  const auto by = to_integer(words[2]);
  if (!by) return session.error(kNotAnInteger);
  add(session, words, *by);
}

void decrby(Session& session, Arguments words) {
  const auto by = to_integer(words[2]);
  if (!by) return session.error(kNotAnInteger);
  if (*by == Limits::min()) return session.error("ERR decrement would overflow");
  add(session, words, -*by);
}

void incrbyfloat(Session& session, Arguments words) {
  const auto by = to_fraction(words[2]);
  const auto added = change(session, words, [&](const std::string_view* value) -> Changed {
    const auto number = value == nullptr ? 0.0L : to_fraction(*value);
    if (!number || !by) return {{}, "ERR value is not a valid float"};
    const long double sum = *number + *by;
    if (std::isnan(sum) || std::isinf(sum)) {
      return {{}, "ERR increment would produce NaN or Infinity"};
    }
    return {to_text(sum), {}};
  });
  if (added) session.reply().bulk(*added);
}

}  // namespace larder::commands
