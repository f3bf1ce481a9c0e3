// `larder journal`: what a journal of write-behind keeps, and its dead letters, which are mended
// while no server has it.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/counted.hpp"
#include "base/quantity.hpp"
#include "behind/journal_desk.hpp"
#include "behind/log_scan.hpp"
#include "cli/held_signals.hpp"
#include "cli/standard_output.hpp"
#include "cli/subcommand.hpp"
#include "codec/write_fields.hpp"
#include "larder/json_text.hpp"

namespace larder::cli {
namespace {

using behind::JournalDesk;
using behind::Position;

struct JournalOptions {
  std::string verb;
  std::string place;
  std::vector<Position> positions;
  bool all = false;
  std::optional<std::string> value;
  std::optional<std::string> cache;
  std::optional<std::string> key;
};

bool looks(const JournalOptions& options) {
  return options.verb == "show" || options.verb == "verify" || options.verb == "dump";
}

Exit complain_of(const Error& error) {
  complain(error.message);
  return Exit::kMistake;
}

// Bytes that a terminal would not show, or that break a line, as \xNN.
std::string shown(std::string_view text, std::size_t most = 60) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const char c : text.substr(0, most)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= ' ' && byte != 0x7f) {
      out += c;
    } else {
      out += "\\x";
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    }
  }
  return text.size() > most ? out + "…" : out;
}

std::string age_of(std::int64_t written_at) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto age = now - std::chrono::milliseconds{written_at};
  return approximate_duration(
      std::max(std::chrono::duration_cast<Duration>(age), Duration::zero()));
}

// What pends of one cache.
struct Backlog {
  std::uint64_t writes = 0;
  std::uint64_t bytes = 0;
  std::int64_t oldest = 0;
};

Exit show(JournalDesk& desk, StandardOutput& out) {
  std::map<std::string, Backlog> caches;
  auto read = desk.pending([&](const JournalDesk::Row& row) {
    Backlog& of_cache = caches[row.cache];
    if (of_cache.writes++ == 0) of_cache.oldest = row.written_at;
    of_cache.oldest = std::min(of_cache.oldest, row.written_at);
    of_cache.bytes += row.key.size() + (row.value ? row.value->size() : 0);
    return true;
  });
  if (!read) return complain_of(read.error());
  if (caches.empty()) out.print("no writes are pending\n");
  for (const auto& [name, of_cache] : caches) {
    out.print("cache ", shown(name), ": ", counted(of_cache.writes, "write"), " pending, ",
              format_bytes({of_cache.bytes}), " of keys and values, the oldest acknowledged ",
              age_of(of_cache.oldest), " ago\n");
  }
  std::uint64_t dead = 0;
  read = desk.dead_letters([&](const JournalDesk::Row& row) {
    if (dead++ == 0) out.print("dead letters, which the source refused:\n");
    return out.print("  ", row.position, "  ", shown(row.key), "  ",
                     row.value ? shown(*row.value) : "(removal)", "\n      ", row.refused_at,
                     " UTC  ", shown(row.code), "  ", shown(row.message, 500), '\n');
  });
  if (!read) return complain_of(read.error());
  if (dead == 0) out.print("no dead letters\n");
  std::uint64_t damaged = 0;
  read = desk.damaged([&](const JournalDesk::Row& row) {
    if (damaged++ == 0) out.print("damaged rows, which are not applied:\n");
    return out.print("  ", row.position, "  ", shown(row.key), "  ",
                     row.value ? shown(*row.value) : "(removal)", '\n');
  });
  return read ? Exit::kOk : complain_of(read.error());
}

Exit verify(JournalDesk& desk, StandardOutput& out) {
  const auto faults = desk.faults();
  if (!faults) return complain_of(faults.error());
  for (const std::string& fault : *faults) complain(desk.path() + ": " + fault);
  std::uint64_t damaged = 0;
  std::uint64_t pending = 0;
  std::uint64_t dead = 0;
  const auto count_in = [&](std::uint64_t& rows) {
    return [&](const JournalDesk::Row& row) {
      ++rows;
      if (row.whole) return true;
      ++damaged;
      complain(desk.path() + ": the row " + std::to_string(row.position) + ", of the key " +
               shown(row.key) + ", does not fit its checksum; it will not be applied");
      return true;
    };
  };
  std::uint64_t aside = 0;
  const auto count_aside = [&](const JournalDesk::Row&) {
    ++aside;
    return true;
  };
  for (const auto& read : {desk.pending(count_in(pending)), desk.dead_letters(count_in(dead)),
                           desk.damaged(count_aside)}) {
    if (!read) return complain_of(read.error());
  }
  const auto scan = desk.log();
  if (!scan) return complain_of(scan.error());
  if (scan->broken() || scan->torn()) complain(behind::describe_break(*scan, desk.log_path()));
  const bool ok = faults->empty() && damaged == 0 && !scan->broken();
  out.print(desk.path(), ": ", ok ? "ok, " : "damaged, ", counted(pending, "write"), " pending, ",
            counted(dead, "dead letter"), ", ", counted(aside, "damaged row"), " put aside\n");
  return ok ? Exit::kOk : Exit::kMistake;
}

