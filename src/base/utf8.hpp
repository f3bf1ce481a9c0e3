// Where text is UTF-8, and how what is not, or would steer a terminal, is shown.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace larder {

// The length of the well-formed sequence that starts at `at`; 0 when there is
// none. The ranges are those of Unicode's table 3-7: nothing overlong, no surrogate.
// REQUIRES: at < text.size().
[[nodiscard]] std::size_t utf8_length(std::string_view text, std::size_t at);

// What another program says, for a log's line: about `most` bytes of it at most, with \n, \r and \t
// for these, and \x1b for each byte of other control characters and of what is not UTF-8.
[[nodiscard]] std::string printable(std::string_view text, std::size_t most = 200);

}  // namespace larder
