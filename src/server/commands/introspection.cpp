// COMMAND and LARDER HELP: the command table as replies.
#include <string>
#include <string_view>

#include "server/commands/commands.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

struct FlagName {
  CommandFlag flag;
  std::string_view name;
};
constexpr FlagName kFlagNames[] = {
    {kReads, "readonly"}, {kWrites, "write"},      {kDenyOom, "denyoom"},
    {kAdmin, "admin"},    {kNoScript, "noscript"}, {kLoading, "loading"},
    {kStale, "stale"},    {kFast, "fast"},         {kNoAuth, "no_auth"},
};

void write_flags(resp::ReplyWriter& reply, std::uint32_t flags) {
  std::size_t count = 0;
  for (const FlagName& each : kFlagNames) count += (flags & each.flag) != 0 ? 1 : 0;
  reply.set(count);
  for (const FlagName& each : kFlagNames) {
    if ((flags & each.flag) != 0) reply.simple(each.name);
  }
}

void write_categories(resp::ReplyWriter& reply, const Command& command) {
  reply.set(3);
  reply.simple((command.flags & kWrites) != 0  ? "@write"
               : (command.flags & kReads) != 0 ? "@read"
                                               : "@connection");
  reply.simple("@" + std::string{command.group});
  reply.simple((command.flags & kFast) != 0 ? "@fast" : "@slow");
}

// Redis's key specification: where the keys begin, and which words follow.
void write_key_specs(resp::ReplyWriter& reply, const Command& command) {
  const KeyWords& keys = command.keys;
  if (keys.first == 0) return reply.set(0);
  reply.set(1);
  reply.map(3);
  reply.bulk("flags");
  reply.set(2);
  reply.simple((command.flags & kWrites) != 0 ? "RW" : "RO");
  reply.simple((command.flags & kWrites) != 0 ? "update" : "access");
  reply.bulk("begin_search");
  reply.map(2);
  reply.bulk("type");
  reply.bulk("index");
  reply.bulk("spec");
  reply.map(1);
  reply.bulk("index");
  reply.integer(keys.first);
  reply.bulk("find_keys");
  reply.map(2);
  reply.bulk("type");
  reply.bulk("range");
  reply.bulk("spec");
  reply.map(3);
  reply.bulk("lastkey");
  reply.integer(keys.last < 0 ? keys.last : keys.last - keys.first);
  reply.bulk("keystep");
  reply.integer(keys.step);
  reply.bulk("limit");
  reply.integer(0);
}

void write_info(resp::ReplyWriter& reply, const Command& command) {
  reply.array(10);
  reply.bulk(command.name);
  reply.integer(command.arity);
  write_flags(reply, command.flags);
  reply.integer(command.keys.first);
  reply.integer(command.keys.last);
  reply.integer(command.keys.step);
  write_categories(reply, command);
  reply.set(0);
  write_key_specs(reply, command);
  reply.array(command.subcommands.size());
  for (const Command& sub : command.subcommands) write_info(reply, sub);
}

void write_docs(resp::ReplyWriter& reply, const Command& command) {
  reply.bulk(command.name);
  reply.map(command.subcommands.empty() ? 4 : 5);
  reply.bulk("summary");
  reply.bulk(command.summary);
  reply.bulk("since");
  reply.bulk(command.since);
  reply.bulk("group");
  reply.bulk(command.group);
  reply.bulk("complexity");
  reply.bulk(command.complexity);
  if (command.subcommands.empty()) return;
  reply.bulk("subcommands");
  reply.map(command.subcommands.size());
  for (const Command& sub : command.subcommands) write_docs(reply, sub);
}

// The command that a word names: "get", "client|setname"; null for none.
const Command* named(std::string_view word) {
  const std::size_t bar = word.find('|');
  const Command* command = find_command(word.substr(0, bar));
  if (command == nullptr || bar == std::string_view::npos) return command;
  return find_subcommand(*command, word.substr(bar + 1));
}

}  // namespace

void command(Session& session, Arguments) {
  auto reply = session.reply();
  reply.array(all_commands().size());
  for (const Command& each : all_commands()) write_info(reply, each);
}

void command_count(Session& session, Arguments) {
  session.reply().integer(static_cast<std::int64_t>(all_commands().size()));
}

void command_list(Session& session, Arguments) {
  auto reply = session.reply();
  reply.set(all_commands().size());
  for (const Command& each : all_commands()) reply.bulk(each.name);
}

void command_info(Session& session, Arguments words) {
  if (words.size() == 2) return command(session, words);
  auto reply = session.reply();
  reply.array(words.size() - 2);
  for (const std::string_view word : words.subspan(2)) {
    if (const Command* found = named(word)) {
      write_info(reply, *found);
    } else {
      reply.null_array();
    }
  }
}

void command_docs(Session& session, Arguments words) {
  auto reply = session.reply();
  if (words.size() == 2) {
    reply.map(all_commands().size());
    for (const Command& each : all_commands()) write_docs(reply, each);
    return;
  }
  std::size_t known = 0;
  for (const std::string_view word : words.subspan(2)) known += named(word) != nullptr ? 1 : 0;
  reply.map(known);
  for (const std::string_view word : words.subspan(2)) {
    if (const Command* found = named(word)) write_docs(reply, *found);
  }
}

void larder_help(Session& session, Arguments) {
  const auto lines = find_command("larder")->subcommands;
  auto reply = session.reply();
  reply.array(1 + 2 * lines.size());
  reply.simple("LARDER <subcommand> [<arg> ...]. Subcommands are:");
  for (const Command& line : lines) {
    std::string name{line.name.substr(std::string_view{"larder|"}.size())};
    for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    reply.simple(line.syntax.empty() ? name : name + " " + std::string{line.syntax});
    reply.simple("    " + std::string{line.summary} + ".");
  }
}

}  // namespace larder::commands
