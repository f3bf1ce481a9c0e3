// The demo's result: the runs side by side, as a table and as a sentence.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "demo/workload.hpp"

namespace larder::demo {

struct Comparison {
  Measured straight;  // SQLite alone
  Measured cold;      // larder, its first seconds, with nothing in memory
  Measured warm;      // larder, later
};

// One line a measure, one column a run, the last how warm larder compares with SQLite.
[[nodiscard]] std::string to_table(const Comparison& comparison);

// What it comes down to, in words.
[[nodiscard]] std::string to_sentence(const Comparison& comparison);

// "12,345,678".
[[nodiscard]] std::string grouped(std::uint64_t number);

// With three digits and a unit that suits: "850 ns", "12.3 µs", "4.56 ms".
[[nodiscard]] std::string short_text(Duration duration);

}  // namespace larder::demo
