#include "config/value_reader.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <utility>

#include "base/nearest_name.hpp"
#include "base/quantity.hpp"
#include "config/setting_text.hpp"
#include "config/syntax.hpp"

namespace larder {
namespace {

// What stands there, for "must be a list and not …".
std::string describe(const toml::node& node) {
  if (const auto* text = node.as_string()) return "the text " + in_quotes(text->get());
  if (const auto* number = node.as_integer()) return "the number " + std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) {
    return "the number " + format_fraction(number->get());
  }
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (node.is_array()) return "a list";
  if (node.is_table()) return "a table";
  return "a date or time";
}

// What people write for "without end".
bool means_for_ever(std::string_view text) {
  constexpr std::array<std::string_view, 9> kWords{"forever",  "for ever", "never",   "none", "inf",
                                                   "infinite", "infinity", "eternal", "off"};
  return std::ranges::find(kWords, text) != kWords.end();
}

std::string without_newline(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

bool is_variable_name(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

std::string beside(const std::string& file, const std::string& path) {
  return (std::filesystem::path{file}.parent_path() / path).lexically_normal().string();
}

void ValueReader::report(const Place& place, const std::string& what) {
  std::string message = place.path + " " + what;
  if (!message.ends_with('.') && !message.ends_with('?')) message += '.';
  problems_.push_back(
      {.position = position_of(place.node.source()), .message = std::move(message)});
}

void ValueReader::wrong_type(const Place& place, std::string_view wanted) {
  report(place, "must be " + std::string{wanted} + ", as in " + last_name(place.path) + " = " +
                    std::string{place.example} + ", and not " + describe(place.node));
}

template <class T>
bool ValueReader::within(const Place& place, const std::string& shown, T value, T least, T most) {
  const bool small = value < least;
  if (!small && !(value > most)) return true;
  const std::string_view consequence = small ? place.too_small : place.too_large;
  std::string what = "is " + shown + ", " + (small ? "less" : "more") + " than the " +
                     (small ? "least" : "most") + ", " + format_setting(small ? least : most) + ".";
  if (!consequence.empty()) what += " " + std::string{consequence};
  report(place, what);
  return false;
}

void ValueReader::count(const Place& place, unsigned least, unsigned most, unsigned& into) {
  const auto* number = place.node.as_integer();
  if (number == nullptr) return wrong_type(place, "a whole number");
  // Ranges are far inside 64 bits; a negative number is simply below `least`.
  const std::int64_t value = number->get();
  if (within<std::int64_t>(place, format_setting(value), value, least, most))
    into = static_cast<unsigned>(value);
}

void ValueReader::fraction(const Place& place, double least, double most, double& into) {
  const auto number = place.node.value<double>();
  if (!place.node.is_number() || !number) return wrong_type(place, "a number");
  if (std::isnan(*number)) return wrong_type(place, "a number");
  if (within(place, format_fraction(*number), *number, least, most)) into = *number;
}

void ValueReader::bare_number(const Place& place, std::string_view kind, std::string_view first,
                              std::string_view second) {
  const double number = *place.node.value<double>();
  const auto* whole = place.node.as_integer();
  const std::string digits =
      whole != nullptr ? std::to_string(whole->get()) : format_fraction(number);
  const bool guessable = number > 0 && std::isfinite(number);
  report(place,
         "is the bare number " + digits + "; a " + std::string{kind} +
             " has a unit and stands in quotes, as " +
             (guessable ? "\"" + digits + std::string{first} + "\" or \"" + digits +
                              std::string{second} + "\""
                        : "in " + last_name(place.path) + " = " + std::string{place.example}));
}

void ValueReader::duration(const Place& place, Duration least, Duration most, Duration& into) {
  if (place.node.is_number()) return bare_number(place, "duration", "s", "ms");
  const auto text = resolved(place, "a duration");
  if (!text) return;
  if (means_for_ever(text->value)) {
    return report(place, "is " + text->shown + ", but it has to end: the most is " +
                             format_setting(most) + ", the least " + format_setting(least));
  }
  const auto duration = parse_duration(text->value);
  if (!duration) {
    return report(place, "is " + text->shown + ", which " +
                             (text->literal ? duration.error().message : "is no duration"));
  }
  if (within(place, text->literal ? text->value : text->shown, *duration, least, most))
    into = *duration;
}

void ValueReader::size(const Place& place, ByteCount least, ByteCount most, ByteCount& into) {
  if (place.node.is_number()) return bare_number(place, "size", "MiB", "B");
  const auto text = resolved(place, "a size");
  if (!text) return;
  const auto size = parse_bytes(text->value);
  if (!size) {
    return report(place, "is " + text->shown + ", which " +
                             (text->literal ? size.error().message : "is no size"));
  }
  if (within(place, text->literal ? text->value : text->shown, *size, least, most)) into = *size;
}

void ValueReader::flag(const Place& place, bool& into) {
  const auto* flag = place.node.as_boolean();
  if (flag == nullptr) return wrong_type(place, "true or false");
  into = flag->get();
}

void ValueReader::texts(const Place& place, std::vector<std::string>& into) {
  const auto* list = place.node.as_array();
  if (list == nullptr) return wrong_type(place, "a list of texts");
  for (const toml::node& element : *list) {
    const Place inner{.path = place.path,
                      .node = element,
                      .example = place.example,
                      .too_small = {},
                      .too_large = {}};
    if (!element.is_string()) {
      wrong_type(inner, "a list of texts");
    } else if (const auto text = resolved(inner, "a list of texts")) {
      into.push_back(text->value);
    }
  }
}

void ValueReader::pattern(const Place& place, KeyPattern& into) {
  const auto text = plain_text(place, "a key pattern");
  if (!text) return;
  auto pattern = KeyPattern::parse(*text);
  if (!pattern) return report(place, "is " + in_quotes(*text) + ": " + pattern.error().message);
  into = std::move(*pattern);
}

void ValueReader::strategy(const Place& place, StrategyKind& into) {
  const auto text = resolved(place, "a strategy");
  if (!text) return;
  constexpr std::array kKnown{StrategyKind::kCacheAside, StrategyKind::kReadThrough,
                              StrategyKind::kWriteThrough, StrategyKind::kWriteBehind};
  std::array<std::string_view, kKnown.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) {
    names[i] = to_string(kKnown[i]);
    if (text->value != names[i]) continue;
    into = kKnown[i];
    return;
  }
  const auto nearest = text->literal ? nearest_name(text->value, names) : std::nullopt;
  report(place, "is " + text->shown + ", which is no strategy; " +
                    (nearest ? "did you mean \"" + std::string{*nearest} + "\"?"
                             : "there are " + list_names(names) + "."));
}

void ValueReader::text(const Place& place, std::string_view form, TextCheck check,
                       bool may_be_empty, std::string& into) {
  auto text = resolved(place, form);
  if (!text) return;
  if (text->value.empty() && !may_be_empty) {
    return report(place, "is empty; it must be " + std::string{form});
  }
  const auto complaint = check != nullptr ? check(text->value) : std::nullopt;
  if (complaint && text->literal) {
    return report(place, "is " + text->shown + ", which " + *complaint);
  }
  if (complaint) return report(place, "is " + text->shown + ", which is not " + std::string{form});
  into = std::move(text->value);
}

void ValueReader::secret(const Place& place, std::string_view form, TextCheck check, Secret& into) {
  auto text = resolved(place, form);
  if (!text) return;
  const auto complaint = check != nullptr ? check(text->value) : std::nullopt;
  if (complaint && text->literal) return report(place, *complaint);
  if (complaint) return report(place, "is " + text->shown + ", which " + *complaint);
  into = Secret{std::move(text->value)};
}

std::optional<std::string> ValueReader::plain_text(const Place& place, std::string_view wanted) {
  const auto* text = place.node.as_string();
  if (text != nullptr) return text->get();
  wrong_type(place, wanted);
  return std::nullopt;
}

// `env:NAME` and `file:PATH` stand for what is there.
std::optional<ResolvedText> ValueReader::resolved(const Place& place, std::string_view wanted) {
  const auto text = plain_text(place, wanted);
  if (!text) return std::nullopt;
  const bool variable = text->starts_with("env:");
  if (!variable && !text->starts_with("file:")) {
    return ResolvedText{.value = *text, .shown = in_quotes(*text)};
  }
  auto found =
      variable ? from_environment(place, text->substr(4)) : from_file(place, text->substr(5));
  if (found) origin_ = found->shown;
  return found;
}

std::optional<ResolvedText> ValueReader::from_environment(const Place& place, std::string name) {
  if (!is_variable_name(name)) {
    report(place, "is " + in_quotes("env:" + name) +
                      ", which names no environment variable; write \"env:SHOP_URL\".");
    return std::nullopt;
  }
  auto value = surroundings_.environment ? surroundings_.environment(name) : std::nullopt;
  if (value) {
    return ResolvedText{
        .value = std::move(*value), .shown = "the value of env:" + name, .literal = false};
  }
  report(place, "is taken from the environment variable " + name +
                    ", which is not set; set it where larder is started.");
  return std::nullopt;
}

std::optional<ResolvedText> ValueReader::from_file(const Place& place, std::string path) {
  if (path.empty() || path.contains('\0')) {
    report(place, "is " + in_quotes("file:" + path) +
                      ", which names no file; write \"file:/run/secrets/shop_url\".");
    return std::nullopt;
  }
  const std::string where = beside(surroundings_.file, path);
  auto text = surroundings_.read_file
                  ? surroundings_.read_file(where)
                  : Result<std::string>{fail(Errc::kInvalidArgument, "cannot be read here")};
  if (text) {
    return ResolvedText{.value = without_newline(std::move(*text)),
                        .shown = "the text of the file " + in_quotes(where),
                        .literal = false};
  }
  report(place, "is taken from the file " + in_quotes(where) + ", which " + text.error().message);
  return std::nullopt;
}

}  // namespace larder
