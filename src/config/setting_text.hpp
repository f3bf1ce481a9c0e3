// Settings' values as a file has them, for messages and the reference.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "larder/clock.hpp"
#include "larder/units.hpp"

namespace larder {

// "0.1", without needless zeros.
[[nodiscard]] std::string format_fraction(double value);

[[nodiscard]] std::string format_setting(std::int64_t value);
[[nodiscard]] std::string format_setting(unsigned value);
[[nodiscard]] std::string format_setting(double value);
[[nodiscard]] std::string format_setting(Duration value);
[[nodiscard]] std::string format_setting(ByteCount value);

// In quotes, as a message shows it: long texts are cut.
[[nodiscard]] std::string in_quotes(std::string_view text);

// "key, source, ttl"; each after `before`.
[[nodiscard]] std::string list_names(std::span<const std::string_view> names,
                                     std::string_view before = "");

// "ttl" of "caches.product.ttl".
[[nodiscard]] std::string last_name(std::string_view path);

}  // namespace larder
