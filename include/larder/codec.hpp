// Codecs: a value as bytes, and back.
//
// A type that is described with BOOST_DESCRIBE_STRUCT has one already:
//
//   struct Review { std::string author; int stars; };
//   BOOST_DESCRIBE_STRUCT(Review, (), (author, stars))
//   struct Product { std::int64_t id; std::optional<std::string> note; std::vector<Review> reviews;
//   }; BOOST_DESCRIBE_STRUCT(Product, (), (id, note, reviews))
//
//   larder::JsonCodec<Product>::decode(R"({"id": 42, "reviews": []})");
//
// Members may be bool, integers, floating point, std::string, enums described
// with BOOST_DESCRIBE_ENUM, std::optional, std::vector, std::map and
// std::unordered_map with string keys, std::vector<std::byte> (base64),
// boost::json::value (anything), and described structs.
//
// Threads: codecs have no state; any thread.
#pragma once

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value.hpp>
#include <concepts>
#include <string>
#include <string_view>
#include <utility>

#include "larder/error.hpp"
#include "larder/json_decode.hpp"
#include "larder/json_encode.hpp"
#include "larder/json_text.hpp"

namespace larder {

// `encode` throws Failure when the value cannot be said in the codec's format (a
// NaN in JSON). `decode` takes any bytes: what does not decode is kBadValue.
template <class C, class Value>
concept Codec = requires(const Value& value, std::string_view bytes) {
  { C::encode(value) } -> std::same_as<std::string>;
  { C::decode(bytes) } -> std::same_as<Result<Value>>;
};

// A string is its own bytes.
struct BytesCodec {
  [[nodiscard]] static std::string encode(const std::string& value) { return value; }
  [[nodiscard]] static Result<std::string> decode(std::string_view bytes) {
    return std::string{bytes};
  }
};

// JSON. Members are matched by name; those that Value does not know are ignored, those
// that are missing are an error unless optional. Numbers are exact: an integer
// that does not fit its member is an error. A bool reads 0 and 1 as well, an
// enum the number of an enumerator: SQLite has neither type.
template <class Value>
struct JsonCodec {
  [[nodiscard]] static std::string encode(const Value& value) {
    std::string text;
    json_detail::encode(text, value, json_detail::Where{});
    return text;
  }

  // Errors name the member: `reviews[3].stars: expected an integer, found "x"`.
  [[nodiscard]] static Result<Value> decode(std::string_view text) {
    boost::json::monotonic_resource arena;
    const Result<boost::json::value> parsed = parse_json(text, &arena);
    if (!parsed) return std::unexpected{parsed.error()};
    Value value{};
    std::string problem;
    if (json_detail::decode(*parsed, value, json_detail::Where{}, problem)) return value;
    return fail(Errc::kBadValue, std::move(problem));
  }
};

namespace json_detail {
template <class Value>
struct Default {
  using type = JsonCodec<Value>;
};
template <>
struct Default<std::string> {
  using type = BytesCodec;
};
}  // namespace json_detail

// The codec of a type that names none: bytes for std::string, else JSON.
template <class Value>
using DefaultCodec = typename json_detail::Default<Value>::type;

}  // namespace larder
