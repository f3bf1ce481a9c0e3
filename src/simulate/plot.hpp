// Miss-ratio curves as an SVG picture: one line a policy, capacity to the right
// on a logarithmic scale, misses upwards.
//
// Threads: none; a pure function.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace larder::simulate {

struct CurvePoint {
  std::uint64_t capacity = 0;
  double miss_ratio = 0;
};
struct Curve {
  std::string name;
  std::vector<CurvePoint> points;  // in order of capacity
};

[[nodiscard]] std::string plot_svg(const std::string& title, const std::string& unit,
                                   const std::vector<Curve>& curves);

}  // namespace larder::simulate
