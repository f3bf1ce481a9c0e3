// What is wrong with a command line that did not parse, in a person's words: the name that
// was mistyped, and the nearest one that there is.
//
// Threads: pure.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace larder::cli {

// What to complain of after `program` threw `error` as it parsed. Several lines; the last
// says where to read more.
[[nodiscard]] std::string explain_usage(const CLI::App& program, const CLI::ParseError& error);

}  // namespace larder::cli
