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
  double least;  // capacity
  double most;
  double lowest;  // ratio, a whole tenth
  double highest;

  [[nodiscard]] double x(double capacity) const {
    const double range = std::max(std::log(most / least), 1e-9);
    return kLeft + (kWidth - kLeft - kRight) * std::log(capacity / least) / range;
  }
  [[nodiscard]] double y(double ratio) const {
    return kHeight - kBottom - (kHeight - kTop - kBottom) * (ratio - lowest) / (highest - lowest);
  }
};

Axes axes_for(const std::vector<Curve>& curves) {
  double least = std::numeric_limits<double>::max();
  double most = 1;
  double lowest = 1;
  double highest = 0;
  for (const Curve& curve : curves) {
    for (const CurvePoint& point : curve.points) {
      const double capacity = std::max(static_cast<double>(point.capacity), 1.0);
      least = std::min(least, capacity);
      most = std::max(most, capacity);
      lowest = std::min(lowest, point.miss_ratio);
      highest = std::max(highest, point.miss_ratio);
    }
  }
  lowest = std::min(std::floor(lowest * 10) / 10, 0.9);
  return {.least = std::min(least, most),
          .most = most,
          .lowest = lowest,
          .highest = std::max(std::ceil(highest * 10) / 10, lowest + 0.1)};
}

// From `least` to `most`, 1, 2 and 5 times powers of ten; where those are few, the two ends.
std::vector<double> round_numbers(double least, double most) {
  constexpr std::size_t kFew = 3;
  constexpr std::size_t kMany = 9;
  std::vector<double> numbers;
  for (double power = 1; power <= most; power *= 10) {
    for (const int times : {1, 2, 5}) {
      const double number = times * power;
      if (number >= least && number <= most) numbers.push_back(number);
    }
  }
  if (numbers.size() > kMany) {
    std::erase_if(numbers, [](double number) {
      return std::abs(std::round(std::log10(number)) - std::log10(number)) > 1e-6;
    });
  }
  if (numbers.size() < kFew) numbers = {least, most};
  if (most <= least) numbers.pop_back();
  return numbers;
}

void draw_axes(std::ostream& out, const Axes& axes, const std::string& unit) {
  const double floor = axes.y(axes.lowest);
  const auto tenths = [](double ratio) { return static_cast<int>(std::lround(ratio * 10)); };
  for (int tenth = tenths(axes.lowest); tenth <= tenths(axes.highest); ++tenth) {
    const double y = axes.y(tenth / 10.0);
    out << "<line x1='" << kLeft << "' y1='" << y << "' x2='" << kWidth - kRight << "' y2='" << y
        << "' stroke='#ddd'/><text x='" << kLeft - 8 << "' y='" << y + 4 << "' text-anchor='end'>"
        << tenth * 10 << " %</text>\n";
  }
  for (const double capacity : round_numbers(axes.least, axes.most)) {
    const double x = axes.x(capacity);
    out << "<line x1='" << x << "' y1='" << floor << "' x2='" << x << "' y2='" << floor + 5
        << "' stroke='#333'/><text x='" << x << "' y='" << floor + 20 << "' text-anchor='middle'>"
        << short_number(capacity) << "</text>\n";
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
  for (std::size_t i = curves.size(); i-- > 0;) {  // the first lies on top
    const std::string_view colour = kColours[i % kColours.size()];
    const std::string_view dash = kDashes[i % kDashes.size()];
    out << "<polyline fill='none' stroke='" << colour << "' stroke-width='" << (i == 0 ? 2.5 : 1.5)
        << "' stroke-dasharray='" << dash << "' points='";
    for (const CurvePoint& point : curves[i].points) {
      out << axes.x(std::max(static_cast<double>(point.capacity), 1.0)) << ','
          << axes.y(point.miss_ratio) << ' ';
    }
    out << "'/>\n";
    // What was measured; between the dots lies a guess.
    for (const CurvePoint& point : curves[i].points) {
      out << "<circle r='" << (i == 0 ? 3 : 2) << "' cx='"
          << axes.x(std::max(static_cast<double>(point.capacity), 1.0)) << "' cy='"
          << axes.y(point.miss_ratio) << "' fill='" << colour << "'/>";
    }
    const double y = kTop + 20 * static_cast<double>(i) + 10;
    out << "\n<line x1='" << kWidth - kRight + 14 << "' y1='" << y << "' x2='"
        << kWidth - kRight + 44 << "' y2='" << y << "' stroke='" << colour
        << "' stroke-width='2' stroke-dasharray='" << dash << "'/><text x='" << kWidth - kRight + 50
        << "' y='" << y + 4 << "'>" << escaped(curves[i].name) << "</text>\n";
  }
  out << "</svg>\n";
  return out.str();
}

}  // namespace larder::simulate
