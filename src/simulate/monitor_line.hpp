// A line of MONITOR: which keys a command read.
//
//   1732546800.123456 [0 127.0.0.1:60866] "GET" "product:42"
//
// Pure logic, no I/O. Threads: a pure function.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace larder::simulate {

struct MonitorLine {
  double time = 0;  // seconds since 1970
  // What the command read through the cache, as MONITOR writes it (with its escapes);
  // none: it is a write, or none of the commands that read values.
  std::vector<std::string_view> keys{};
};

// nullopt: that is no line of MONITOR. The keys are parts of `line`.
[[nodiscard]] std::optional<MonitorLine> parse_monitor_line(std::string_view line);

}  // namespace larder::simulate
