// `larder simulate`: which hit ratio a trace would have had, at which capacity,
// with larder's memory tier and with what others use.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
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
  std::optional<double> target;
  double rate = 1000;
  double sample = 1;
  bool csv = false;
};

// Of a trace's entries, or of its bytes where it has them.
struct Capacity {
  std::optional<double> share{};  // of all there are
  std::uint64_t amount = 0;
  bool in_bytes = false;  // was given in a unit of bytes
};

// What the command line asks for, checked.
struct Plan {
  std::vector<const sim::PolicyKind*> policies;
  std::vector<Capacity> capacities;
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

// "1000", "64MiB" or "10%".
Result<Capacity> capacity(const std::string& text) {
  constexpr double kMost = 1e18;
  const bool percent = text.ends_with('%');
  const auto value = number(percent ? std::string_view{text}.substr(0, text.size() - 1) : text);
  if (value && (!(*value > 0) || *value > kMost)) {
    return fail(Errc::kInvalidArgument,
                "--capacity " + text + ": it must be above 0 and below 1e18");
  }
  if (value && percent) return Capacity{.share = *value / 100};
  if (value) {
    return Capacity{
        .amount = std::max<std::uint64_t>(static_cast<std::uint64_t>(std::llround(*value)), 1)};
  }
  if (const auto bytes = parse_bytes(text); bytes && bytes->bytes > 0) {
    return Capacity{.amount = bytes->bytes, .in_bytes = true};
  }
  return fail(Errc::kInvalidArgument,
              "--capacity " + text +
                  " is neither a number of entries, a size as 64MiB, nor a share as 10%");
}

Result<std::vector<const sim::PolicyKind*>> policies(const std::string& names) {
  std::vector<const sim::PolicyKind*> result;
  for (const std::string& name : split(names)) {
    const sim::PolicyKind* const policy = sim::find_policy(name);
    if (policy == nullptr) {
      std::string known;
      for (const auto& kind : sim::policies()) known += " " + std::string{kind.name};
      return fail(Errc::kInvalidArgument, "there is no policy \"" + name + "\"; there are" + known);
    }
    result.push_back(policy);
  }
  if (result.empty()) return fail(Errc::kInvalidArgument, "--policy names none");
  return result;
}

// Whether a file may come to be there, as far as that is known before.
bool is_place(const std::string& file) {
  const std::filesystem::path folder = std::filesystem::path{file}.parent_path();
  return folder.empty() || std::filesystem::is_directory(folder);
}

Result<Plan> plan(const SimulateOptions& options) {
  Plan result;
  auto named = policies(options.policies);
  if (!named) return std::unexpected{named.error()};
  result.policies = *std::move(named);
  if (!options.ttl.empty()) {
    const auto ttl = parse_duration(options.ttl);
    if (!ttl) return fail(Errc::kInvalidArgument, "--ttl " + ttl.error().message);
    result.ttl = *ttl;
  }
  if (!(options.sample > 0 && options.sample <= 1)) {
    return fail(Errc::kInvalidArgument, "--sample is a share of the keys, above 0 and at most 1");
  }
  if (!(options.rate >= 0.001 && options.rate <= 1e9)) {
    return fail(Errc::kInvalidArgument, "--rate is accesses a second, from 0.001 to 1e9");
  }
  if (options.target && !(*options.target > 0 && *options.target <= 1)) {
    return fail(Errc::kInvalidArgument, "--target is a hit ratio, above 0 and at most 1: 0.9");
  }
  if (!options.plot.empty() && !is_place(options.plot)) {
    return fail(Errc::kInvalidArgument, "--plot " + options.plot + ": there is no such folder");
  }
  const bool usual = options.capacities.empty() && (!options.target || !options.plot.empty());
  for (const std::string& text : split(usual ? "0.1%,0.3%,1%,3%,10%,30%" : options.capacities)) {
    const auto parsed = capacity(text);
    if (!parsed) return std::unexpected{parsed.error()};
    result.capacities.push_back(*parsed);
  }
  if (result.capacities.empty() && !options.target) {
    return fail(Errc::kInvalidArgument, "--capacity names none");
  }
  return result;
}

// In the trace's unit.
Result<std::uint64_t> amount(const Capacity& capacity, const sim::Trace& trace) {
  if (capacity.in_bytes && !trace.has_bytes) {
    return fail(Errc::kInvalidArgument,
                "the trace has no sizes: give --capacity in entries, or as a share");
  }
  if (!capacity.share) return capacity.amount;
  const std::uint64_t all = trace.has_bytes ? trace.total_bytes : trace.keys;
  const double share = std::min(*capacity.share * static_cast<double>(all), 1e18);
  return std::max<std::uint64_t>(static_cast<std::uint64_t>(std::llround(share)), 1);
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
  for (const Capacity& capacity : plan.capacities) {
    const auto size = amount(capacity, trace);
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

void print_target(const sim::Trace& trace, const sim::PolicyKind& policy, double target,
                  std::optional<std::uint64_t> needed) {
  std::cout << "  " << std::left << std::setw(12) << policy.name << std::right;
  if (needed) {
    std::cout << std::setw(14) << *needed << (trace.has_bytes ? " bytes" : " entries") << " for "
              << percent(target) << " hits\n";
  } else {
    std::cout << "  never reaches " << percent(target)
              << ": too many keys are asked for only once\n";
  }
}

void answer_target(const sim::Trace& trace, const std::string& name, const Plan& plan,
                   const SimulateOptions& options) {
  constexpr std::uint64_t kRuns = 12;  // about, of a policy
  const std::uint64_t run = trace.accesses.size();
  Progress progress{name, kRuns * plan.policies.size() * run};
  std::uint64_t last = 0;  // shown of the run under way
  const auto show = [&](std::uint64_t done) {
    if (done < last) progress.finish(run);
    last = done;
    progress.show(done);
  };
  const sim::Replay replay{trace, {.ttl = plan.ttl, .share = options.sample, .progress = show}};
  std::vector<Row> rows;
  for (const sim::PolicyKind* policy : plan.policies) {
    const auto needed = replay.capacity_for(*policy, *options.target);
    if (!options.csv) {
      print_target(trace, *policy, *options.target, needed);
    } else if (needed) {
      rows.push_back(
          {.policy = policy, .capacity = *needed, .ratios = replay.run(*policy, *needed)});
    } else {
      complain(name + ": " + std::string{policy->name} + " never reaches " +
               percent(*options.target) + " hits");
    }
  }
  if (options.csv) return print_csv(rows);
  std::cout << '\n';
}

// The picture of one of several traces gets its number: curves.svg, curves-2.svg.
std::string plot_file(const std::string& file, std::size_t index) {
  if (index == 0) return file;
  const std::size_t dot = file.rfind('.');
  const std::string number = "-" + std::to_string(index + 1);
  return dot == std::string::npos ? file + number : file.substr(0, dot) + number + file.substr(dot);
}

Exit simulate_trace(const SimulateOptions& options, const Plan& plan, std::size_t index) {
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
  if (options.target) answer_target(*trace, file, plan, options);
  if (!options.plot.empty()) {
    const std::string target = plot_file(options.plot, index);
    if (!write_plot(target, file, *trace, *rows)) {
      complain(target + ": the picture cannot be written; is the folder there and not full?");
      return Exit::kMistake;
    }
  }
  return Exit::kOk;
}

Exit simulate_one(const SimulateOptions& options, const Plan& plan, std::size_t index) {
  try {
    return simulate_trace(options, plan, index);
  } catch (const std::bad_alloc&) {
    complain(options.traces[index] +
             ": the memory does not suffice. belady needs most: name other policies by --policy, "
             "or replay a part of the keys by --sample 0.1");
    return Exit::kMistake;
  }
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
