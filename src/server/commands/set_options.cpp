#include "server/commands/set_options.hpp"

#include "server/commands/words.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

struct UnitName {
  std::string_view name;
  TimeUnit unit;
};
constexpr UnitName kUnitNames[] = {
    {"ex", kSeconds},
    {"px", kMilliseconds},
    {"exat", kUnixSeconds},
    {"pxat", kUnixMilliseconds},
};

bool same_unit(TimeUnit a, TimeUnit b) {
  return a.milliseconds == b.milliseconds && a.since_1970 == b.since_1970;
}

// "EX 10" at words[i], and no other unit before it; moves `i` to its number.
bool read_amount(Arguments words, std::size_t& i, SetOptions& options) {
  if (options.keep_ttl || options.persist || i + 1 == words.size()) return false;
  for (const UnitName& each : kUnitNames) {
    if (!same_word(words[i], each.name)) continue;
    if (options.amount && !same_unit(options.unit, each.unit)) return false;
    options.amount = words[++i];
    options.unit = each.unit;
    return true;
  }
  return false;
}

}  // namespace

std::optional<SetOptions> read_set_options(Arguments words) {
  using If = SetOptions::If;
  SetOptions options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (same_word(words[i], "nx") && options.store != If::kPresent) {
      options.store = If::kAbsent;
    } else if (same_word(words[i], "xx") && options.store != If::kAbsent) {
      options.store = If::kPresent;
    } else if (same_word(words[i], "get")) {
      options.get = true;
    } else if (same_word(words[i], "keepttl") && !options.amount) {
      options.keep_ttl = true;
    } else if (!read_amount(words, i, options)) {
      return std::nullopt;
    }
  }
  return options;
}

std::optional<SetOptions> read_getex_options(Arguments words) {
  SetOptions options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (same_word(words[i], "persist") && !options.amount) {
      options.persist = true;
    } else if (!read_amount(words, i, options)) {
      return std::nullopt;
    }
  }
  return options;
}

std::optional<TimePoint> read_life(Session& session, std::string_view amount, TimeUnit unit,
                                   std::string_view command) {
  const auto number = to_integer(amount);
  if (!number) {
    session.error(kNotAnInteger);
    return std::nullopt;
  }
  const auto end = *number > 0 ? end_of_life(session, *number, unit) : std::nullopt;
  if (!end) session.error(invalid_expire_time(command));
  return end;
}

}  // namespace larder::commands