// Text as a JSON string; bytes that are no text as an object that says so.
void append_text(std::string& out, std::string_view text) {
  std::string quoted;
  if (append_json_string(quoted, text)) {
    out += quoted;
    return;
  }
  out += R"({"base64":")";
  append_base64(out, std::as_bytes(std::span{text}));
  out += "\"}";
}

std::string line_of(std::string_view state, const JournalDesk::Row& row) {
  std::string line = R"({"state":")" + std::string{state} + R"(","position":)";
  append_json_integer(line, row.position);
  line += R"(,"written_at_ms":)";
  append_json_integer(line, row.written_at);
  const auto member = [&](std::string_view name, std::string_view text) {
    line += ",\"" + std::string{name} + "\":";
    append_text(line, text);
  };
  member("cache", row.cache);
  member("key", row.key);
  if (!row.value) {
    line += R"(,"removal":true)";
  } else if (check_json(*row.value)) {
    // On one line, as it was written: outside of strings JSON's line ends are but spaces.
    std::string value = *row.value;
    std::ranges::replace_if(value, [](char c) { return c == '\n' || c == '\r'; }, ' ');
    line += R"(,"value":)" + value;
  } else {
    member("value_bytes", *row.value);
  }
  if (!row.whole) line += R"(,"damaged":true)";
  if (!row.refused_at.empty()) {
    member("code", row.code);
    member("message", row.message);
    member("refused_at", row.refused_at);
  }
  return line + "}\n";
}

Exit dump(JournalDesk& desk, StandardOutput& out) {
  const auto each = [&out](std::string_view state) {
    return [state, &out](const JournalDesk::Row& row) { return out.print(line_of(state, row)); };
  };
  // All that can be read, whatever cannot.
  Exit exit = Exit::kOk;
  for (const auto& read : {desk.pending(each("pending")), desk.dead_letters(each("dead")),
                           desk.damaged(each("damaged"))}) {
    if (!read) exit = complain_of(read.error());
  }
  return exit;
}

// Does `what` to all of `positions`, each once, or to none.
template <class What>
Exit mend(JournalDesk& desk, StandardOutput& out, std::vector<Position> positions,
          std::string_view done, What what) {
  std::ranges::sort(positions);
  positions.erase(std::ranges::unique(positions).begin(), positions.end());
  const auto mended = desk.at_once([&]() -> Result<void> {
    for (const Position position : positions) {
      if (auto result = what(position); !result) return result;
    }
    return {};
  });
  if (!mended) return complain_of(mended.error());
  if (positions.empty()) out.print("there is none\n");
  for (const Position position : positions) out.print(position, ' ', done, '\n');
  return Exit::kOk;
}

template <class What>
Exit mend_dead(JournalDesk& desk, StandardOutput& out, const JournalOptions& options,
               std::string_view done, What what) {
  std::vector<Position> positions = options.positions;
  if (options.all) {
    auto read = desk.dead_letters([&](const JournalDesk::Row& row) {
      positions.push_back(row.position);
      return true;
    });
    if (!read) return complain_of(read.error());
  } else if (positions.empty()) {
    complain("name the positions of dead letters, as `larder journal show` lists them, or --all");
    return Exit::kUsage;
  }
  return mend(desk, out, std::move(positions), done, what);
}

Exit park(JournalDesk& desk, StandardOutput& out, const JournalOptions& options) {
  std::vector<Position> positions = options.positions;
  const bool chosen = options.cache || options.key;
  if (chosen || options.all) {
    auto read = desk.pending([&](const JournalDesk::Row& row) {
      const bool of_cache = !options.cache || row.cache == *options.cache;
      const bool of_key = !options.key || row.key == *options.key;
      if (of_cache && of_key && row.whole) positions.push_back(row.position);
      return true;
    });
    if (!read) return complain_of(read.error());
  } else if (positions.empty()) {
    complain(
        "say which pending writes: --cache NAME, --key KEY, both, --all, or positions, as "
        "`larder journal dump` lists them");
    return Exit::kUsage;
  }
  return mend(desk, out, std::move(positions), "is a dead letter now",
              [&](Position position) { return desk.park(position); });
}

// What an edited value has to say more, to be what the dead letter was; empty: nothing.
std::string lacking(JournalDesk& desk, Position position, const std::vector<JsonField>& fields) {
  std::string lacking;
  const auto read = desk.dead_letters([&](const JournalDesk::Row& row) {
    if (row.position != position || !row.value) return true;
    const auto were = json_fields(*row.value);
    if (!were) return false;
    for (const JsonField& was : *were) {
      if (std::ranges::find(fields, was.name, &JsonField::name) != fields.end()) continue;
      lacking += (lacking.empty() ? "" : ", ") + shown(was.name);
    }
    return false;
  });
  return read ? lacking : std::string{};
}

