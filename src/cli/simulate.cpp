// `larder simulate`: which hit ratio a trace would have had, at which capacity,
// with larder's memory tier and with what others use.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "base/quantity.hpp"
#include "cli/subcommand.hpp"
#include "demo/progress_bar.hpp"
#include "simulate/plot.hpp"
#include "simulate/replay.hpp"

namespace larder::cli {
namespace {

namespace sim = larder::simulate;

struct SimulateOptions {
  std::vector<std::string> traces;
  std::string capacities;
  std::string policies = "larder,lru,s3-fifo,sieve,w-tinylfu,arc,lirs,belady";
  std::string ttl;
  std::string plot;
  double target = 0;
  double rate = 1000;
  double sample = 1;
  bool csv = false;
};

// What the command line asks for, checked.
struct Plan {
  std::vector<const sim::PolicyKind*> policies;
  std::vector<std::string> capacities;
  Duration ttl{};
};

struct Row {
  const sim::PolicyKind* policy = nullptr;
  std::uint64_t capacity = 0;
  sim::Ratios ratios;
  std::optional<sim::Ratios> without_ttl{};
};

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  std::istringstream in{list};
  for (std::string part; std::getline(in, part, ',');) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<Plan> plan(const SimulateOptions& options) {
  Plan result;
  for (const std::string& name : split(options.policies)) {
    const sim::PolicyKind* const policy = sim::find_policy(name);
    if (policy == nullptr) {
      std::string known;
      for (const auto& kind : sim::policies()) known += " " + std::string{kind.name};
      return fail(Errc::kInvalidArgument, "there is no policy \"" + name + "\"; there are" + known);
    }
    result.policies.push_back(policy);
  }
  if (result.policies.empty()) return fail(Errc::kInvalidArgument, "--policy names none");
  if (!options.ttl.empty()) {
    const auto ttl = parse_duration(options.ttl);
    if (!ttl) return fail(Errc::kInvalidArgument, "--ttl " + ttl.error().message);
    result.ttl = *ttl;
  }
  if (!(options.sample > 0 && options.sample <= 1)) {
    return fail(Errc::kInvalidArgument, "--sample is a share of the keys, above 0 and at most 1");
  }
  if (!(options.rate > 0)) return fail(Errc::kInvalidArgument, "--rate must be above 0");
  if (options.target < 0 || options.target > 1) {
    return fail(Errc::kInvalidArgument, "--target is a hit ratio, from 0 to 1");
  }
  const std::string usual = options.target > 0 ? "" : "0.1%,0.3%,1%,3%,10%,30%";
  result.capacities = split(options.capacities.empty() ? usual : options.capacities);
  return result;
}

// "1000", "64MiB" or "10%" of all keys (or of their bytes).
Result<std::uint64_t> capacity(const std::string& text, const sim::Trace& trace) {
  const std::uint64_t all = trace.has_bytes ? trace.total_bytes : trace.keys;
  const bool percent = text.ends_with('%');
  const auto value = number(percent ? std::string_view{text}.substr(0, text.size() - 1) : text);
  if (value && *value > 0) {
    const double entries = percent ? *value / 100 * static_cast<double>(all) : *value;
    return std::max<std::uint64_t>(static_cast<std::uint64_t>(std::llround(entries)), 1);
  }
  if (const auto bytes = parse_bytes(text); bytes && trace.has_bytes && bytes->bytes > 0) {
    return bytes->bytes;
  }
  return fail(Errc::kInvalidArgument, "the capacity \"" + text + "\" is neither a number of " +
                                          (trace.has_bytes ? "bytes, a size as 64MiB,"
                                                           : "entries (the trace has no sizes)") +
                                          " nor a share as 10%");
}

// Shows how far one trace's replays are, on a terminal's standard error only.
class Progress {
 public:
  Progress(const std::string& what, std::uint64_t total) : total_{total} {
    if (isatty(STDERR_FILENO) != 0) {
      bar_.emplace(std::cerr, demo::Screen::kTerminal, what, steady_clock());
    }
  }
  void show(std::uint64_t done) {
    if (bar_) bar_->show(std::min(finished_ + done, total_), total_);
  }
  void finish(std::uint64_t part) { finished_ += part; }

