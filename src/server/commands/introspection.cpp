// COMMAND, and the HELP of the commands that have subcommands: the command table as
// replies.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "resp/glob.hpp"
#include "server/command_syntax.hpp"
#include "server/commands/commands.hpp"
#include "server/commands/words.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

struct FlagName {
  CommandFlag flag;
  std::string_view name;
};
constexpr FlagName kFlagNames[] = {
    {kReads, "readonly"},    {kWrites, "write"},        {kDenyOom, "denyoom"}, {kAdmin, "admin"},
    {kNoScript, "noscript"}, {kLoading, "loading"},     {kStale, "stale"},     {kFast, "fast"},
    {kNoAuth, "no_auth"},    {kNotInMulti, "no_multi"},
};

void write_flags(resp::ReplyWriter& reply, std::uint32_t flags) {
  std::size_t count = 0;
  for (const FlagName& each : kFlagNames) count += (flags & each.flag) != 0 ? 1 : 0;
  reply.set(count);
  for (const FlagName& each : kFlagNames) {
    if ((flags & each.flag) != 0) reply.simple(each.name);
  }
}

std::array<std::string, 3> categories_of(const Command& command) {
  return {(command.flags & kWrites) != 0  ? "@write"
          : (command.flags & kReads) != 0 ? "@read"
                                          : "@connection",
          "@" + std::string{command.group}, (command.flags & kFast) != 0 ? "@fast" : "@slow"};
}

bool has_category(const Command& command, std::string_view name) {
  return std::ranges::any_of(categories_of(command), [&](std::string_view category) {
    return same_word(category.substr(1), name);
  });
}

void write_categories(resp::ReplyWriter& reply, const Command& command) {
  reply.set(3);
  for (const std::string& category : categories_of(command)) reply.simple(category);
}

std::string upper(std::string_view name) {
  std::string text{name};
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return text;
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

// Redis's word for what a value is.
std::string_view type_of(const Command& command, const SyntaxArgument& argument) {
  constexpr std::string_view kIntegers[] = {
      "count",  "cursor", "decrement",    "end",     "increment", "index",  "client-id",
      "offset", "start",  "milliseconds", "seconds", "protover",  "timeout"};
  switch (argument.kind) {
    case SyntaxArgument::Kind::kWord: return "pure-token";
    case SyntaxArgument::Kind::kOneOf: return "oneof";
    case SyntaxArgument::Kind::kBlock: return "block";
    case SyntaxArgument::Kind::kValue: break;
  }
  if (argument.name == "key" && command.keys.first != 0) return "key";
  if (argument.name == "pattern") return "pattern";
  if (argument.name.starts_with("unix-time")) return "unix-time";
  if (command.run == incrbyfloat && argument.name == "increment") return "double";
  const bool integer = std::ranges::find(kIntegers, argument.name) != std::end(kIntegers);
  return integer ? "integer" : "string";
}

void write_argument(resp::ReplyWriter& reply, const Command& command,
                    const SyntaxArgument& argument) {
  const std::string_view type = type_of(command, argument);
  const bool flagged = argument.optional || argument.multiple;
  const bool nested = !argument.arguments.empty();
  reply.map(2 + (type == "key" ? 1 : 0) + (argument.token.empty() ? 0 : 1) + (flagged ? 1 : 0) +
            (nested ? 1 : 0));
  reply.bulk("name");
  reply.bulk(argument.name);
  reply.bulk("type");
  reply.bulk(type);
  if (type == "key") {
    reply.bulk("key_spec_index");
    reply.integer(0);
  }
  if (!argument.token.empty()) {
    reply.bulk("token");
    reply.bulk(argument.token);
  }
  if (flagged) {
    reply.bulk("flags");
    reply.set((argument.optional ? 1 : 0) + (argument.multiple ? 1 : 0));
    if (argument.optional) reply.simple("optional");
    if (argument.multiple) reply.simple("multiple");
  }
  if (!nested) return;
  reply.bulk("arguments");
  reply.array(argument.arguments.size());
  for (const SyntaxArgument& each : argument.arguments) write_argument(reply, command, each);
}

void write_docs(resp::ReplyWriter& reply, const Command& command) {
  const std::vector<SyntaxArgument> arguments = parse_syntax(command.syntax);
  reply.bulk(command.name);
  reply.map(4 + (arguments.empty() ? 0 : 1) + (command.subcommands.empty() ? 0 : 1));
  reply.bulk("summary");
  reply.bulk(command.summary);
  reply.bulk("since");
  reply.bulk(command.since);
  reply.bulk("group");
  reply.bulk(command.group);
  reply.bulk("complexity");
  reply.bulk(command.complexity);
  if (!arguments.empty()) {
    reply.bulk("arguments");
    reply.array(arguments.size());
    for (const SyntaxArgument& each : arguments) write_argument(reply, command, each);
  }
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

// With subcommands. Redis takes one filter, FILTERBY and what it is by.
void command_list(Session& session, Arguments words) {
  std::string_view pattern = "*";
  bool by_category = false;
  if (words.size() > 2) {
    if (words.size() != 5 || !same_word(words[2], "filterby")) return session.error(kSyntaxError);
    pattern = words[4];
    by_category = same_word(words[3], "aclcat");
    if (same_word(words[3], "module")) return session.reply().set(0);
    if (!by_category && !same_word(words[3], "pattern")) return session.error(kSyntaxError);
  }
  if (pattern.size() > kLongestPattern) return session.error(pattern_too_long(pattern));
  std::vector<std::string_view> names;
  for (const Command* const each : counted_commands()) {
    const bool wanted = by_category
                            ? has_category(*each, pattern)
                            : resp::glob_matches(pattern, each->name, resp::GlobCase::kIgnore);
    if (wanted) names.push_back(each->name);
  }
  auto reply = session.reply();
  reply.set(names.size());
  for (const std::string_view name : names) reply.bulk(name);
}

void command_getkeys(Session& session, Arguments words) {
  const Arguments line = words.subspan(2);
  const Command* found = find_command(line[0]);
  if (found != nullptr && !found->subcommands.empty() && line.size() > 1) {
    found = find_subcommand(*found, line[1]);
  }
  if (found == nullptr) return session.error("ERR Invalid command specified");
  if (found->keys.first == 0) return session.error("ERR The command has no key arguments");
  if (!found->takes(line.size())) {
    return session.error("ERR Invalid number of arguments specified for command");
  }
  std::size_t count = 0;
  found->each_key(line, [&](std::string_view) { ++count; });
  auto reply = session.reply();
  reply.array(count);
  found->each_key(line, [&](std::string_view key) { reply.bulk(key); });
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

void help(Session& session, Arguments words) {
  const Command& of = *find_command(words[0]);
  auto reply = session.reply();
  reply.array(1 + 2 * of.subcommands.size());
  reply.simple(upper(of.name) + " <subcommand> [<arg> ...]. Subcommands are:");
  for (const Command& line : of.subcommands) {
    const std::string name = upper(line.name.substr(of.name.size() + 1));
    reply.simple(line.syntax.empty() ? name : name + " " + std::string{line.syntax});
    reply.simple("    " + std::string{line.summary} + ".");
  }
}

}  // namespace larder::commands
