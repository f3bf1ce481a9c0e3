#include "postgres/key_batch.hpp"

#include <charconv>
#include <cmath>

#include "larder/json_text.hpp"
#include "postgres/array_text.hpp"

namespace larder {

namespace {

bool is_integer_list(Oid list) { return list == 1005 || list == 1007 || list == 1016; }

// As PostgreSQL prints an integer: one spelling each.
bool is_canonical_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size() &&
         std::to_string(number) == text;
}

}  // namespace

Result<std::optional<std::string>> postgres_parameter(const SqlValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&value)) {
    if (std::isnan(*real)) return "NaN";
    if (std::isinf(*real)) return *real > 0 ? "Infinity" : "-Infinity";
    std::string text;
    (void)append_json_double(text, *real);  // finite
    return text;
  }
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return std::nullopt;
  if (text->find('\0') != std::string::npos) {
    return fail(Errc::kInvalidArgument,
                "a part of the key has a zero byte, which PostgreSQL's text cannot hold");
  }
  if (first_invalid_utf8(*text)) {
    return fail(Errc::kInvalidArgument, "a part of the key is not UTF-8");
  }
  return *text;
}

// Text is exact but for collations that take different texts for the same: those are
// somebody's own, and a column that has one says so with a row that names another key,
// or with none at all. So of lists of text, only what is found is believed.
PostgresKeyBatch::PostgresKeyBatch(std::span<const SqlParameters> keys, Oid list)
    : exact_{is_integer_list(list)} {
  texts_.resize(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    Result<std::optional<std::string>> text = postgres_parameter(keys[i].front().value);
    const bool fits = text && *text && (!exact_ || is_canonical_integer(**text));
    if (fits) texts_[i] = std::move(**text);
    const bool together = fits && places_.emplace(texts_[i], i).second;
    (together ? together_ : alone_).push_back(i);
  }
}

std::optional<std::size_t> PostgresKeyBatch::find(std::string_view row) const {
  const auto found = places_.find(row);
  return found == places_.end() ? std::nullopt : std::optional{found->second};
}

std::string PostgresKeyBatch::list(std::span<const std::size_t> places) const {
  std::string array = "{";
  for (const std::size_t place : places) {
    if (array.size() > 1) array += ',';
    append_array_element(array, texts_[place]);
  }
  return array += '}';
}

}  // namespace larder
