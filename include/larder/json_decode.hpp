// A value from JSON. Users include codec.hpp.
//
// Each function tells whether it succeeded, and if not, says in `problem` where
// and why. `out` is default-constructed before.
#pragma once

#include <boost/json/value.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "larder/json_shape.hpp"
#include "larder/json_text.hpp"

namespace larder::json_detail {

namespace json = boost::json;

template <class T>
bool decode(const json::value& from, T& out, const Where& where, std::string& problem);

// What stands there, short: `"x"`, `1.5`, `an object`.
[[nodiscard]] inline std::string found(const json::value& from) {
  constexpr std::size_t kMost = 40;
  switch (from.kind()) {
    case json::kind::null: return "null";
    case json::kind::bool_: return from.get_bool() ? "true" : "false";
    case json::kind::int64: return std::to_string(from.get_int64());
    case json::kind::uint64: return std::to_string(from.get_uint64());
    case json::kind::object: return "an object";
    case json::kind::array: return "an array";
    case json::kind::double_: break;
    case json::kind::string: {
      const std::string_view text{from.get_string().data(), from.get_string().size()};
      if (text.size() <= kMost) return '"' + std::string{text} + '"';
      return "a text of " + std::to_string(text.size()) + " bytes";
    }
  }
  std::string text;
  if (!append_json_double(text, from.get_double())) text = "a number";
  return text;
}

inline bool expected(std::string_view what, const json::value& from, const Where& where,
                     std::string& problem) {
  problem = where.say("expected " + std::string{what} + ", found " + found(from));
  return false;
}

// The integer that stands there, if one does that T can hold. 3.0 is one.
template <class T>
[[nodiscard]] std::optional<T> integer(const json::value& from) {
  if (from.is_int64()) {
    const std::int64_t number = from.get_int64();
    if (!std::in_range<T>(number)) return std::nullopt;
    return static_cast<T>(number);
  }
  if (from.is_uint64()) {
    const std::uint64_t number = from.get_uint64();
    if (!std::in_range<T>(number)) return std::nullopt;
    return static_cast<T>(number);
  }
  if (!from.is_double()) return std::nullopt;
  constexpr double kExact = 9007199254740992;  // 2^53: beyond it, doubles skip integers
  const double number = from.get_double();
  if (std::abs(number) > kExact || std::trunc(number) != number) return std::nullopt;
  if (!std::in_range<T>(static_cast<std::int64_t>(number))) return std::nullopt;
  return static_cast<T>(number);
}

template <Integer T>
bool decode_integer(const json::value& from, T& out, const Where& where, std::string& problem) {
  if (const auto number = integer<T>(from)) {
    out = *number;
    return true;
  }
  if (!from.is_number()) return expected("an integer", from, where, problem);
  return expected("an integer from " + std::to_string(std::numeric_limits<T>::min()) + " to " +
                      std::to_string(std::numeric_limits<T>::max()),
                  from, where, problem);
}

inline bool decode_bool(const json::value& from, bool& out, const Where& where,
                        std::string& problem) {
  if (from.is_bool()) {
    out = from.get_bool();
    return true;
  }
  const auto number = integer<std::int64_t>(from);
  if (number != 0 && number != 1) return expected("true or false", from, where, problem);
  out = *number == 1;
  return true;
}

template <std::floating_point T>
bool decode_float(const json::value& from, T& out, const Where& where, std::string& problem) {
  if (!from.is_number()) return expected("a number", from, where, problem);
  if (from.is_double()) out = static_cast<T>(from.get_double());
  if (from.is_int64()) out = static_cast<T>(from.get_int64());
  if (from.is_uint64()) out = static_cast<T>(from.get_uint64());
  return true;
}

inline bool decode_string(const json::value& from, std::string& out, const Where& where,
                          std::string& problem) {
  if (!from.is_string()) return expected("a text", from, where, problem);
  out.assign(from.get_string().data(), from.get_string().size());
  return true;
}

inline bool decode_bytes(const json::value& from, Bytes& out, const Where& where,
                         std::string& problem) {
  if (!from.is_string()) return expected("bytes in base64", from, where, problem);
  auto bytes = decode_base64({from.get_string().data(), from.get_string().size()});
  if (!bytes) return expected("bytes in base64", from, where, problem);
  out = std::move(*bytes);
  return true;
}

template <DescribedEnum T>
bool decode_enum(const json::value& from, T& out, const Where& where, std::string& problem) {
  const auto number = integer<std::underlying_type_t<T>>(from);
  bool known = false;
  std::string names;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto enumerator) {
    if (!names.empty()) names += ", ";
    names += enumerator.name;
    const bool same = from.is_string()
                          ? std::string_view{from.get_string().data(), from.get_string().size()} ==
                                enumerator.name
                          : number == static_cast<std::underlying_type_t<T>>(enumerator.value);
    if (!same) return;
    out = enumerator.value;
    known = true;
  });
  return known || expected("one of " + names, from, where, problem);
}

