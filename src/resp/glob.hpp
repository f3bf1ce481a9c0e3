// Glob patterns as KEYS, SCAN MATCH and PSUBSCRIBE take them.
//
// Threads: a pure function.
#pragma once

#include <cstdint>
#include <string_view>

namespace larder::resp {

enum class GlobCase : std::uint8_t { kExact, kIgnore };  // kIgnore: of ASCII letters

// Whether the whole of `text` fits `pattern`, byte by byte:
//   *         any bytes, also none        [abc] [a-z] [^a-z]   one byte of (not of) a class
//   ?         any one byte                \c                   the byte c itself, in a class too
// As Redis has it, oddities included: a class without its ']' ends with the
// pattern, the ends of a range may stand in any order, `[]` fits nothing, `[^]`
// any byte, and a backslash at the end is itself. Two things differ: a
// pattern of stars fits the empty text, however many they are, and bytes above
// 127 are ordered as unsigned.
//
// Cost: O(pattern × text) at worst, for patterns of many stars; no recursion and
// no memory. Never the exponential blow-up of the naive matcher.
[[nodiscard]] bool glob_matches(std::string_view pattern, std::string_view text,
                                GlobCase letters = GlobCase::kExact);

}  // namespace larder::resp
