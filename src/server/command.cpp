#include "server/command.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "server/commands/commands.hpp"

namespace larder {

namespace {

using namespace commands;  // the functions that the table names

constexpr KeyWords kNoKeys{};
constexpr KeyWords kOneKey{1, 1, 1};
constexpr KeyWords kAllKeys{1, -1, 1};
constexpr std::uint32_t kAnytime = kLoading | kStale;

constexpr Command kClientCommands[] = {
    {"client|getname", 2, kNoScript | kAnytime, kNoKeys, client_getname, "connection", "2.6.9",
     "O(1)", "Get the connection's name"},
    {"client|id", 2, kNoScript | kAnytime, kNoKeys, client_id, "connection", "5.0.0", "O(1)",
     "Returns the client ID for the current connection"},
    {"client|setinfo", 4, kNoScript | kAnytime, kNoKeys, client_setinfo, "connection", "7.2.0",
     "O(1)", "Set the client's library name or version", "<LIB-NAME name | LIB-VER version>"},
    {"client|setname", 3, kNoScript | kAnytime, kNoKeys, client_setname, "connection", "2.6.9",
     "O(1)", "Set the current connection's name", "name"},
};

constexpr Command kCommandCommands[] = {
    {"command|count", 2, kAnytime, kNoKeys, command_count, "server", "2.8.13", "O(1)",
     "Get the total number of commands"},
    {"command|docs", -2, kAnytime, kNoKeys, command_docs, "server", "7.0.0", "O(N)",
     "Get documentation of commands", "[name ...]"},
    {"command|info", -2, kAnytime, kNoKeys, command_info, "server", "2.8.13", "O(N)",
     "Get details of commands", "[name ...]"},
    {"command|list", 2, kAnytime, kNoKeys, command_list, "server", "7.0.0", "O(N)",
     "Get the names of all commands"},
};

constexpr Command kLarderCommands[] = {
    {"larder|explain",
     3,
     kReads,
     {2, 2, 1},
     larder_explain,
     "server",
     "larder",
     "O(1)",
     "Where a key's value is, how old it is, how long it is fresh, what loading it cost",
     "key"},
    {"larder|help", 2, kAnytime, kNoKeys, larder_help, "server", "larder", "O(1)", "These lines"},
};

constexpr std::array kCommands = std::to_array<Command>({
    {"client",
     -2,
     kNoScript | kAnytime,
     kNoKeys,
     nullptr,
     "connection",
     "2.4.0",
     "Depends on subcommand",
     "A container for client connection commands",
     {},
     kClientCommands},
    {"command",
     -1,
     kAnytime,
     kNoKeys,
     command,
     "server",
     "2.8.13",
     "O(N)",
     "Get details of all commands",
     {},
     kCommandCommands},
    {"dbsize", 1, kReads | kFast | kAlone, kNoKeys, dbsize, "server", "1.0.0", "O(1)",
     "Return the number of keys in memory"},
    {"del", -2, kWrites, kAllKeys, del, "generic", "1.0.0", "O(N)",
     "Drop the copies of keys; the source keeps its rows", "key [key ...]"},
    {"echo", 2, kFast | kAnytime, kNoKeys, echo, "connection", "1.0.0", "O(1)",
     "Echo the given string", "message"},
    {"exists", -2, kReads | kFast | kJoins, kAllKeys, exists, "generic", "1.0.0", "O(N)",
     "How many of the keys have a value, in memory or in their source", "key [key ...]"},
    {"expire", -3, kWrites | kFast, kOneKey, expire, "generic", "1.0.0", "O(1)",
     "Set a key's time to live in seconds", "key seconds [NX | XX | GT | LT]"},
    {"flushall", -1, kWrites | kAlone, kNoKeys, flush, "server", "1.0.0", "O(N)",
     "Drop every copy in memory", "[ASYNC | SYNC]"},
    {"flushdb", -1, kWrites | kAlone, kNoKeys, flush, "server", "1.0.0", "O(N)",
     "Drop every copy in memory", "[ASYNC | SYNC]"},
    {"get", 2, kReads | kFast | kJoins, kOneKey, get, "string", "1.0.0", "O(1)",
     "Get the value of a key", "key"},
    {"hello", -1, kFast | kAnytime | kNoScript | kNoAuth, kNoKeys, hello, "connection", "6.0.0",
     "O(1)", "Agree on the protocol with the server",
     "[protover [AUTH username password] [SETNAME clientname]]"},
    {"info", -1, kAnytime, kNoKeys, info, "server", "1.0.0", "O(1)",
     "Get information and statistics about the server", "[section [section ...]]"},
    {"larder",
     -2,
     kAnytime,
     kNoKeys,
     nullptr,
     "server",
     "larder",
     "Depends on subcommand",
     "A container for what larder tells of itself",
     {},
     kLarderCommands},
    {"mget", -2, kReads | kFast | kJoins, kAllKeys, mget, "string", "1.0.0", "O(N)",
     "Get the values of all the given keys", "key [key ...]"},
    {"pexpire", -3, kWrites | kFast, kOneKey, pexpire, "generic", "2.6.0", "O(1)",
     "Set a key's time to live in milliseconds", "key milliseconds [NX | XX | GT | LT]"},
    {"ping", -1, kFast | kAnytime, kNoKeys, ping, "connection", "1.0.0", "O(1)", "Ping the server",
     "[message]"},
    {"pttl", 2, kReads | kFast, kOneKey, pttl, "generic", "2.6.0", "O(1)",
     "How long a key's copy in memory lives, in milliseconds", "key"},
    {"quit", -1, kFast | kAnytime | kNoScript | kNoAuth, kNoKeys, quit, "connection", "1.0.0",
     "O(1)", "Close the connection"},
    {"select", 2, kFast | kAnytime, kNoKeys, select, "connection", "1.0.0", "O(1)",
     "Change the database: there is only database 0", "index"},
    {"set", -3, kWrites | kDenyOom, kOneKey, set, "string", "1.0.0", "O(1)",
     "Set the value of a key",
     "key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT "
     "unix-time-milliseconds | KEEPTTL]"},
    {"ttl", 2, kReads | kFast, kOneKey, ttl, "generic", "1.0.0", "O(1)",
     "How long a key's copy in memory lives, in seconds", "key"},
    {"unlink", -2, kWrites | kFast, kAllKeys, del, "generic", "4.0.0", "O(N)",
     "Drop the copies of keys; the source keeps its rows", "key [key ...]"},
});
static_assert(kCommands.size() < kMostCommands);

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// A perfect hash of the names: some of their bytes, multiplied by a number that
// the compiler finds such that no two names meet.
class NameTable {
 public:
  static constexpr int kBits = 10;
  static constexpr std::uint8_t kEmpty = 0xFF;

