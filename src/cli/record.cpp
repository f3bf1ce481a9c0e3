// `larder record`: what MONITOR shows in, a trace for `larder simulate` out.
//
//   redis-cli -p 6380 MONITOR | larder record > trace.txt
//
// A filter, since redis-cli knows already how to log in, and it works with every
// server that has MONITOR: so one may record before there is a larder. Keys are
// written as hashes: to simulate, nothing else of them is needed.
#include <csignal>
#include <cstdint>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cli/subcommand.hpp"
#include "larder/detail/memory/key_hash.hpp"
#include "simulate/monitor_line.hpp"

namespace larder::cli {
namespace {

struct RecordOptions {
  double sample = 1;
  std::uint64_t count = 0;
};

// What was seen, and the part of it that was kept.
struct Recorded {
  bool any_line = false;
  std::uint64_t reads = 0;
  std::uint64_t kept = 0;
  double first = 0;  // seconds
  double last = 0;
};

void write_hash(std::uint64_t hash) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(17, '\n');
  for (std::size_t i = 16; i-- > 0; hash >>= 4) text[i] = kDigits[hash & 15];
  std::cout << text;
}

// Standard input by lines; of what is longer than 1 MiB, as a SET of a large value is, the
// beginning.
class Lines {
 public:
  // Until the next call; nullopt at the end.
  std::optional<std::string_view> next() {
    std::cin.getline(line_.data(), kLongest);
    auto size = static_cast<std::size_t>(std::cin.gcount());
    if (size == 0) return std::nullopt;
    if (std::cin.fail()) {
      std::cin.clear();
      std::cin.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    } else if (!std::cin.eof()) {
      --size;  // the newline
    }
    std::string_view line{line_.data(), size};
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }

 private:
  static constexpr std::streamsize kLongest = 1 << 20;
  std::string line_ = std::string(kLongest, '\0');
};

// Until standard input ends, enough was recorded, or nobody takes what is written.
Recorded record_lines(const RecordOptions& options) {
  constexpr std::uint64_t kSeed = 1;               // so that two recordings go together
  constexpr double kAll = 18446744073709551616.0;  // 2^64
  const detail::KeyHash hash{kSeed};
  const auto is_chosen = [&](std::uint64_t of_key) {
    return options.sample >= 1 || static_cast<double>(of_key) < options.sample * kAll;
  };
  Recorded recorded;
  Lines lines;
  while (std::cout) {
    const auto line = lines.next();
    if (!line) break;
    const auto seen = simulate::parse_monitor_line(*line);
    if (!seen) continue;
    if (!recorded.any_line) recorded.first = seen->time;
    recorded.any_line = true;
    recorded.last = seen->time;
    for (const std::string_view key : seen->keys) {
      ++recorded.reads;
      const std::uint64_t of_key = hash(key);
      if (!is_chosen(of_key)) continue;
      write_hash(of_key);
      if (++recorded.kept == options.count) return recorded;
    }
  }
  return recorded;
}

void tell(const Recorded& recorded, double sample) {
  std::cerr << "larder: " << recorded.kept << " of " << recorded.reads << " reads recorded";
  const double seconds = recorded.last - recorded.first;
  if (seconds > 0 && recorded.kept > 0) {
    std::cerr << "; for --ttl, simulate with --rate "
              << static_cast<double>(recorded.kept) / seconds;
  }
  std::cerr << '\n';
  if (sample < 1) {
    std::cerr << "larder: the trace has a share of " << sample
              << " of the keys: give capacities as shares (10%), or so much smaller\n";
  }
}

Exit record(const RecordOptions& options) {
  if (!(options.sample > 0 && options.sample <= 1)) {
    complain("--sample is a share of the keys, above 0 and at most 1");
    return Exit::kUsage;
  }
  // Ctrl-C ends redis-cli, and with it standard input; what was read is written still.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  const Recorded recorded = record_lines(options);
  std::cout.flush();
  if (!std::cout) {
    complain("the trace cannot be written; is the disk full, or its reader gone?");
    return Exit::kMistake;
  }
  if (!recorded.any_line) {
    complain(
        "standard input holds no line of MONITOR. Try: redis-cli -p 6380 MONITOR | larder record "
        "> trace.txt");
    return Exit::kMistake;
  }
  tell(recorded, options.sample);
  return Exit::kOk;
}

}  // namespace

void add_record(CLI::App& program, Action& action) {
  auto options = std::make_shared<RecordOptions>();
  CLI::App* command = program.add_subcommand(
      "record", "Turn what redis-cli MONITOR prints into a trace for `larder simulate`");
  command->add_option("--sample", options->sample,
                      "Keep only this share of the keys, with all reads of them (0.1)");
  command->add_option("--count", options->count, "End after so many reads were recorded");
  command->footer("redis-cli -p 6380 MONITOR | larder record > trace.txt");
  command->callback([&action, options] { action = [options] { return record(*options); }; });
}

}  // namespace larder::cli