 private:
  std::optional<demo::ProgressBar> bar_;
  const std::uint64_t total_;
  std::uint64_t finished_ = 0;
};

Result<std::vector<Row>> replay(const sim::Trace& trace, const std::string& name, const Plan& plan,
                                double share) {
  std::vector<std::uint64_t> capacities;
  for (const std::string& text : plan.capacities) {
    const auto size = capacity(text, trace);
    if (!size) return std::unexpected{size.error()};
    capacities.push_back(*size);
  }
  std::ranges::sort(capacities);
  const bool compare = plan.ttl > Duration{};
  const std::uint64_t runs = capacities.size() * plan.policies.size() * (compare ? 2 : 1);
  Progress progress{name, runs * trace.accesses.size()};
  const auto show = [&progress](std::uint64_t done) { progress.show(done); };
  const sim::Replay replay{trace, {.ttl = plan.ttl, .share = share, .progress = show}};
  const sim::Replay endless{trace, {.share = share, .progress = show}};
  std::vector<Row> rows;
  for (const sim::PolicyKind* policy : plan.policies) {
    for (const std::uint64_t size : capacities) {
      Row row{.policy = policy, .capacity = size, .ratios = replay.run(*policy, size)};
      progress.finish(trace.accesses.size());
      if (compare) {
        row.without_ttl = endless.run(*policy, size);
        progress.finish(trace.accesses.size());
      }
      rows.push_back(row);
    }
  }
  return rows;
}

void print_csv(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    std::cout << row.policy->name << ',' << row.capacity << ',' << std::fixed
              << std::setprecision(6) << row.ratios.hits << ',' << row.ratios.bytes << '\n';
  }
}

std::string percent(double ratio) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(2) << 100 * ratio << " %";
  return out.str();
}

void print_table(const std::string& name, const sim::Trace& trace, const std::vector<Row>& rows) {
  std::cout << name << ": " << trace.accesses.size() << " accesses to " << trace.keys << " keys";
  if (trace.has_bytes) std::cout << " of " << trace.total_bytes << " bytes";
  std::cout << "\n\n  " << std::left << std::setw(12) << "policy" << std::right << std::setw(14)
            << (trace.has_bytes ? "bytes" : "entries") << std::setw(12) << "hits";
  const bool compare = !rows.empty() && rows.front().without_ttl;
  if (compare) std::cout << std::setw(16) << "without TTL";
  if (trace.has_bytes) std::cout << std::setw(14) << "of the bytes";
  std::cout << '\n';
  for (const Row& row : rows) {
    std::cout << "  " << std::left << std::setw(12) << row.policy->name << std::right
              << std::setw(14) << row.capacity << std::setw(12) << percent(row.ratios.hits);
    if (row.without_ttl) std::cout << std::setw(16) << percent(row.without_ttl->hits);
    if (trace.has_bytes) std::cout << std::setw(14) << percent(row.ratios.bytes);
    std::cout << '\n';
  }
  std::cout << '\n';
}

bool write_plot(const std::string& file, const std::string& name, const sim::Trace& trace,
                const std::vector<Row>& rows) {
  std::vector<sim::Curve> curves;
  for (const Row& row : rows) {
    if (curves.empty() || curves.back().name != row.policy->name) {
      curves.push_back({.name = std::string{row.policy->name}, .points = {}});
    }
    curves.back().points.push_back({row.capacity, 1 - row.ratios.hits});
  }
  std::ofstream out{file};
  out << sim::plot_svg(name, trace.has_bytes ? "bytes" : "entries", curves);
  out.close();
  return !out.fail();
}