template <class T>
bool decode_array(const json::value& from, T& out, const Where& where, std::string& problem) {
  if (!from.is_array()) return expected("an array", from, where, problem);
  out.reserve(from.get_array().size());
  for (const json::value& element : from.get_array()) {
    typename T::value_type value{};
    if (!decode(element, value, where.at(out.size()), problem)) return false;
    out.push_back(std::move(value));
  }
  return true;
}

template <class T>
bool decode_map(const json::value& from, T& out, const Where& where, std::string& problem) {
  if (!from.is_object()) return expected("an object", from, where, problem);
  for (const json::key_value_pair& pair : from.get_object()) {
    const std::string_view name{pair.key().data(), pair.key().size()};
    if (!decode(pair.value(), out[std::string{name}], where.at(name), problem)) return false;
  }
  return true;
}

template <class T>
bool decode_member(const json::object& from, const char* name, T& out, const Where& where,
                   std::string& problem) {
  const json::value* value = from.if_contains(name);
  if (value != nullptr) return decode(*value, out, where.at(name), problem);
  if constexpr (IsOptional<T>::value) {
    return true;
  } else {
    problem = where.at(name).say("missing");
    return false;
  }
}

template <DescribedStruct T>
bool decode_struct(const json::value& from, T& out, const Where& where, std::string& problem) {
  if (!from.is_object()) return expected("an object", from, where, problem);
  bool good = true;
  boost::mp11::mp_for_each<Members<T>>([&](auto member) {
    good =
        good && decode_member(from.get_object(), member.name, out.*member.pointer, where, problem);
  });
  return good;
}

template <class T>
bool decode(const json::value& from, T& out, const Where& where, std::string& problem) {
  static_assert(Supported<T>,
                "JSON needs a type that it knows: describe yours with BOOST_DESCRIBE_STRUCT or "
                "BOOST_DESCRIBE_ENUM (codec.hpp lists the others)");
  if constexpr (std::same_as<T, bool>) {
    return decode_bool(from, out, where, problem);
  } else if constexpr (std::integral<T>) {
    return decode_integer(from, out, where, problem);
  } else if constexpr (std::floating_point<T>) {
    return decode_float(from, out, where, problem);
  } else if constexpr (std::same_as<T, std::string>) {
    return decode_string(from, out, where, problem);
  } else if constexpr (std::same_as<T, json::value>) {
    out = from;
    return true;
  } else if constexpr (std::same_as<T, Bytes>) {
    return decode_bytes(from, out, where, problem);
  } else if constexpr (DescribedEnum<T>) {
    return decode_enum(from, out, where, problem);
  } else if constexpr (IsOptional<T>::value) {
    if (from.is_null()) return true;
    return decode(from, out.emplace(), where, problem);
  } else if constexpr (IsVector<T>::value) {
    return decode_array(from, out, where, problem);
  } else if constexpr (IsMap<T>::value) {
    return decode_map(from, out, where, problem);
  } else {
    return decode_struct(from, out, where, problem);
  }
}

}  // namespace larder::json_detail