Exit edit(JournalDesk& desk, StandardOutput& out, const JournalOptions& options) {
  if (options.positions.size() != 1 || !options.value) {
    complain("edit wants one position, and --value with the JSON object to write instead");
    return Exit::kUsage;
  }
  const auto fields = json_fields(*options.value);
  if (!fields) return complain_of(fields.error());
  if (const std::string fewer = lacking(desk, options.positions.front(), *fields); !fewer.empty()) {
    complain("the value lacks " + fewer +
             ", which the dead letter has, and its statement may name; give all of it, null where "
             "NULL is meant");
    return Exit::kMistake;
  }
  return mend(desk, out, options.positions, "is pending again, with the value given",
              [&](Position position) { return desk.revive(position, options.value); });
}

// An option that the verb does not have, which would be passed over; none: there is none.
std::optional<std::string_view> foreign_option(const JournalOptions& options) {
  const std::string& verb = options.verb;
  if (options.all && verb != "retry" && verb != "park" && verb != "drop") return "--all";
  if (options.cache && verb != "park") return "--cache";
  if (options.key && verb != "park") return "--key";
  if (options.value && verb != "edit") return "--value";
  return std::nullopt;
}

// A copy of the journal, which has the users' data, is left by no Ctrl-C: it has names only in
// here.
Result<std::unique_ptr<JournalDesk>> open(const JournalOptions& options) {
  const HeldSignals held;
  return JournalDesk::open(
      options.place, looks(options) ? JournalDesk::Purpose::kLook : JournalDesk::Purpose::kMend);
}

Exit carry_out(JournalDesk& desk, const JournalOptions& options, StandardOutput& out) {
  if (options.verb == "show") return show(desk, out);
  if (options.verb == "verify") return verify(desk, out);
  if (options.verb == "dump") return dump(desk, out);
  if (options.verb == "edit") return edit(desk, out, options);
  if (options.verb == "park") return park(desk, out, options);
  if (options.verb == "retry") {
    return mend_dead(desk, out, options, "is pending again",
                     [&](Position position) { return desk.revive(position, std::nullopt); });
  }
  return mend_dead(desk, out, options, "is dropped",
                   [&](Position position) { return desk.drop(position); });
}

Exit run(const JournalOptions& options) {
  if (const auto foreign = foreign_option(options)) {
    complain(options.verb + " takes no " + std::string{*foreign} +
             ", so nothing was done; `larder journal --help` says what does");
    return Exit::kUsage;
  }
  // Who reads this may go before its end, which is no failure.
  std::signal(SIGPIPE, SIG_IGN);
  auto desk = open(options);
  if (!desk) return complain_of(desk.error());
  if ((*desk)->log_break()) complain(*(*desk)->log_break());
  if (const auto& owner = (*desk)->owner()) {
    complain(*owner + " has the journal; this is a copy of it, as it was a moment ago");
  }
  StandardOutput out;
  const Exit exit = carry_out(**desk, options, out);
  const std::string why = out.finish();
  if (why.empty()) return exit;
  complain(why +
           (looks(options) || exit != Exit::kOk ? "" : "; what was done to the journal is done"));
  return Exit::kMistake;
}

}  // namespace

void add_journal(CLI::App& program, Action& action) {
  auto options = std::make_shared<JournalOptions>();
  CLI::App* command = program.add_subcommand("journal",
                                             "Look into a write-behind journal, and, while no "
                                             "server has it, mend what its sources do not take");
  command->add_option("verb", options->verb, "show, verify, dump, retry, edit, park or drop")
      ->required()
      ->check(CLI::IsMember({"show", "verify", "dump", "retry", "edit", "park", "drop"}));
  command->add_option("place", options->place, "journal.path: the folder, or journal.db in it")
      ->required();
  command->add_option("positions", options->positions,
                      "Dead letters, of retry, edit and drop; of park, pending writes");
  command->add_flag("--all", options->all, "All of them, of retry, park and drop");
  command->add_option("--cache", options->cache, "Of park: all that is pending of this cache");
  command->add_option("--key", options->key, "Of park: all that is pending of this key");
  command->add_option("--value", options->value, "Of edit: the JSON object to write instead");
  command->footer(
      "show    what is pending, and the dead letters with the reasons\n"
      "verify  whether every row is as it was written\n"
      "dump    all of it, a JSON object a line\n"
      "retry   dead letters are pending again, at their places among the writes of their keys\n"
      "edit    … with another value\n"
      "park    pending writes are dead letters, and nobody goes on trying them\n"
      "drop    forgets them, or damaged rows\n\n"
      "To look changes nothing, and works while a server has the journal. What is retried goes to "
      "the database when the server starts.");
  command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace larder::cli
