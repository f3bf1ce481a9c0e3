// How the keys and values of a program's types are said in a shared tier. Programs include
// shared.hpp.
//
// A key is a std::string, said as it is, or a bool, a number, an enum, a std::optional or a
// struct described with BOOST_DESCRIBE_STRUCT of such members: `42`, `42,de`. A value is said
// by its codec (codec.hpp), and remembered with its shape: what a program with another
// `struct Product` left there is a miss for this one, not half of a Product.
//
// Threads: pure functions.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "larder/codec.hpp"
#include "larder/error.hpp"
#include "larder/json_shape.hpp"
#include "larder/shared_tier.hpp"

namespace larder {

namespace shared_detail {

using json_detail::DescribedStruct;
using json_detail::IsMap;
using json_detail::IsOptional;
using json_detail::IsVector;
using json_detail::Members;

inline constexpr char kBetween = ',';  // members
inline constexpr char kEscape = '\\';

// ---- Keys. Those that differ are said differently, and none cannot be said. ----

template <class T>
[[nodiscard]] std::string say_number(T value) {
  constexpr std::size_t kLongest = 64;
  char text[kLongest];            // NOLINT: what to_chars takes
  if (value == T{}) value = T{};  // of -0.0 and 0.0, which are one key
  const auto [end, error] = std::to_chars(text, text + kLongest, value);
  return {text, end};
}

// Members that are not public, or hidden by others, are not said; so there may be none.
template <class T>
inline constexpr bool kShowsAll =
    boost::mp11::mp_size<boost::describe::describe_members<
        T, boost::describe::mod_any_access | boost::describe::mod_inherited |
               boost::describe::mod_hidden>>::value == boost::mp11::mp_size<Members<T>>::value;

template <class T>
inline constexpr bool kIsText = std::same_as<T, std::string> || std::same_as<T, std::string_view>;

template <class T>
[[nodiscard]] std::string say(const T& key) {
  if constexpr (kIsText<T>) {
    return std::string{key};
  } else if constexpr (std::same_as<T, bool>) {
    return key ? "1" : "0";
  } else if constexpr (std::is_enum_v<T>) {
    return say_number(+static_cast<std::underlying_type_t<T>>(key));
  } else if constexpr (std::is_arithmetic_v<T>) {
    return say_number(key);
  } else if constexpr (IsOptional<T>::value) {
    return key ? "+" + say(*key) : "-";
  } else {
    static_assert(DescribedStruct<T>,
                  "a key in a shared tier is a string, a number, an enum, or a struct of such "
                  "members described with BOOST_DESCRIBE_STRUCT; else say how it is written there: "
                  "SharedWith in cache_options.hpp takes functions");
    static_assert(kShowsAll<T>,
                  "a key in a shared tier has public members alone, and none that hides another: "
                  "what is not said of it could not tell two keys apart");
    std::string text;
    bool first = true;
    boost::mp11::mp_for_each<Members<T>>([&](auto member) {
      if (!first) text += kBetween;
      first = false;
      for (const char c : say(key.*member.pointer)) {
        if (c == kBetween || c == kEscape) text += kEscape;
        text += c;
      }
    });
    return text;
  }
}

template <class T>
[[nodiscard]] std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// What stands before the next kBetween, taken away from the text; none: an escape at the end.
[[nodiscard]] inline std::optional<std::string> take_member(std::string_view& text) {
  std::string member;
  while (!text.empty() && text.front() != kBetween) {
    if (text.front() == kEscape) text.remove_prefix(1);
    if (text.empty()) return std::nullopt;
    member += text.front();
    text.remove_prefix(1);
  }
  return member;
}

// The key that is said so; none: no key is.
template <class T>
[[nodiscard]] std::optional<T> parse(std::string_view text) {
  if constexpr (kIsText<T>) {
    return T{text};
  } else if constexpr (std::same_as<T, bool>) {
    if (text != "0" && text != "1") return std::nullopt;
    return text == "1";
  } else if constexpr (std::is_enum_v<T>) {
    const auto number = parse_number<std::underlying_type_t<T>>(text);
    return number ? std::optional{static_cast<T>(*number)} : std::nullopt;
  } else if constexpr (std::is_arithmetic_v<T>) {
    return parse_number<T>(text);
  } else if constexpr (IsOptional<T>::value) {
    if (text == "-") return T{};
    if (!text.starts_with('+')) return std::nullopt;
    auto value = parse<typename T::value_type>(text.substr(1));
    return value ? std::optional<T>{std::in_place, std::move(*value)} : std::nullopt;
  } else {
    T key{};
    bool good = true;
    bool first = true;
    boost::mp11::mp_for_each<Members<T>>([&](auto member) {
      if (!good) return;
      if (!first) {
        good = text.starts_with(kBetween);
        if (!good) return;
        text.remove_prefix(1);
      }
      first = false;
      const auto said = take_member(text);
      using Member = std::remove_cvref_t<decltype(key.*member.pointer)>;
      auto value = said ? parse<Member>(*said) : std::nullopt;
      good = value.has_value();
      if (good) key.*member.pointer = std::move(*value);
    });
    if (!good || !text.empty()) return std::nullopt;
    return key;
  }
}

// ---- The shape of keys, and of values as JsonCodec writes them. ----

// Tells types apart.
template <class T>
inline constexpr char kMark = 0;

// The types around one, from the innermost.
struct Within {
  const void* type;
  const Within* outer;

