// The write-behind caches of a server, over one journal.
//
// Threads: as said at each member; it outlives no cache whose writes it keeps.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/sql_parameters.hpp"
#include "behind/sqlite_journal.hpp"
#include "behind/write_behind.hpp"
#include "cache/keyspace.hpp"
#include "config/config.hpp"
#include "config/problem.hpp"
#include "larder/runtime.hpp"

namespace larder {

class WritesBehind {
 public:
  // As of SourceState.
  using Tell = std::function<void(bool well, const std::string& sentence)>;

  // Whether the journal that the configuration names is there.
  [[nodiscard]] static bool has_journal(const Config& config);
  // What is to be said of the place of the journal before it is opened.
  [[nodiscard]] static std::vector<Problem> cautions(const Config& config);
  // Opens the journal that the configuration names, whose caches get theirs by make().
  // Blocks. Errors as of SqliteJournal::open().
  [[nodiscard]] static Result<std::unique_ptr<WritesBehind>> open(Runtime& runtime,
                                                                  const Config& config, Tell tell);
  // Closes what finish() did not.
  ~WritesBehind();
  WritesBehind(const WritesBehind&) = delete;
  WritesBehind& operator=(const WritesBehind&) = delete;

  // ---- One thread, before start(). ----

  // The writes of a cache, over the writer of its source. Blocks. An error: another process
  // writes behind to it. `reached`: the source can be asked now; else it is claimed when it can
  // be.
  [[nodiscard]] Result<std::shared_ptr<behind::WriteBehind>> make(
      const CacheConfig& cache, const SourceConfig& source,
      std::shared_ptr<Writer<std::string, std::string>> writer, bool reached);
  // Gives the caches what the journal kept from an earlier run. An error: it cannot be read, or
  // keeps writes of a cache that is not here.
  [[nodiscard]] Result<void> recover();
  void start();

  // ---- Any thread, from then on. ----

  // Null: there is none of that name.
  [[nodiscard]] std::shared_ptr<behind::WriteBehind> find(std::string_view cache) const;
  // These are the caches now, whose copies change when their writes are flushed.
  void attach(std::span<const Keyspace::Member> members) const;
  // Flushes what is pending, for at most `patience`, and closes the journal; what is left, in
  // sentences. Blocks: not on an I/O thread.
  [[nodiscard]] std::vector<std::string> finish(Duration patience);

  [[nodiscard]] std::vector<std::pair<std::string, behind::WriteBehindStats>> stats() const;
  // Of each cache, whether its source keeps marks: exactly once, and not at least once.
  [[nodiscard]] std::vector<std::pair<std::string, bool>> once() const;
  [[nodiscard]] behind::JournalStats journal_stats() const { return journal_->stats(); }

 private:
  WritesBehind(Runtime& runtime, std::shared_ptr<behind::SqliteJournal> journal, Tell tell)
      : runtime_{runtime}, journal_{std::move(journal)}, tell_{std::move(tell)} {}

  Runtime& runtime_;
  const std::shared_ptr<behind::SqliteJournal> journal_;
  const Tell tell_;
  // By the names of their caches; as it is from start() on.
  std::map<std::string, std::shared_ptr<behind::WriteBehind>, std::less<>> caches_;
  bool finished_ = false;
};

// Whether a configuration has caches that write behind.
[[nodiscard]] bool writes_behind(const Config& config);

}  // namespace larder
