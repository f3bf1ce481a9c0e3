// Which C++ types JsonCodec knows, and where in a document it stands. What
// json_encode.hpp and json_decode.hpp share; users include codec.hpp.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/json/value.hpp>
#include <boost/mp11/algorithm.hpp>
#include <concepts>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

namespace larder::json_detail {

template <class T>
concept DescribedStruct = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

template <class T>
concept DescribedEnum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;

template <class T>
using Members = boost::describe::describe_members<T, boost::describe::mod_public |
                                                         boost::describe::mod_inherited>;

template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <class T>
struct IsVector : std::false_type {};
template <class T, class A>
struct IsVector<std::vector<T, A>> : std::true_type {};

template <class T>
struct IsMap : std::false_type {};
template <class T, class C, class A>
struct IsMap<std::map<std::string, T, C, A>> : std::true_type {};
template <class T, class H, class E, class A>
struct IsMap<std::unordered_map<std::string, T, H, E, A>> : std::true_type {};

using Bytes = std::vector<std::byte>;

template <class T>
concept Supported =
    std::same_as<T, bool> || std::integral<T> || std::floating_point<T> ||
    std::same_as<T, std::string> || std::same_as<T, boost::json::value> || DescribedEnum<T> ||
    DescribedStruct<T> || IsOptional<T>::value || IsVector<T>::value || IsMap<T>::value;

// A place in a document, as a chain on the stack from the leaf to the root.
struct Where {
  const Where* parent = nullptr;
  std::string_view member{};  // empty in an array
  std::size_t index = 0;

  [[nodiscard]] Where at(std::string_view name) const { return {this, name, 0}; }
  [[nodiscard]] Where at(std::size_t i) const { return {this, {}, i}; }

  // "reviews[3].stars"; empty for the whole document.
  [[nodiscard]] std::string path() const {
    if (parent == nullptr) return {};
    std::string text = parent->path();
    if (member.empty()) return text += '[' + std::to_string(index) + ']';
    if (!text.empty()) text += '.';
    return text += member;
  }

  // "reviews[3].stars: " before what is wrong there.
  [[nodiscard]] std::string say(std::string_view problem) const {
    std::string text = path();
    if (!text.empty()) text += ": ";
    return text += problem;
  }
};

}  // namespace larder::json_detail
