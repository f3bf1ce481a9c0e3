// Prints what was measured.
#pragma once

#include <string_view>
#include <vector>

#include "rounds.hpp"

namespace larder::bench {

void print_title(std::string_view title);
// A line a contender: nanoseconds, and how often it takes what the first takes.
void print_standings(const std::vector<Standing>& standings);
// "marked: the mark is …": a figure beside what it is held against.
void print_mark(std::string_view what, double value, std::string_view relation, double mark);

}  // namespace larder::bench
