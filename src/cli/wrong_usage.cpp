#include "cli/wrong_usage.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "base/nearest_name.hpp"

namespace larder::cli {

namespace {

using Names = std::vector<std::string>;

Names subcommands_of(const CLI::App& program) {
  Names names;
  for (const CLI::App* app : program.get_subcommands({})) names.push_back(app->get_name());
  return names;
}

// Those of its groups, which are applications without a name, too.
Names options_of(const CLI::App& command) {
  Names names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  for (const CLI::App* group : command.get_subcommands({})) {
    if (!group->get_name().empty()) continue;
    std::ranges::move(options_of(*group), std::back_inserter(names));
  }
  return names;
}

// "; did you mean check?", or all that there are.
std::string suggestion(std::string_view name, const Names& names) {
  const std::vector<std::string_view> views{names.begin(), names.end()};
  if (const auto nearest = nearest_name(name, views)) {
    return "; did you mean " + std::string{*nearest} + "?";
  }
  std::string all;
  for (const std::string_view each : views) all += (all.empty() ? "" : ", ") + std::string{each};
  return "; there are " + all + ".";
}

// As it stands in a message: a terminal's cursor stays where it is.
std::string shown(std::string_view word) {
  std::string text{word.substr(0, 64)};
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  return text;
}

bool is_option(std::string_view word) { return word.size() > 1 && word.starts_with('-'); }

// The subcommand that was named; the program itself when none was.
const CLI::App& chosen(const CLI::App& program) {
  for (const CLI::App* app : program.get_subcommands()) {
    if (!app->get_name().empty()) return *app;
  }
  return program;
}

// The word that nobody takes, if a mistyped name is what is wrong.
std::optional<std::string> unknown_name(const CLI::App& program, const CLI::App& command) {
  const bool named = &command != &program;
  for (const std::string& word : command.remaining()) {
    if (is_option(word)) {
      const std::string name = word.substr(0, word.find('='));
      const std::string who = named ? "larder " + command.get_name() : "larder";
      return who + " has no option " + shown(name) + suggestion(name, options_of(command));
    }
    if (named) continue;
    return "there is no subcommand " + shown(word) + suggestion(word, subcommands_of(program));
  }
  return std::nullopt;
}

}  // namespace

std::string explain_usage(const CLI::App& program, const CLI::ParseError& error) {
  const CLI::App& command = chosen(program);
  const std::string what = unknown_name(program, command).value_or(error.what());
  const std::string help =
      &command == &program ? "larder --help" : "larder " + command.get_name() + " --help";
  return what + "\nRun `" + help + "` to see what there is.";
}

}  // namespace larder::cli
