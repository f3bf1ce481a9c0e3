// JSON text, written piece by piece without a document in between, and read
// exactly: 64-bit integers and doubles come back as they were written.
//
// Parsing is Boost.JSON's; what it would round, this does not.
//
// Threads: plain functions.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/error.hpp"

namespace larder {

// Deeper documents are refused, when read and when embedded.
inline constexpr std::size_t kJsonMaxDepth = 128;

// The offset of the first byte that is not UTF-8 (RFC 3629); nullopt when all are. O(n).
[[nodiscard]] std::optional<std::size_t> first_invalid_utf8(std::string_view text);

// Appends `text`, quoted and escaped. False when it is not UTF-8, which JSON
// cannot carry; what was appended is then worth nothing.
[[nodiscard]] bool append_json_string(std::string& out, std::string_view text);

void append_json_integer(std::string& out, std::int64_t number);
void append_json_integer(std::string& out, std::uint64_t number);

// Appends the shortest text that reads back as exactly `number`, with a point or
// an exponent. False, and nothing appended, when it is infinite or no number.
[[nodiscard]] bool append_json_double(std::string& out, double number);

// Standard base64 (RFC 4648 section 4), padded.
void append_base64(std::string& out, std::span<const std::byte> bytes);
[[nodiscard]] Result<std::vector<std::byte>> decode_base64(std::string_view text);

// Whether `text` is one JSON document (RFC 8259), and if not, why and at which byte.
[[nodiscard]] Result<void> check_json(std::string_view text);

// Parses one JSON document. Doubles are correctly rounded.
[[nodiscard]] Result<boost::json::value> parse_json(std::string_view text,
                                                    boost::json::storage_ptr storage = {});

}  // namespace larder
