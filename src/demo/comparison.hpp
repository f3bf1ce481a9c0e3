// The demo's result: the runs side by side, as a table and as a sentence.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "demo/workload.hpp"

namespace larder::demo {

// What one way to get pages can do.
struct Way {
  Measured fastest;  // as fast as the answers come
  Measured paced;    // at Comparison::pace
};

struct Comparison {
  Way alone;        // SQLite
  Way server;       // larder serve, warm
  Way library;      // larder as a library in the backend, warm
  double pace = 0;  // pages per second, of all `paced` runs
};

// One line a measure, one column a way.
[[nodiscard]] std::string to_table(const Comparison& runs);

// What it comes down to, in words.
[[nodiscard]] std::string to_sentences(const Comparison& runs);

// "12,346", of 12345.6.
[[nodiscard]] std::string rate_text(double per_second);

// "93.1 %", of a share from 0 to 1.
[[nodiscard]] std::string percent(double share);

// "12,345,678".
[[nodiscard]] std::string grouped(std::uint64_t number);

// With three digits and a unit that suits: "850 ns", "12.3 µs", "4.56 ms".
[[nodiscard]] std::string short_text(Duration duration);

}  // namespace larder::demo