  [[nodiscard]] bool has(const void* other) const {
    return type == other || (outer != nullptr && outer->has(other));
  }
};

template <class T>
void add_shape(std::string& shape, const Within* outer) {
  if constexpr (std::same_as<T, bool>) {
    shape += "bool";
  } else if constexpr (std::integral<T>) {
    shape += "integer";
  } else if constexpr (std::floating_point<T>) {
    shape += "number";
  } else if constexpr (std::same_as<T, std::string>) {
    shape += "text";
  } else if constexpr (std::same_as<T, json_detail::Bytes>) {
    shape += "bytes";
  } else if constexpr (json_detail::DescribedEnum<T>) {
    shape += "name(";
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto each) {
      shape += each.name;
      shape += '=';
      shape += say(each.value);
      shape += ';';
    });
    shape += ')';
  } else if constexpr (std::is_enum_v<T>) {
    shape += "enum";
  } else if constexpr (IsOptional<T>::value) {
    add_shape<typename T::value_type>(shape, outer);
    shape += '?';
  } else if constexpr (IsVector<T>::value) {
    shape += '[';
    add_shape<typename T::value_type>(shape, outer);
    shape += ']';
  } else if constexpr (IsMap<T>::value) {
    shape += "{*:";
    add_shape<typename T::mapped_type>(shape, outer);
    shape += '}';
  } else if constexpr (DescribedStruct<T>) {
    if (outer != nullptr && outer->has(&kMark<T>)) {  // a tree
      shape += '^';
      return;
    }
    static_assert(kShowsAll<T>,
                  "a value in a shared tier has public members alone, and none that hides another: "
                  "the others would not come back from there");
    const Within within{.type = &kMark<T>, .outer = outer};
    shape += '{';
    boost::mp11::mp_for_each<Members<T>>([&](auto member) {
      shape += member.name;
      shape += ':';
      add_shape<std::remove_cvref_t<decltype(std::declval<T>().*member.pointer)>>(shape, &within);
      shape += ';';
    });
    shape += '}';
  } else {
    shape += "any";
  }
}

template <class Value, class C>
[[nodiscard]] std::string shape() {
  if constexpr (std::same_as<C, JsonCodec<Value>>) {
    std::string text = "json ";
    add_shape<Value>(text, nullptr);
    return text;
  } else if constexpr (std::same_as<C, BytesCodec>) {
    return "bytes";
  } else {
    return "its own";
  }
}

template <class Key>
[[nodiscard]] std::string shape_of_key() {
  std::string text;
  add_shape<Key>(text, nullptr);
  return text;
}

}  // namespace shared_detail

// A number for a list of texts; other lists have another, but for a chance of 2^-64.
[[nodiscard]] std::uint64_t fingerprint_of(const std::vector<std::string_view>& texts);

// What is wrong with a cache's name, or a namespace, as the name of a part of a shared tier:
// half a sentence; none: nothing.
[[nodiscard]] std::optional<std::string> problem_with_shared_name(std::string_view name);

// For SharedWith (cache_options.hpp). `C` void: the type's own codec.
template <class Key, class Value, class C>
struct SharedWords {
  using ValueCodec = std::conditional_t<std::is_void_v<C>, DefaultCodec<Value>, C>;
  static_assert(Codec<ValueCodec, Value>,
                "a codec has static functions: std::string encode(const Value&) and Result<Value> "
                "decode(std::string_view)");

  template <class KeyView>
  [[nodiscard]] static std::string key(const KeyView& key) {
    return shared_detail::say(key);
  }
  [[nodiscard]] static std::optional<Key> parse_key(std::string_view text) {
    return shared_detail::parse<Key>(text);
  }
  [[nodiscard]] static std::string encode(const Value& value) { return ValueCodec::encode(value); }
  [[nodiscard]] static Result<Value> decode(std::string bytes) {
    if constexpr (std::same_as<ValueCodec, BytesCodec>) {
      return bytes;
    } else {
      return ValueCodec::decode(bytes);
    }
  }
  // The part of the cache of that name, whose values `source` brings. Throws
  // std::invalid_argument where the name is none.
  [[nodiscard]] static std::shared_ptr<SharedCopies> part(SharedTier& tier,
                                                          const std::string& cache,
                                                          std::string_view source,
                                                          std::string_view version) {
    if (const auto problem = problem_with_shared_name(cache)) {
      throw std::invalid_argument{"its name " + *problem + ", and names keys in the shared tier"};
    }
    const std::string keys = shared_detail::shape_of_key<Key>();
    const std::string values = shared_detail::shape<Value, ValueCodec>();
    return tier.copies(cache, fingerprint_of({"typed/1", source, keys, values, version}));
  }
};

}  // namespace larder
