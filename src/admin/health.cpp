#include "admin/health.hpp"

#include <boost/json.hpp>
#include <chrono>
#include <utility>

#include "base/counted.hpp"
#include "larder/version.hpp"

namespace larder {

namespace {

std::int64_t whole_seconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

boost::json::object health_of(const AssembledSources& sources) {
  boost::json::object health;
  for (const AssembledSource& source : sources) {
    const SourceState::Standing standing = source.state->standing();
    health[source.config.name] = {{"status", standing.well ? "ok" : "failing"},
                                  {"since_seconds", whole_seconds(standing.lasting)}};
  }
  return health;
}

// That a database that was reached late does not take all: had it been there, larder had not
// started. Its words are for the log, since this page is open to all.
void add_refused(boost::json::array& troubles, const AssembledSources& sources) {
  for (const AssembledSource& source : sources) {
    const std::size_t refused = source.state->standing().refused;
    if (refused == 0) continue;
    troubles.emplace_back("source " + source.config.name + " refuses " +
                          counted(refused, "statement") + ", so what asks by " +
                          (refused == 1 ? "it" : "them") + " fails; the log says why");
  }
}

// Why writes behind are refused, or do not get on.
void add_behind(boost::json::array& troubles, const WritesBehind& behind) {
  const behind::JournalStats journal = behind.journal_stats();
  if (journal.failure) troubles.emplace_back(journal.failure->message);
  if (journal.full) {
    troubles.emplace_back(
        "journal full: writes are refused until the sources have some of what "
        "pends, or dead letters are dropped");
  }
  for (const auto& [name, stats] : behind.stats()) {
    if (!stats.failing) continue;
    troubles.emplace_back("cache " + name + ": its source has taken no writes for " +
                          std::to_string(whole_seconds(*stats.failing)) + " s, and " +
                          counted(stats.backlog, "write") +
                          (stats.backlog == 1 ? " of it pends" : " of it pend"));
  }
}

}  // namespace

AdminPage health_page(const ServerState& state, const AssembledSources& sources,
                      const WritesBehind* behind) {
  boost::json::array troubles;
  add_refused(troubles, sources);
  if (behind != nullptr) add_behind(troubles, *behind);
  const char* const serving = troubles.empty() ? "ok" : "degraded";
  boost::json::object health{{"status", state.stopping() ? "stopping" : serving},
                             {"version", kVersion},
                             {"uptime_seconds", whole_seconds(state.uptime())},
                             {"connections", state.sum(&Counters::connections)},
                             {"sources", health_of(sources)}};
  if (!troubles.empty()) health["reasons"] = std::move(troubles);
  return {.status = state.stopping() ? 503U : 200U,
          .content_type = "application/json",
          .body = boost::json::serialize(health) + "\n"};
}

}  // namespace larder
