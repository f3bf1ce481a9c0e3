// A trace of accesses: which keys were asked for, in order, and how large their
// values were.
//
// Text, plain or zstd-compressed: one key a line, or `time,key,bytes` with the
// time in seconds, perhaps under a line of just these words. Keys are numbered in the order
// in which they first occur. In memory a key takes some 20 bytes, whatever its length (two
// in 2^64 may be taken for one), and an access as much as AccessList says.
//
// Threads: plain values.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <istream>
#include <string>
#include <string_view>

#include "larder/clock.hpp"
#include "larder/detail/memory/key_hash.hpp"
#include "larder/error.hpp"
#include "simulate/access_list.hpp"

namespace larder::simulate {

struct Trace {
  AccessList accesses;
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
  [[nodiscard]] Result<void> add(std::string_view key, std::uint64_t bytes, Duration at);

  [[nodiscard]] std::unexpected<Error> refuse(const std::string& what) const;

  Duration spacing_;
  Trace trace_;
  std::string rest_;  // of a line that is not complete
  std::uint64_t line_ = 0;
  double first_time_ = 0;
  const detail::KeyHash hash_{1};
  boost::unordered_flat_map<std::uint64_t, KeyId> ids_;  // by the keys' hashes
};

// Reads a file, or standard input for "-"; zstd is recognised by its first bytes.
[[nodiscard]] Result<Trace> read_trace(const std::string& file, std::istream& standard_input,
                                       Duration spacing);

// The accesses to a share of the keys: of keys equally popular, as many as the share.
[[nodiscard]] Trace sample(const Trace& trace, double share);

}  // namespace larder::simulate