void answer_target(const sim::Trace& trace, const Plan& plan, const SimulateOptions& options) {
  const sim::Replay replay{trace, {.ttl = plan.ttl, .share = options.sample}};
  const std::string unit = trace.has_bytes ? "bytes" : "entries";
  for (const sim::PolicyKind* policy : plan.policies) {
    const auto needed = replay.capacity_for(*policy, options.target);
    std::cout << "  " << std::left << std::setw(12) << policy->name << std::right;
    if (needed) {
      std::cout << std::setw(14) << *needed << ' ' << unit << " for " << percent(options.target)
                << " hits\n";
    } else {
      std::cout << "  never reaches " << percent(options.target)
                << ": too many keys are asked for only once\n";
    }
  }
  std::cout << '\n';
}

// The picture of one of several traces gets its number: curves.svg, curves-2.svg.
std::string plot_file(const std::string& file, std::size_t index) {
  if (index == 0) return file;
  const std::size_t dot = file.rfind('.');
  const std::string number = "-" + std::to_string(index + 1);
  return dot == std::string::npos ? file + number : file.substr(0, dot) + number + file.substr(dot);
}

Exit simulate_one(const SimulateOptions& options, const Plan& plan, std::size_t index) {
  const std::string& file = options.traces[index];
  const Duration spacing{
      std::max<Duration::rep>(static_cast<Duration::rep>(1e9 / options.rate), 1)};
  const auto trace = sim::read_trace(file, std::cin, spacing);
  if (!trace) {
    complain(trace.error().message);
    return Exit::kMistake;
  }
  const auto rows = replay(*trace, file, plan, options.sample);
  if (!rows) {
    complain(file + ": " + rows.error().message);
    return Exit::kUsage;
  }
  if (options.csv) {
    print_csv(*rows);
  } else if (!rows->empty()) {
    print_table(file, *trace, *rows);
  }
  if (options.target > 0) answer_target(*trace, plan, options);
  if (!options.plot.empty()) {
    const std::string target = plot_file(options.plot, index);
    if (!write_plot(target, file, *trace, *rows)) {
      complain(target + ": the picture cannot be written; is the folder there and not full?");
      return Exit::kMistake;
    }
  }
  return Exit::kOk;
}

Exit simulate(const SimulateOptions& options) {
  const auto checked = plan(options);
  if (!checked) {
    complain(checked.error().message);
    return Exit::kUsage;
  }
  if (options.csv) std::cout << "policy,capacity,hit_ratio,byte_hit_ratio\n";
  Exit worst = Exit::kOk;
  for (std::size_t i = 0; i < options.traces.size(); ++i) {
    worst = std::max(worst, simulate_one(options, *checked, i));
  }
  return worst;
}

}  // namespace

void add_simulate(CLI::App& program, Action& action) {
  auto options = std::make_shared<SimulateOptions>();
  CLI::App* command = program.add_subcommand(
      "simulate", "Replay a trace: the hit ratio at each capacity, beside other policies");
  command
      ->add_option(
          "trace", options->traces,
          "Files of one key a line, or of `time,key,bytes`; plain or zstd; - is standard input")
      ->required();
  command->add_option("--capacity", options->capacities,
                      "In entries, or bytes where the trace has them; or a share: 1000,10%");
  command->add_option("--policy", options->policies, "Which policies, by name")
      ->capture_default_str();
  command->add_option("--target", options->target,
                      "Tell the smallest capacity that reaches this hit ratio (0.9)");
  command->add_option("--ttl", options->ttl, "Let entries expire (5m), and tell what that costs");
  command
      ->add_option("--rate", options->rate,
                   "Accesses a second, for a trace without times and --ttl")
      ->capture_default_str();
  command->add_option("--sample", options->sample,
                      "Replay only this share of the keys (0.1): faster, nearly the same ratios");
  command->add_option("--plot", options->plot, "Draw miss-ratio curves into this SVG file");
  command->add_flag("--csv", options->csv, "Print policy,capacity,hit_ratio,byte_hit_ratio");
  command->callback([&action, options] { action = [options] { return simulate(*options); }; });
}

}  // namespace larder::cli
