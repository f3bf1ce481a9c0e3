// `larder demo`.
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "cli/subcommand.hpp"
#include "demo/demonstration.hpp"
#include "demo/fleet.hpp"
#include "demo/stop_on_signal.hpp"
#include "demo/written_page.hpp"

namespace larder::cli {
namespace {

constexpr double kLeastSeconds = 0.1;
constexpr double kMostSeconds = 3'600;

// CLI::Range lets "nan" pass.
std::string seconds_in_range(const std::string& text) {
  double seconds = 0;
  const bool number = CLI::detail::lexical_cast(text, seconds);
  if (number && seconds >= kLeastSeconds && seconds <= kMostSeconds) return {};
  return "it takes a number of seconds from 0.1 to 3600, not " + text;
}

struct DemoOptions {
  demo::DemonstrationPlan plan;
  double seconds = 3;
  bool fleet = false;
  bool postgres = false;
};

Exit run(const DemoOptions& options) {
  demo::DemonstrationPlan plan = options.plan;
  plan.program = std::filesystem::read_symlink("/proc/self/exe");
  plan.duration =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>{options.seconds});
  const demo::StopOnSignal signals;
  const auto screen = ::isatty(STDOUT_FILENO) != 0 ? demo::Screen::kTerminal : demo::Screen::kPlain;

  const auto show = options.postgres ? &demo::demonstrate_postgres
                    : options.fleet  ? &demo::demonstrate_fleet
                                     : &demo::demonstrate;
  const auto done = show(plan, std::cout, screen, signals.token());
  if (done) return Exit::kOk;
  complain(done.error().message);
  return Exit::kMistake;
}

}  // namespace

void add_demo(CLI::App& program, Action& action) {
  auto options = std::make_shared<DemoOptions>();
  demo::DemonstrationPlan& plan = options->plan;
  CLI::App* const command = program.add_subcommand(
      "demo", "Build a shop in SQLite and compare its product pages with and without larder");
  command->option_defaults()->take_last();
  command->add_flag("--once", plan.once, "End after it was shown instead of staying up");
  CLI::Option* const fleet = command->add_flag(
      "--fleet", options->fleet, "Show instead what three servers over one Redis do together");
  command
      ->add_flag(
          "--postgres", options->postgres,
          "Show instead a page that is written while it is read, over a PostgreSQL of its own")
      ->excludes(fleet);
  command->add_option("--directory", plan.directory, "Where the shop is built and kept")
      ->capture_default_str();
  command->add_option("--products", plan.shop.products, "Products in the shop")
      ->check(CLI::Range(1U, demo::kMostProducts))
      ->capture_default_str();
  command->add_option("--reviews", plan.shop.reviews, "Reviews in the shop")
      ->check(CLI::Range(0U, 1'000'000'000U))
      ->capture_default_str();
  command->add_option("--seed", plan.shop.seed, "Decides the shop and who asks for what")
      ->capture_default_str();
  command->add_option("--viewers", plan.viewers, "Pages that are asked for at a time, both ways")
      ->check(CLI::Range(1U, 1'000U))
      ->capture_default_str();
  command->add_option("--seconds", options->seconds, "How long each run is measured")
      ->check(seconds_in_range)
      ->capture_default_str();
  command->add_option("--port", plan.port, "Where larder listens; 0: any free port. Usually 6380");
  command->add_option("--admin-port", plan.admin_port,
                      "Where its metrics are; 0: any free port. Usually 9380");
  command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace larder::cli
