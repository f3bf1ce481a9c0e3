// SLOWLOG and LATENCY: which commands took long.
#include "server/slow_log.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.hpp"
#include "server/commands/commands.hpp"
#include "server/commands/words.hpp"
#include "server/latency_graph.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

// The one event of LATENCY: a command that took long.
constexpr std::string_view kEvent = "command";

SlowLog& log_of(Session& session) { return session.context().server.slow_log(); }

}  // namespace

void slowlog_get(Session& session, Arguments words) {
  if (words.size() > 3) return session.error(wrong_arguments(words));
  const auto count = words.size() == 2 ? 10 : to_integer(words[2]);
  if (!count || *count < -1) {
    return session.error("ERR count should be greater than or equal to -1");
  }
  const auto most =
      *count == -1 ? std::numeric_limits<std::size_t>::max() : static_cast<std::size_t>(*count);
  const std::vector<SlowLog::Entry> entries = log_of(session).latest(most);
  auto reply = session.reply();
  reply.array(entries.size());
  for (const SlowLog::Entry& entry : entries) {
    reply.array(6);
    reply.integer(static_cast<std::int64_t>(entry.id));
    reply.integer(entry.at.count());
    reply.integer(std::chrono::duration_cast<std::chrono::microseconds>(entry.took).count());
    reply.array(entry.words.size());
    for (const std::string& word : entry.words) reply.bulk(word);
    reply.bulk(entry.address);
    reply.bulk(entry.client);
  }
}

void slowlog_len(Session& session, Arguments) {
  session.reply().integer(static_cast<std::int64_t>(log_of(session).size()));
}

void slowlog_reset(Session& session, Arguments) {
  log_of(session).clear();
  session.reply().ok();
}

void latency_latest(Session& session, Arguments) {
  const auto spikes = log_of(session).spikes();
  auto reply = session.reply();
  reply.array(spikes.empty() ? 0 : 1);
  if (spikes.empty()) return;
  reply.array(4);
  reply.bulk(kEvent);
  reply.integer(spikes.back().at.count());
  reply.integer(spikes.back().took.count());
  reply.integer(log_of(session).worst().count());
}

void latency_history(Session& session, Arguments words) {
  std::vector<SlowLog::Spike> spikes;
  if (words[2] == kEvent) spikes = log_of(session).spikes();
  auto reply = session.reply();
  reply.array(spikes.size());
  for (const SlowLog::Spike& spike : spikes) {
    reply.array(2);
    reply.integer(spike.at.count());
    reply.integer(spike.took.count());
  }
}

void latency_graph(Session& session, Arguments words) {
  std::vector<SlowLog::Spike> spikes;
  if (words[2] == kEvent) spikes = log_of(session).spikes();
  if (spikes.empty()) {
    return session.error("ERR No samples available for event '" + std::string{words[2]} + "'");
  }
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now().time_since_epoch());
  session.reply().verbatim("txt",
                           larder::latency_graph(kEvent, spikes, log_of(session).worst(), now));
}

// How many events were forgotten: one, or none.
void latency_reset(Session& session, Arguments words) {
  const Arguments events = words.subspan(2);
  const bool meant = events.empty() || std::ranges::find(events, kEvent) != events.end();
  session.reply().integer(meant && log_of(session).clear_spikes() ? 1 : 0);
}

void latency_doctor(Session& session, Arguments) {
  const auto spikes = log_of(session).spikes();
  const std::string limit = format_duration(session.context().limits.slowlog_slower_than);
  if (spikes.empty()) {
    return session.reply().verbatim(
        "txt", "No command took longer than server.slowlog_slower_than, " + limit + ".\n");
  }
  session.reply().verbatim(
      "txt", "Commands took longer than server.slowlog_slower_than, " + limit + ", in " +
                 std::to_string(spikes.size()) + " of the seconds that are remembered; the worst " +
                 std::to_string(log_of(session).worst().count()) +
                 " ms. SLOWLOG GET tells which. Waiting for a source does not count: see LARDER "
                 "STATS.\n");
}

}  // namespace larder::commands
