// How many bytes an object takes, its parts on the heap included: what a memory
// tier counts a value as.
//
// Known: numbers, enums, strings, optionals, pairs, tuples, the standard
// containers, and types described with BOOST_DESCRIBE_STRUCT. For a type of your
// own, declare `std::size_t larder_weigh(const T&)` beside it; other types count
// as sizeof(T).
#pragma once

#include <boost/describe/bases.hpp>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace larder {

template <class T>
[[nodiscard]] std::size_t weigh(const T& value);

namespace detail {

// Bytes that `value` owns beyond sizeof(T).
template <class T>
std::size_t heap_bytes(const T& value);

inline std::size_t heap_bytes(const std::string& value) {
  static const std::size_t inside = std::string{}.capacity();
  return value.capacity() > inside ? value.capacity() + 1 : 0;
}

template <class T>
std::size_t heap_bytes(const std::optional<T>& value) {
  return value ? heap_bytes(*value) : 0;
}

template <class A, class B>
std::size_t heap_bytes(const std::pair<A, B>& value) {
  return heap_bytes(value.first) + heap_bytes(value.second);
}

template <class... T>
std::size_t heap_bytes(const std::tuple<T...>& value) {
  return std::apply([](const T&... parts) { return (std::size_t{0} + ... + heap_bytes(parts)); },
                    value);
}

template <class T>
std::size_t heap_bytes(const std::unique_ptr<T>& value) {
  return value ? weigh(*value) : 0;
}

template <class T>
std::size_t heap_bytes(const std::vector<T>& value) {
  std::size_t bytes = value.capacity() * sizeof(T);
  if constexpr (!std::is_arithmetic_v<T> && !std::is_enum_v<T>) {
    for (const auto& element : value) bytes += heap_bytes(element);
  }
  return bytes;
}

template <class T>
std::size_t heap_bytes(const T& value) {
  if constexpr (requires {
                  { larder_weigh(value) } -> std::convertible_to<std::size_t>;
                }) {
    const std::size_t all = larder_weigh(value);
    return all > sizeof(T) ? all - sizeof(T) : 0;
  } else if constexpr (boost::describe::has_describe_members<T>::value) {
    using Members = boost::describe::describe_members<T, boost::describe::mod_any_access |
                                                             boost::describe::mod_inherited>;
    std::size_t bytes = 0;
    boost::mp11::mp_for_each<Members>(
        [&](auto member) { bytes += heap_bytes(value.*member.pointer); });
    return bytes;
  } else if constexpr (std::ranges::sized_range<const T>) {
    constexpr std::size_t kNode = 4 * sizeof(void*);  // links, and what allocators add
    std::size_t bytes = 0;
    for (const auto& element : value) bytes += sizeof(element) + kNode + heap_bytes(element);
    return bytes;
  } else {
    return 0;
  }
}

}  // namespace detail

// Cost: linear in the number of parts.
template <class T>
std::size_t weigh(const T& value) {
  // A type's own word holds, even where it says less than sizeof(T).
  if constexpr (requires {
                  { larder_weigh(value) } -> std::convertible_to<std::size_t>;
                }) {
    return larder_weigh(value);
  } else {
    return sizeof(T) + detail::heap_bytes(value);
  }
}

}  // namespace larder
