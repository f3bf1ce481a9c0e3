// A value as JSON text. Users include codec.hpp.
#pragma once

#include <boost/json/serialize.hpp>
#include <cstdint>

#include "larder/error.hpp"
#include "larder/json_shape.hpp"
#include "larder/json_text.hpp"

namespace larder::json_detail {

template <class T>
void encode(std::string& out, const T& value, const Where& where);

[[noreturn]] inline void refuse(const Where& where, std::string_view problem) {
  throw Failure{Error{Errc::kBadValue, where.say(problem)}};
}

inline void encode_string(std::string& out, std::string_view text, const Where& where) {
  if (!append_json_string(out, text)) refuse(where, "the text is not UTF-8, which JSON must be");
}

template <DescribedEnum T>
void encode_enum(std::string& out, T value, const Where& where) {
  const char* name = boost::describe::enum_to_string(value, static_cast<const char*>(nullptr));
  if (name == nullptr) refuse(where, "the enum has a value without a name");
  encode_string(out, name, where);
}

template <DescribedStruct T>
void encode_struct(std::string& out, const T& value, const Where& where) {
  char separator = '{';
  boost::mp11::mp_for_each<Members<T>>([&](auto member) {
    out += separator;
    separator = ',';
    encode_string(out, member.name, where);
    out += ':';
    encode(out, value.*member.pointer, where.at(member.name));
  });
  if (separator == '{') out += '{';
  out += '}';
}

template <class T>
void encode_array(std::string& out, const T& values, const Where& where) {
  out += '[';
  std::size_t index = 0;
  for (const auto& value : values) {
    if (index != 0) out += ',';
    encode(out, static_cast<const typename T::value_type&>(value), where.at(index++));
  }
  out += ']';
}

template <class T>
void encode_map(std::string& out, const T& values, const Where& where) {
  char separator = '{';
  for (const auto& [name, value] : values) {
    out += separator;
    separator = ',';
    encode_string(out, name, where);
    out += ':';
    encode(out, value, where.at(name));
  }
  if (separator == '{') out += '{';
  out += '}';
}

template <class T>
void encode(std::string& out, const T& value, const Where& where) {
  static_assert(Supported<T>,
                "JSON needs a type that it knows: describe yours with BOOST_DESCRIBE_STRUCT or "
                "BOOST_DESCRIBE_ENUM (codec.hpp lists the others)");
  if constexpr (std::same_as<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::unsigned_integral<T>) {
    append_json_integer(out, std::uint64_t{value});
  } else if constexpr (std::integral<T>) {
    append_json_integer(out, std::int64_t{value});
  } else if constexpr (std::floating_point<T>) {
    if (!append_json_double(out, static_cast<double>(value))) {
      refuse(where, "JSON has no infinity and no NaN");
    }
  } else if constexpr (std::same_as<T, std::string>) {
    encode_string(out, value, where);
  } else if constexpr (std::same_as<T, boost::json::value>) {
    out += boost::json::serialize(value);
  } else if constexpr (std::same_as<T, Bytes>) {
    out += '"';
    append_base64(out, value);
    out += '"';
  } else if constexpr (DescribedEnum<T>) {
    encode_enum(out, value, where);
  } else if constexpr (IsOptional<T>::value) {
    if (value)
      encode(out, *value, where);
    else
      out += "null";
  } else if constexpr (IsVector<T>::value) {
    encode_array(out, value, where);
  } else if constexpr (IsMap<T>::value) {
    encode_map(out, value, where);
  } else {
    encode_struct(out, value, where);
  }
}

}  // namespace larder::json_detail
