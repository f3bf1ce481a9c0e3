// The commands as data: one record each, from which dispatch, arity errors,
// COMMAND and its replies, and `LARDER HELP` come.
//
// Threads: immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace larder {

class Session;

// A command's words; the first is its name. Views into the session's input.
using Arguments = std::span<const std::string_view>;

// What a command does, as COMMAND INFO says it and as sessions obey it.
enum CommandFlag : std::uint32_t {
  kReads = 1U << 0,             // readonly
  kWrites = 1U << 1,            // write
  kFast = 1U << 2,              // fast
  kAdmin = 1U << 3,             // admin
  kDenyOom = 1U << 4,           // denyoom
  kNoAuth = 1U << 5,            // no_auth
  kLoading = 1U << 6,           // loading
  kStale = 1U << 7,             // stale
  kNoScript = 1U << 8,          // noscript
  kJoins = 1U << 9,             // reads through: may stand beside a load of its own key
  kAlone = 1U << 10,            // waits until nothing of this connection is being loaded
  kTells = 1U << 11,            // writes, and tells what was there: needs the right to read too
  kSecret = 1U << 12,           // its words may be passwords: never shown to others
  kNotQueued = 1U << 13,        // is carried out at once, also between MULTI and EXEC
  kNotInMulti = 1U << 14,       // no_multi: cannot wait for EXEC
  kUnshown = 1U << 15,          // MONITOR leaves it out, as what has kAdmin
  kWhileSubscribed = 1U << 16,  // also by a client of RESP2 that listens on a channel
};

// Which words are keys: first, last (negative: from the end), step. All 0: none.
struct KeyWords {
  int first = 0;
  int last = 0;
  int step = 0;
};

struct Command {
  std::string_view name;  // lower case; a subcommand's is "client|setname"
  int arity;              // number of words with the name; negative: at least
  std::uint32_t flags;
  KeyWords keys;
  void (*run)(Session& session, Arguments words);
  std::string_view group;
  std::string_view since;  // the Redis version that brought it; "larder" if none did
  std::string_view complexity;
  std::string_view summary;
  std::string_view syntax = {};  // the words after the name
  std::span<const Command> subcommands = {};

  [[nodiscard]] bool takes(std::size_t words) const {
    return arity < 0 ? words >= static_cast<std::size_t>(-arity)
                     : words == static_cast<std::size_t>(arity);
  }
  // Calls visit(key) for each key among `words`. REQUIRES: takes(words.size()).
  template <class Visit>
  void each_key(Arguments words, Visit&& visit) const {
    if (keys.first == 0) return;
    const int count = static_cast<int>(words.size());
    const int last = keys.last < 0 ? count + keys.last : keys.last;
    for (int i = keys.first; i <= last && i < count; i += keys.step) {
      visit(words[static_cast<std::size_t>(i)]);
    }
  }
};

// All commands, in the order of the tables in docs/redis-protocol.md.
[[nodiscard]] std::span<const Command> all_commands();

// All whose calls are counted, each by itself: the commands, and behind them their
// subcommands.
[[nodiscard]] std::span<const Command* const> counted_commands();
inline constexpr std::size_t kMostCounted = 192;

// The command of that name in any case; null when there is none. Guarded by
// bench/server: it is on the path of every command.
[[nodiscard]] const Command* find_command(std::string_view name);
[[nodiscard]] const Command* find_subcommand(const Command& command, std::string_view name);
// The place of a command of all_commands() in it, and in counted_commands().
[[nodiscard]] std::size_t index_of(const Command& command);
// The place in counted_commands() of the subcommand that `words` name, or of the command
// itself if they name none. REQUIRES: `command` is one of all_commands().
[[nodiscard]] std::size_t counted_as(const Command& command, Arguments words);

// What Redis answers to a word that is no command, or no subcommand of one.
[[nodiscard]] std::string unknown_command(Arguments words);
[[nodiscard]] std::string unknown_subcommand(const Command& command, std::string_view name);

// Whether two words are the same but for the case of ASCII letters.
[[nodiscard]] bool same_word(std::string_view a, std::string_view b);

}  // namespace larder
