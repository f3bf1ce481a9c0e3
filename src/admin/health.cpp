#include "admin/health.hpp"

#include <boost/json.hpp>
#include <chrono>

#include "larder/version.hpp"

namespace larder {

namespace {

std::int64_t whole_seconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

boost::json::object health_of(const AssembledSources& sources) {
  boost::json::object health;
  for (const AssembledSource& source : sources) {
    const auto [well, lasting] = source.state->standing();
    health[source.config.name] = {{"status", well ? "ok" : "failing"},
                                  {"since_seconds", whole_seconds(lasting)}};
  }
  return health;
}

}  // namespace

AdminPage health_page(const ServerState& state, const AssembledSources& sources) {
  const boost::json::object health{{"status", state.stopping() ? "stopping" : "ok"},
                                   {"version", kVersion},
                                   {"uptime_seconds", whole_seconds(state.uptime())},
                                   {"connections", state.sum(&Counters::connections)},
                                   {"sources", health_of(sources)}};
  return {.status = state.stopping() ? 503U : 200U,
          .content_type = "application/json",
          .body = boost::json::serialize(health) + "\n"};
}

}  // namespace larder
