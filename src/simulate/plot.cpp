#include "simulate/plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <limits>
#include <sstream>
#include <string_view>

namespace larder::simulate {

namespace {

constexpr double kWidth = 860;
constexpr double kHeight = 480;
constexpr double kLeft = 70;
constexpr double kRight = 150;  // for the names
constexpr double kTop = 50;
constexpr double kBottom = 60;
// Told apart by people who do not see all colours (Okabe and Ito), and by dashes.
constexpr std::array<std::string_view, 8> kColours{"#000000", "#0072B2", "#D55E00", "#009E73",
                                                   "#CC79A7", "#E69F00", "#56B4E9", "#999999"};
constexpr std::array<std::string_view, 4> kDashes{"none", "8 4", "2 3", "10 3 2 3"};

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '&': result += "&amp;"; break;
      case '"': result += "&quot;"; break;
      default: result += c;
    }
  }
  return result;
}

std::string short_number(double number) {
  constexpr std::array<std::string_view, 5> kUnits{"", "k", "M", "G", "T"};
  std::size_t unit = 0;
  for (; number >= 1000 && unit + 1 < kUnits.size(); ++unit) number /= 1000;
  std::ostringstream out;
  out << std::setprecision(3) << number << kUnits[unit];
  return out.str();
}

// From capacities and ratios to places in the picture.
struct Axes {
  double least;
  double most;
  double highest;

  [[nodiscard]] double x(double capacity) const {
    const double range = std::max(std::log(most / least), 1e-9);
    return kLeft + (kWidth - kLeft - kRight) * std::log(capacity / least) / range;
  }
  [[nodiscard]] double y(double ratio) const {
    return kHeight - kBottom - (kHeight - kTop - kBottom) * ratio / highest;
  }
};

Axes axes_for(const std::vector<Curve>& curves) {
  double least = std::numeric_limits<double>::max();
  double most = 1;
  double highest = 0.1;
  for (const Curve& curve : curves) {
    for (const CurvePoint& point : curve.points) {
      const double capacity = std::max(static_cast<double>(point.capacity), 1.0);
      least = std::min(least, capacity);
      most = std::max(most, capacity);
      highest = std::max(highest, point.miss_ratio);
    }
  }
  return {std::min(least, most), most, std::ceil(highest * 10) / 10};
}

void draw_axes(std::ostream& out, const Axes& axes, const std::string& unit) {
  const double floor = axes.y(0);
  for (int tenth = 0; tenth <= static_cast<int>(std::lround(axes.highest * 10)); ++tenth) {
    const double y = axes.y(tenth / 10.0);
    out << "<line x1='" << kLeft << "' y1='" << y << "' x2='" << kWidth - kRight << "' y2='" << y
        << "' stroke='#ddd'/><text x='" << kLeft - 8 << "' y='" << y + 4 << "' text-anchor='end'>"
        << tenth * 10 << " %</text>\n";
  }
  constexpr int kTicks = 6;
  for (int tick = 0; tick <= kTicks; ++tick) {
    const double capacity = axes.least * std::pow(axes.most / axes.least, tick / double{kTicks});
    const double x = axes.x(capacity);
    out << "<line x1='" << x << "' y1='" << floor << "' x2='" << x << "' y2='" << floor + 5
        << "' stroke='#333'/><text x='" << x << "' y='" << floor + 20 << "' text-anchor='middle'>"
        << short_number(capacity) << "</text>\n";
    if (axes.most <= axes.least) break;
  }
  out << "<text x='" << (kLeft + kWidth - kRight) / 2 << "' y='" << kHeight - 14
      << "' text-anchor='middle'>capacity, " << escaped(unit) << "</text>\n"
      << "<text transform='translate(18 " << (kTop + floor) / 2
      << ") rotate(-90)' text-anchor='middle'>miss ratio</text>\n";
}

}  // namespace

std::string plot_svg(const std::string& title, const std::string& unit,
                     const std::vector<Curve>& curves) {
  const Axes axes = axes_for(curves);
  std::ostringstream out;
  out << std::fixed << std::setprecision(1)
      << "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 " << kWidth << ' ' << kHeight
      << "' font-family='sans-serif' font-size='12'>\n"
      << "<rect width='100%' height='100%' fill='white'/>\n"
      << "<text x='" << kLeft << "' y='28' font-size='16'>" << escaped(title) << "</text>\n";
  draw_axes(out, axes, unit);
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const std::string_view colour = kColours[i % kColours.size()];
    const std::string_view dash = kDashes[i % kDashes.size()];
    out << "<polyline fill='none' stroke='" << colour << "' stroke-width='" << (i == 0 ? 2.5 : 1.5)
        << "' stroke-dasharray='" << dash << "' points='";
    for (const CurvePoint& point : curves[i].points) {
      out << axes.x(std::max(static_cast<double>(point.capacity), 1.0)) << ','
          << axes.y(point.miss_ratio) << ' ';
    }
    const double y = kTop + 20 * static_cast<double>(i) + 10;
    out << "'/>\n<line x1='" << kWidth - kRight + 14 << "' y1='" << y << "' x2='"
        << kWidth - kRight + 44 << "' y2='" << y << "' stroke='" << colour
        << "' stroke-width='2' stroke-dasharray='" << dash << "'/><text x='" << kWidth - kRight + 50
        << "' y='" << y + 4 << "'>" << escaped(curves[i].name) << "</text>\n";
  }
  out << "</svg>\n";
  return out.str();
}

}  // namespace larder::simulate
