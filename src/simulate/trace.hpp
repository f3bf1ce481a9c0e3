// A trace of accesses: which keys were asked for, in order, and how large their
// values were.
//
// Text, plain or zstd-compressed: one key a line, or `time,key,bytes` with the
// time in seconds. Keys are numbered in the order in which they first occur.
//
// Threads: plain values.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "larder/clock.hpp"
#include "larder/error.hpp"

namespace larder::simulate {

using KeyId = std::uint32_t;

struct Access {
  KeyId key = 0;
  std::uint64_t bytes = 1;  // 1 where the trace has none
  Duration at{};            // since the first access
};

struct Trace {
  std::vector<Access> accesses;
  std::uint64_t keys = 0;         // different ones
  std::uint64_t total_bytes = 0;  // of all keys' values, each counted once, at its first size
  bool has_bytes = false;
  bool has_times = false;
};

// Puts a trace together, line by line.
class TraceReader {
 public:
  // Of a trace without times, `spacing` lies between two accesses.
  explicit TraceReader(Duration spacing) : spacing_{spacing} {}

  // Takes the next bytes of the text. An error names the line.
  [[nodiscard]] Result<void> feed(std::string_view text);
  // The last line may lack its newline.
  [[nodiscard]] Result<Trace> finish();

 private:
  [[nodiscard]] Result<void> take(std::string_view line);
  [[nodiscard]] Result<void> take_columns(std::string_view line);
  void add(std::string_view key, std::uint64_t bytes, Duration at);

  Duration spacing_;
  Trace trace_;
  std::string rest_;  // of a line that is not complete
  std::uint64_t line_ = 0;
  double first_time_ = 0;
  std::unordered_map<std::string, KeyId> ids_;
};

// Reads a file, or standard input for "-"; zstd is recognised by its first bytes.
[[nodiscard]] Result<Trace> read_trace(const std::string& file, std::istream& standard_input,
                                       Duration spacing);

// The accesses to a share of the keys: of keys equally popular, as many as the share.
[[nodiscard]] Trace sample(const Trace& trace, double share);

}  // namespace larder::simulate
