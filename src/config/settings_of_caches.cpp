// The settings of [sources.NAME] and [caches.NAME].
#include "config/settings.hpp"
#include "config/source_url.hpp"

namespace larder {
namespace {

using namespace larder::literals;
using namespace std::chrono_literals;

constexpr Duration kYear = 24h * 365;

std::optional<std::string> check_keep(std::string_view text) {
  if (text == "row" || text == "value") return std::nullopt;
  return "is neither \"row\" nor \"value\"";
}

std::optional<std::string> check_shared_down(std::string_view text) {
  if (text == "write" || text == "refuse") return std::nullopt;
  return "is neither \"write\" nor \"refuse\"";
}

std::optional<std::string> check_durability(std::string_view text) {
  if (text == "sync" || text == "interval" || text == "memory") return std::nullopt;
  return "is none of \"sync\", \"interval\" and \"memory\"";
}

std::optional<std::string> check_url(std::string_view text) {
  const Result<SourceUrl> url = parse_source_url(text);
  return url ? std::nullopt : std::optional{url.error().message};
}

SectionRecord<SourceConfig> make_source_section() {
  using S = SourceConfig;
  return {
      "sources",
      true,
      "Where the truth lives: one database, which caches name as their source.",
      {
          {.name = "url",
           .target = SecretText<S>{&S::url,
                                   "a URL as \"sqlite:shop.db\" or \"postgresql://user@host/shop\"",
                                   check_url},
           .example = "\"sqlite:shop.db\"",
           .meaning = "The database: a SQLite file, or a PostgreSQL server with any of libpq's "
                      "options. A file's relative path starts at the configuration file's folder; "
                      "the file must exist. The URL is never logged with its password.",
           .required = true},
          {.name = "connections",
           .target = Ranged<S, unsigned>{&S::connections, 1, 256},
           .example = "4",
           .meaning = "Connections for reading: statements that run at the same time.",
           .too_small = "Loads wait for a connection while the database idles.",
           .too_large = "Each costs: a page cache and a thread of larder with SQLite, a process of "
                        "the server with PostgreSQL. Beyond the cores they only compete."},
          {.name = "prepared",
           .target = &S::prepared,
           .example = "false",
           .meaning = "Whether PostgreSQL prepares each statement once a session. false sends it "
                      "whole each time, for PgBouncer in transaction mode; the server's own "
                      "statement_timeout is then not set, and larder cancels what takes longer "
                      "than load_timeout. Nothing for SQLite."},
          {.name = "max_loads",
           .target = Ranged<S, unsigned>{&S::max_loads, 1, 10'000},
           .example = "16",
           .meaning = "Loads of each cache at a time, waiting for a connection included. "
                      "Further loads wait in order.",
           .too_small = "Misses queue although the source could answer them.",
           .too_large = "A slow source is asked more than it can bear."},
          {.name = "max_fleet_loads",
           .target = Ranged<S, unsigned>{&S::max_fleet_loads, 0, 100'000},
           .example = "32",
           .meaning =
               "Loads at a time of all processes together that share a tier and have a source "
               "of this name; each has its own max_loads besides. 0: without such a limit. "
               "While the shared tier is away max_loads alone holds.",
           .too_small = "Misses queue although the source could answer them.",
           .too_large = "A slow source is asked more than it can bear."},
          {.name = "max_waiting",
           .target = Ranged<S, unsigned>{&S::max_waiting, 0, 1'000'000},
           .example = "1024",
           .meaning = "Loads that wait for their turn. Further ones fail at once, with an error "
                      "that says so.",
           .too_small = "A short burst of misses brings errors.",
           .too_large = "While the source is slow, clients wait long for answers that they no "
                        "longer want."},
          {.name = "load_timeout",
           .target = Ranged<S, Duration>{&S::load_timeout, 1ms, 10min},
           .example = "\"10s\"",
           .meaning = "The longest that one load may run, with all its keys: up to 100 of an "
                      "MGET or a pipeline, or 1,000 with read_many. Past it, it is an error. "
                      "What it waits before it runs does not count.",
           .too_small = "Slow but healthy statements fail, and their keys are never cached.",
           .too_large = "A source that hangs holds clients and the turns of other loads."},
          {.name = "wait_timeout",
           .target = Ranged<S, Duration>{&S::wait_timeout, 1ms, 10min},
           .example = "\"10s\"",
           .meaning = "The longest that a load waits before it runs: for its turn among max_loads "
                      "and for a connection. Past it, it is an error.",
           .too_small = "A short burst of misses brings errors.",
           .too_large = "While the source is slow, clients wait long for answers that they no "
                        "longer want."},
      }};
}

SectionRecord<CacheConfig> make_cache_section() {
  using S = CacheConfig;
  return {
      "caches",
      true,
      "One kind of entry: which keys it has, how they are loaded, and how long they live.",
      {
          {.name = "key",
           .target = &S::key,
           .example = "\"product:{id:int}\"",
           .meaning = "The pattern of the cache's keys. A part is written {name} or {name:text} "
                      "(bytes up to the next literal byte) or {name:int} (a decimal 64-bit "
                      "number); {{ and }} are the braces themselves. A key that fits two patterns "
                      "would have two owners, so patterns that share a key are refused. Not "
                      "looked up in the environment or a file.",
           .required = true},
          {.name = "source",
           .target = Text<S>{&S::source, "a source's name"},
           .example = "\"shop\"",
           .meaning = "The [sources.NAME] that misses are loaded from.",
           .unset = "none: a plain cache, which its clients fill with SET"},
          {.name = "read",
           .target = Text<S>{&S::read, "a SQL statement"},
           .example = "\"SELECT id, name, price FROM products WHERE id = :id\"",
           .meaning = "The statement that loads one key. The key's parts are its parameters, by "
                      "name and type. One row becomes a JSON object; no row means absent.",
           .unset = "none; needed when there is a source"},
          {.name = "read_many",
           .target = Text<S>{&S::read_many, "a SQL statement"},
           .example = "\"SELECT id, name, price FROM products WHERE id IN (SELECT value FROM "
                      "json_each(:ids))\"",
           .meaning =
               "A statement that loads many keys at once, for MGET and for misses that come "
               "together. :ids is the list of the keys' only part, for SQLite as a JSON "
               "array, for PostgreSQL as an array (WHERE id = ANY(:ids)). Each row names its "
               "key in the column of that part's name.",
           .unset = "none: many keys are read one by one, from SQLite in one transaction, from "
                    "PostgreSQL in one round trip"},
          {.name = "many",
           .target = &S::many,
           .example = "true",
           .meaning = "Whether every row that `read` finds counts: the value is then a JSON array "
                      "of rows, and no row is an empty array. Otherwise a second row is an error."},
          {.name = "json",
           .target = &S::json,
           .example = "[\"attributes\"]",
           .meaning = "Columns whose text is JSON and is embedded as such, instead of as a string.",
           .unset = "none, but columns that the database itself knows to be JSON"},
          {.name = "strategy",
           .target = &S::strategy,
           .example = "\"write-through\"",
           .meaning = "How reads and writes travel. cache-aside: clients SET what they read "
                      "elsewhere, and GET of a missing key answers nil. read-through: GET loads "
                      "what is missing, and clients do not write. write-through: as "
                      "read-through, and SET writes to the source, by `write`. write-behind: the "
                      "same, but SET is answered when the write is in the journal, and the "
                      "source has it a little later.",
           .unset = "read-through with a source, cache-aside without"},
          {.name = "write",
           .target = Text<S>{&S::write, "a SQL statement"},
           .example = "\"UPDATE products SET name = :name, price = :price WHERE id = :id\"",
           .meaning =
               "Of a cache that writes: the statement that SET runs, one INSERT, UPDATE "
               "or DELETE. Its parameters are the key's parts and the fields of the value, a "
               "JSON object; a field that is not there is refused and never NULL, and so "
               "is a statement that changes no row.",
           .unset = "none; needed when the strategy is write-through or write-behind"},
          {.name = "delete",
           .target = Text<S>{&S::remove, "a SQL statement"},
           .example = "\"DELETE FROM products WHERE id = :id\"",
           .meaning = "Of a cache that writes: the statement that DEL runs, with the key's parts "
                      "for parameters.",
           .unset = "none: DEL drops copies, and leaves the source as it is"},
          {.name = "keep",
           .target = Text<S>{&S::keep, "\"row\" or \"value\"", check_keep},
           .example = "\"value\"",
           .meaning =
               "What a SET leaves in the cache. row: what the source then holds, which `read` "
               "finds in the same transaction, or RETURNING in PostgreSQL. value: what the "
               "client gave, for rows to which the database adds nothing."},
          {.name = "row_version",
           .target = Text<S>{&S::row_version, "a field's name"},
           .example = "\"version\"",
           .meaning = "The field of the value by which `write` knows that the row is still the one "
                      "that the client read (WHERE id = :id AND version = :version). If no row is "
                      "changed although there is one, SET answers CONFLICT.",
           .unset = "none: the last SET wins"},
          {.name = "durability",
           .target =
               Text<S>{&S::durability, "\"sync\", \"interval\" or \"memory\"", check_durability},
           .example = "\"interval\"",
           .meaning = "Of a write-behind cache: when a write is acknowledged. sync: it is on disk, "
                      "and survives the loss of power; writers that come together share one sync. "
                      "interval: the system has it, which survives a kill, and loss of power "
                      "takes at most the last journal.interval. memory: at once, and a kill takes "
                      "the last moments, too."},
          {.name = "flush_batch",
           .target = Ranged<S, unsigned>{&S::flush_batch, 1, 1000},
           .example = "256",
           .meaning = "Of a write-behind cache: the most writes that go to the source in one "
                      "transaction.",
           .too_small = "The source commits more often than it need.",
           .too_large = "A transaction that fails has much to repeat, and locks rows for long."},
          {.name = "flush_delay",
           .target = Ranged<S, Duration>{&S::flush_delay, 0s, 1min},
           .example = "\"10ms\"",
           .meaning = "Of a write-behind cache: how long a write waits for others to go with, if "
                      "there are fewer than flush_batch.",
           .too_small = "Transactions are small and many.",
           .too_large = "Others see writes that much later."},
          {.name = "coalesce",
           .target = &S::coalesce,
           .example = "false",
           .meaning =
               "Of a write-behind cache: whether a later write of a key may go to the source "
               "for earlier ones, where it has all their fields. false, where each "
               "write counts by itself, as with stock = stock - :sold.",
           .unset = "true where `write` gives columns nothing but fields and constants, else "
                    "false"},
          {.name = "ttl",
           .target = Ranged<S, Duration>{&S::ttl, 1ms, kYear},
           .example = "\"5m\"",
           .meaning =
               "How long an entry is fresh. No entry lives for ever: when an invalidation is "
               "missed, this is how long the old value may be served.",
           .too_small = "Entries are loaded again before they were worth keeping. No number here "
                        "means for ever.",
           .too_large = "A change that larder is not told of stays unseen that long."},
          {.name = "jitter",
           .target = Ranged<S, double>{&S::jitter, 0.0, 0.5},
           .example = "0.1",
           .meaning = "The share of its ttl by which an entry's life is made longer or shorter, at "
                      "random: 0.1 is up to a tenth either way.",
           .too_small = "Entries that were filled together expire together, and their loads come "
                        "as one burst.",
           .too_large = "How long an entry lives is hard to foretell."},
          {.name = "negative_ttl",
           .target = Ranged<S, Duration>{&S::negative_ttl, 0s, kYear},
           .example = "\"5s\"",
           .meaning = "How long larder remembers that there is no such row; at most ttl, which is "
                      "also the default where it is less than 5s. 0s: not at all.",
           .too_small = "Keys that do not exist ask the source each time.",
           .too_large = "A row that is added later is not seen for that long."},
          {.name = "shared",
           .target = &S::shared,
           .example = "false",
           .meaning = "Whether a read-through or write-through cache keeps copies in the shared "
                      "tier, where there is one. Other caches are always this process's own."},
          {.name = "on_shared_down",
           .target = Text<S>{&S::on_shared_down, "\"write\" or \"refuse\"", check_shared_down},
           .example = "\"refuse\"",
           .meaning =
               "Of a write-through cache with copies in the shared tier: what a SET or DEL does "
               "while the tier cannot be told of it beforehand. write: it is done, and the tier "
               "is told when it is there again; if this process dies before, other processes may "
               "serve the old value for its ttl. refuse: nothing is written, and the client gets "
               "BUSY."},
          {.name = "version",
           .target = Text<S>{&S::version, "any text", nullptr, /*may_be_empty=*/true},
           .example = "\"2\"",
           .meaning = "Change it when the same statement means other values than before, as after "
                      "a migration: copies in the shared tier that were made under another "
                      "version are not used. A changed statement needs no such help."},
      }};
}

}  // namespace

const SectionRecord<SourceConfig>& source_section() {
  static const auto record = make_source_section();
  return record;
}

const SectionRecord<CacheConfig>& cache_section() {
  static const auto record = make_cache_section();
  return record;
}

}  // namespace larder
