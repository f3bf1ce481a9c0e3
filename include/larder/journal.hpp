// The journal of a program that writes behind: acknowledged writes that their sources do not
// have yet, and those that they refused for good, on disk.
//
//   auto journal = larder::Journal::open({.path = "journal"}).value();
//   larder::WriteBehindCache<std::int64_t, Product> products{runtime, journal, {…}};
//
// It is a SQLite database in a folder of its own, written by one thread: what comes while a
// commit waits for the disk is committed together next. A kill or the loss of power takes
// nothing that was acknowledged under Durability::kSync. One process has a journal at a time.
// `larder journal` shows and mends it while the program does not run.
//
// Threads: any, but for the destruction, which waits for the disk and must not happen on an I/O
// thread. Lifetime: held by the caches that it keeps writes of.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "larder/runtime.hpp"
#include "larder/source.hpp"
#include "larder/units.hpp"
#include "larder/writer.hpp"

namespace larder {

// When a write is acknowledged.
enum class Durability : std::uint8_t {
  kSync,      // on disk: survives loss of power
  kInterval,  // with the system: survives a kill; loss of power takes at most the last interval
  kMemory,    // at once: a kill takes the last moments, loss of power the last interval
};

struct JournalOptions {
  std::string path;             // a folder, made if need be
  ByteCount limit{1ULL << 30};  // of what it keeps; past it, writes are refused (kOverloaded)
  Duration interval = std::chrono::seconds{1};  // between syncs of what nobody waits for
  // Told on the journal's thread that it cannot be written, and, null, that it can again.
  std::function<void(const Error* failure)> report{};
};

struct JournalContents {
  std::uint64_t bytes = 0;         // that count against the limit
  std::uint64_t dead_letters = 0;  // writes that their sources refused for good
  std::uint64_t damaged = 0;       // rows that the disk changed, put aside
};

// Of one cache, since the program began, unless stated otherwise.
struct WriteBehindStats {
  std::uint64_t backlog = 0;  // now: writes that the source does not have yet
  Duration lag{};             // now: the age of the oldest; 0: none is pending
  std::uint64_t flushed = 0;  // writes that the source has
  std::uint64_t batches = 0;  // that they went in
  std::uint64_t retries = 0;
  std::uint64_t dead = 0;  // writes that the source refused for good
};

namespace detail {

using TextSource = Source<std::string, std::string>;
using TextWriter = Writer<std::string, std::string>;

// Write-behind of one cache, whose keys and values are text.
// Threads: any.
class TextBehind {
 public:
  virtual ~TextBehind() = default;

  // What the cache writes to: done when the journal has it.
  [[nodiscard]] virtual std::shared_ptr<TextWriter> writer() = 0;
  // What the cache reads from: `source` with the pending writes over it.
  [[nodiscard]] virtual std::shared_ptr<TextSource> over(std::shared_ptr<TextSource> source) = 0;
  // Who is told of keys whose value in the source has changed.
  virtual void on_flushed(std::function<void(const std::string& key)> invalidate) = 0;
  // Flushes from now on.
  virtual void start() = 0;
  // Calls `done` once nothing is pending (true), or it is closed (false); perhaps before this
  // returns.
  virtual void flush(std::move_only_function<void(bool flushed)> done) = 0;
  [[nodiscard]] virtual WriteBehindStats stats() const = 0;
};

struct TextBehindParts {
  std::string name;
  std::shared_ptr<TextWriter> writer;  // of the source
  Durability durability;
  Duration flush_delay;
  std::size_t flush_batch;
  std::function<void(const std::string& key, const Error& why)> refused;  // may be empty
};

}  // namespace detail

class Journal {
 public:
  // Blocks. kRefused: another process has it, or the folder cannot be used, with the reason.
  [[nodiscard]] static Result<std::shared_ptr<Journal>> open(JournalOptions options);
  // What is pending stays for the next time.
  virtual ~Journal() = default;

  // The caches that it keeps writes of from an earlier run, and that have not come back: those
  // writes reach their source when a cache of that name is made.
  [[nodiscard]] virtual std::vector<std::string> unclaimed() const = 0;
  [[nodiscard]] virtual JournalContents contents() const = 0;

  // For WriteBehindCache. kInvalidArgument: it had a cache of that name before.
  [[nodiscard]] virtual Result<std::shared_ptr<detail::TextBehind>> behind(
      Runtime& runtime, detail::TextBehindParts parts) = 0;
};

}  // namespace larder