  consteval NameTable() {
    do {
      multiplier_ = multiplier_ * 6364136223846793005U + 1442695040888963407U;
    } while (!fits());
  }

  [[nodiscard]] constexpr std::uint8_t find(std::string_view name) const {
    return slots_[slot(name)];
  }

 private:
  // REQUIRES: at least one byte.
  [[nodiscard]] constexpr std::size_t slot(std::string_view name) const {
    const auto byte = [&](std::size_t i) {
      return static_cast<std::uint64_t>(static_cast<unsigned char>(name[i]) | 0x20U);
    };
    const std::size_t last = name.size() - 1;
    const std::uint64_t bytes = byte(0) | byte(last) << 8 | byte(last / 2) << 16 |
                                byte(last > 0 ? 1 : 0) << 24 | byte(last > 0 ? last - 1 : 0) << 32 |
                                static_cast<std::uint64_t>(name.size()) << 40;
    return (bytes * (multiplier_ | 1)) >> (64 - kBits);
  }

  consteval bool fits() {
    slots_.fill(kEmpty);
    for (std::size_t i = 0; i < kCommands.size(); ++i) {
      std::uint8_t& mine = slots_[slot(kCommands[i].name)];
      if (mine != kEmpty) return false;
      mine = static_cast<std::uint8_t>(i);
    }
    return true;
  }

  std::uint64_t multiplier_ = 0x9E3779B97F4A7C15U;
  std::array<std::uint8_t, std::size_t{1} << kBits> slots_{};
};

constexpr NameTable kNames;

}  // namespace

std::span<const Command> all_commands() { return kCommands; }

std::size_t index_of(const Command& command) {
  return static_cast<std::size_t>(&command - kCommands.data());
}

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

const Command* find_command(std::string_view name) {
  if (name.empty()) return nullptr;
  const std::uint8_t index = kNames.find(name);
  if (index == NameTable::kEmpty || !same_word(kCommands[index].name, name)) return nullptr;
  return &kCommands[index];
}

const Command* find_subcommand(const Command& command, std::string_view name) {
  for (const Command& sub : command.subcommands) {
    if (same_word(sub.name.substr(command.name.size() + 1), name)) return &sub;
  }
  return nullptr;
}

std::string unknown_command(Arguments words) {
  constexpr std::size_t kLongest = 128;  // bytes of the name, and of the arguments together
  std::string text{"ERR unknown command '"};
  text += words[0].substr(0, kLongest);
  text += "', with args beginning with: ";
  std::string arguments;
  for (const std::string_view word : words.subspan(1)) {
    if (arguments.size() >= kLongest) break;
    arguments += '\'';
    arguments += word.substr(0, kLongest - arguments.size());
    arguments += "' ";
  }
  return text + arguments;
}

std::string unknown_subcommand(const Command& command, std::string_view name) {
  std::string upper{command.name};
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  std::string text{"ERR unknown subcommand '"};
  text += name.substr(0, 128);
  return text + "'. Try " + upper + " HELP.";
}

}  // namespace larder
