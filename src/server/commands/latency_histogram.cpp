// LATENCY HISTOGRAM: how many calls of each command took how long.
#include "server/latency_histogram.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "server/commands/commands.hpp"
#include "server/server_stats.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

// Of each step that something counts with, how many took no longer than its end.
void write_steps(resp::ReplyWriter& reply, const LatencySteps& steps) {
  reply.map(steps.size() - static_cast<std::size_t>(std::ranges::count(steps, 0)));
  std::uint64_t until = 0;
  for (std::size_t step = 0; step < steps.size(); ++step) {
    if (steps[step] == 0) continue;
    until += steps[step];
    reply.integer(static_cast<std::int64_t>(end_of_latency_step(step) / 1000));
    reply.integer(static_cast<std::int64_t>(until));
  }
}

// Whether `name` is the command's, or of the command that it is a subcommand of.
bool means(std::string_view name, const Command& command) {
  return same_word(name, command.name) ||
         same_word(name, command.name.substr(0, command.name.find('|')));
}

}  // namespace

void latency_histogram(Session& session, Arguments words) {
  const Arguments names = words.subspan(2);
  const ServerStats stats = session.context().server.stats();
  const auto commands = counted_commands();
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const bool wanted = names.empty() || std::ranges::any_of(names, [&](std::string_view name) {
                          return means(name, *commands[i]);
                        });
    if (wanted && count_of(stats.by_command[i].steps) > 0) shown.push_back(i);
  }
  auto reply = session.reply();
  reply.map(shown.size());
  for (const std::size_t i : shown) {
    const LatencySteps& steps = stats.by_command[i].steps;
    reply.bulk(commands[i]->name);
    reply.map(2);
    reply.bulk("calls");
    reply.integer(static_cast<std::int64_t>(count_of(steps)));
    reply.bulk("histogram_usec");
    write_steps(reply, steps);
  }
}

}  // namespace larder::commands
