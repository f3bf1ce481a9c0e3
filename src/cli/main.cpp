// `larder`: parses the command line and runs the chosen subcommand.
#include <exception>
#include <iostream>
#include <string>

#include "cli/subcommand.hpp"
#include "cli/wrong_usage.hpp"
#include "larder/version.hpp"

namespace larder::cli {

void complain(std::string_view sentence) { std::cerr << "larder: " << sentence << '\n'; }

namespace {

Exit run(int argc, char** argv) {
  CLI::App program{"A correct, fast cache between backends and their databases.", "larder"};
  program.set_version_flag("--version", "larder " + std::string{kVersion});
  program.require_subcommand(1);
  program.footer("Exit codes: 0 done, 1 a mistake was found, 2 wrong usage.");
  Action action;
  add_check(program, action);
  add_serve(program, action);
  add_demo(program, action);
  add_simulate(program, action);
  add_record(program, action);
  add_journal(program, action);
  add_password(program, action);

  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& wanted) {  // --help, --version
    program.exit(wanted);
    return Exit::kOk;
  } catch (const CLI::ParseError& error) {
    complain(explain_usage(program, error));
    return Exit::kUsage;
  }
  return action();
}

}  // namespace
}  // namespace larder::cli

int main(int argc, char** argv) {
  try {
    return static_cast<int>(larder::cli::run(argc, argv));
  } catch (const std::exception& error) {
    larder::cli::complain(error.what());
    return static_cast<int>(larder::cli::Exit::kMistake);
  }
}
