// The command line's parts: each subcommand is a file of this folder with one
// function, `add_NAME`, which declares its options and says what to run.
//
//   void add_check(CLI::App& program, Action& action) {
//     auto options = std::make_shared<CheckOptions>();
//     CLI::App* command = program.add_subcommand("check", "Look for mistakes in a configuration");
//     command->add_option("file", options->file, "The file to check")->required();
//     command->callback([&action, options] { action = [options] { return check(*options); }; });
//   }
//
// A new one is declared below, called in main.cpp and listed in CMakeLists.txt.
// What a person or a program asked for goes to standard output; errors go to
// standard error through `complain`, as sentences.
//
// Threads: parsing and actions run on the main thread.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string_view>

namespace larder::cli {

// What `larder` returns to the shell, of every subcommand.
enum class Exit : int {
  kOk = 0,       // did what was asked
  kMistake = 1,  // found a mistake or could not do it; standard error says what and what to do
  kUsage = 2,    // the command line itself is wrong
};

// What the chosen subcommand does, run after the command line was parsed.
using Action = std::function<Exit()>;

// Writes "larder: SENTENCE" to standard error. Several lines are one sentence's
// continuation and are written as they are.
void complain(std::string_view sentence);

// REQUIRES, of each: `action` lives until the program was parsed and the action run.
void add_check(CLI::App& program, Action& action);
void add_demo(CLI::App& program, Action& action);
void add_journal(CLI::App& program, Action& action);
void add_password(CLI::App& program, Action& action);
void add_record(CLI::App& program, Action& action);
void add_serve(CLI::App& program, Action& action);
void add_simulate(CLI::App& program, Action& action);

}  // namespace larder::cli
