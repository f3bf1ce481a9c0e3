#include "base/quantity.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>

namespace larder {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t size;  // in the smallest unit
};

// The largest first.
constexpr std::array kTimeUnits{Unit{"d", 86'400'000'000'000},
                                Unit{"h", 3'600'000'000'000},
                                Unit{"m", 60'000'000'000},
                                Unit{"s", 1'000'000'000},
                                Unit{"ms", 1'000'000},
                                Unit{"us", 1'000},
                                Unit{"ns", 1}};

constexpr std::array kSizeUnits{Unit{"TiB", 1ULL << 40}, Unit{"TB", 1'000'000'000'000},
                                Unit{"GiB", 1ULL << 30}, Unit{"GB", 1'000'000'000},
                                Unit{"MiB", 1ULL << 20}, Unit{"MB", 1'000'000},
                                Unit{"KiB", 1ULL << 10}, Unit{"KB", 1'000},
                                Unit{"kB", 1'000},       Unit{"B", 1}};

// What people also write, and what it is called here.
struct Alias {
  std::string_view written;
  std::string_view meant;
};

constexpr std::array kTimeAliases{
    Alias{"sec", "s"}, Alias{"secs", "s"},  Alias{"second", "s"},   Alias{"seconds", "s"},
    Alias{"min", "m"}, Alias{"mins", "m"},  Alias{"minute", "m"},   Alias{"minutes", "m"},
    Alias{"hr", "h"},  Alias{"hrs", "h"},   Alias{"hour", "h"},     Alias{"hours", "h"},
    Alias{"day", "d"}, Alias{"days", "d"},  Alias{"msec", "ms"},    Alias{"millis", "ms"},
    Alias{"S", "s"},   Alias{"M", "m"},     Alias{"H", "h"},        Alias{"D", "d"},
    Alias{"MS", "ms"}, Alias{"usec", "us"}, Alias{"\u00b5s", "us"}, Alias{"\u03bcs", "us"}};

constexpr std::array kSizeAliases{
    Alias{"K", "KiB"},   Alias{"M", "MiB"},   Alias{"G", "GiB"},   Alias{"T", "TiB"},
    Alias{"k", "KiB"},   Alias{"m", "MiB"},   Alias{"g", "GiB"},   Alias{"t", "TiB"},
    Alias{"kb", "KiB"},  Alias{"mb", "MiB"},  Alias{"gb", "GiB"},  Alias{"tb", "TiB"},
    Alias{"Kb", "KiB"},  Alias{"Mb", "MiB"},  Alias{"Gb", "GiB"},  Alias{"Tb", "TiB"},
    Alias{"kib", "KiB"}, Alias{"mib", "MiB"}, Alias{"gib", "GiB"}, Alias{"tib", "TiB"},
    Alias{"b", "B"},     Alias{"byte", "B"},  Alias{"bytes", "B"}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string in_quotes(std::string_view text) { return "\"" + std::string{text} + "\""; }

std::unexpected<Error> refuse(std::string why) {
  return fail(Errc::kInvalidArgument, std::move(why));
}

// `a * b + c`, unless it overflows.
std::optional<std::uint64_t> multiply_add(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  if (__builtin_add_overflow(product, c, &product)) return std::nullopt;
  return product;
}

struct Number {
  std::uint64_t whole = 0;
  std::uint64_t fraction = 0;  // over `scale`
  std::uint64_t scale = 1;
};

// Takes a decimal number off the front of `text`.
Result<Number> take_number(std::string_view& text) {
  Number number;
  std::size_t at = 0;
  for (; at < text.size() && is_digit(text[at]); ++at) {
    const auto more = multiply_add(number.whole, 10, static_cast<std::uint64_t>(text[at] - '0'));
    if (!more) return refuse("is more than can be counted");
    number.whole = *more;
  }
  const std::size_t whole_digits = at;
  if (at < text.size() && text[at] == '.') {
    const std::size_t point = at++;
    for (; at < text.size() && is_digit(text[at]); ++at) {
      if (at - point > 18) return refuse("has more digits after the point than can be kept");
      number.fraction = number.fraction * 10 + static_cast<std::uint64_t>(text[at] - '0');
      number.scale *= 10;
    }
    if (at == point + 1) return refuse("has no digit after the point");
  }
  if (whole_digits == 0) return refuse("does not begin with a number");
  text.remove_prefix(at);
  return number;
}

std::string_view take_word(std::string_view& text) {
  std::size_t at = 0;
  while (at < text.size() && !is_digit(text[at]) && text[at] != '.' && text[at] != ' ') ++at;
  const std::string_view word = text.substr(0, at);
  text.remove_prefix(at);
  return word;
}

const Unit* find_unit(std::string_view name, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

std::string_view meant_by(std::string_view word, std::span<const Alias> aliases) {
  for (const Alias& alias : aliases) {
    if (alias.written == word) return alias.meant;
  }
  return {};
}

// `number` in the smallest unit, nothing rounded.
Result<std::uint64_t> scaled(Number number, const Unit& unit, std::string_view smallest) {
  const auto whole = multiply_add(number.whole, unit.size, 0);
  if (!whole) return refuse("is more than can be counted");
  if (number.fraction == 0) return *whole;

  // Both below 2^60: the product needs 128 bits for a moment.
  __extension__ using Wide = unsigned __int128;
  const Wide part = Wide{number.fraction} * unit.size;
  if (part % number.scale != 0) return refuse("is finer than one " + std::string{smallest});
  const auto sum = multiply_add(*whole, 1, static_cast<std::uint64_t>(part / number.scale));
  if (!sum) return refuse("is more than can be counted");
  return *sum;
}

// The message for a unit that is none; `before` is the text in front of it.
std::string unknown_unit(std::string_view before, std::string_view word,
                         std::span<const Alias> aliases, std::string_view units) {
  const std::string_view meant = meant_by(word, aliases);
  if (!meant.empty())
    return "should be written " + in_quotes(std::string{before} + std::string{meant});
  return "has the unknown unit " + in_quotes(word) + "; there are " + std::string{units};
}

constexpr std::string_view kTimeUnitList = "ns, us, ms, s, m, h and d";
constexpr std::string_view kSizeUnitList = "B, KiB, MiB, GiB, TiB, KB, MB, GB and TB";

void append_unit(std::string& out, std::uint64_t& rest, const Unit& unit) {
  if (rest < unit.size) return;
  out += std::to_string(rest / unit.size);
  out += unit.name;
  rest %= unit.size;
}

std::uint64_t magnitude(Duration duration) {
  const auto count = static_cast<std::uint64_t>(duration.count());
  return duration.count() < 0 ? 0 - count : count;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  if (text.empty()) return refuse("is empty");
  if (text[0] == '-') return refuse("is negative, which no duration here can be");
  std::string_view rest = text;
  std::uint64_t total = 0;
  const Unit* last = nullptr;
  while (!rest.empty()) {
    const auto number = take_number(rest);
    if (!number) return std::unexpected{number.error()};
    const std::string_view before = text.substr(0, text.size() - rest.size());
    if (rest.starts_with(' ')) rest.remove_prefix(1);
    const std::string_view word = take_word(rest);
    if (word.empty()) {
      return refuse("has no unit; write " + in_quotes(std::string{before} + "s") +
                    " for seconds or " + in_quotes(std::string{before} + "ms") +
                    " for milliseconds");
    }
    const Unit* unit = find_unit(word, kTimeUnits);
    if (unit == nullptr) return refuse(unknown_unit(before, word, kTimeAliases, kTimeUnitList));
    if (before.size() + word.size() + rest.size() != text.size()) {
      return refuse("has a space before its unit; write " +
                    in_quotes(std::string{before} + std::string{word}));
    }
    if (last != nullptr && unit->size >= last->size) {
      return refuse("names the unit " + in_quotes(word) + " after " + in_quotes(last->name) +
                    "; the largest unit comes first, and each once");
    }
    last = unit;
    const auto part = scaled(*number, *unit, "nanosecond");
    if (!part) return std::unexpected{part.error()};
    const auto sum = multiply_add(total, 1, *part);
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<Duration::rep>::max());
    if (!sum || *sum > kMost) return refuse("is longer than 292 years");
    total = *sum;
  }
  return Duration{static_cast<Duration::rep>(total)};
}

Result<ByteCount> parse_bytes(std::string_view text) {
  if (text.empty()) return refuse("is empty");
  if (text[0] == '-') return refuse("is negative, which no size can be");
  std::string_view rest = text;
  const auto number = take_number(rest);
  if (!number) return std::unexpected{number.error()};
  const std::string before{text.substr(0, text.size() - rest.size())};
  if (rest.empty()) {
    return refuse("has no unit; write " + in_quotes(before + "MiB") + " or " +
                  in_quotes(before + "B"));
  }
  const bool spaced = rest.starts_with(' ');
  if (spaced) rest.remove_prefix(1);
  const Unit* unit = find_unit(rest, kSizeUnits);
  if (unit == nullptr) return refuse(unknown_unit(before, rest, kSizeAliases, kSizeUnitList));
  if (spaced) {
    return refuse("has a space before its unit; write " + in_quotes(before + std::string{rest}));
  }
  const auto bytes = scaled(*number, *unit, "byte");
  if (!bytes) return std::unexpected{bytes.error()};
  return ByteCount{*bytes};
}

std::string format_duration(Duration duration) {
  if (duration == Duration::zero()) return "0s";
  std::string out = duration < Duration::zero() ? "-" : "";
  std::uint64_t rest = magnitude(duration);
  for (const Unit& unit : kTimeUnits) append_unit(out, rest, unit);
  return out;
}

std::string approximate_duration(Duration duration) {
  std::uint64_t rest = magnitude(duration);
  std::string out = duration < Duration::zero() ? "-" : "";
  constexpr std::uint64_t kMinute = 60'000'000'000;
  if (rest == 0) return "0s";
  if (rest >= kMinute) {  // the two largest units
    std::size_t first = 0;
    while (rest < kTimeUnits[first].size) ++first;
    append_unit(out, rest, kTimeUnits[first]);
    append_unit(out, rest, kTimeUnits[first + 1]);
    return out;
  }
  std::size_t at = 3;  // seconds
  while (rest < kTimeUnits[at].size) ++at;
  const std::uint64_t size = kTimeUnits[at].size;
  const std::uint64_t whole = rest / size;
  out += std::to_string(whole);
  const std::size_t decimals = size == 1 || whole >= 100 ? 0 : whole >= 10 ? 1 : 2;
  if (decimals > 0) {  // cut, not rounded: 999.9 ms never reads as a second
    const std::string thousandths = std::to_string(1000 + rest % size * 1000 / size);
    out += "." + thousandths.substr(1, decimals);
  }
  out += kTimeUnits[at].name;
  return out;
}

std::string format_bytes(ByteCount size) {
  if (size.bytes == 0) return "0B";
  for (const Unit& unit : kSizeUnits) {
    if (size.bytes % unit.size == 0) {
      return std::to_string(size.bytes / unit.size) + std::string{unit.name};
    }
  }
  return std::to_string(size.bytes) + "B";
}

}  // namespace larder
