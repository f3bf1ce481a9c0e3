#include "admin/health.hpp"

#include <boost/json.hpp>
#include <chrono>

#include "larder/version.hpp"

namespace larder {

AdminPage health_page(const ServerState& state) {
  const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(state.uptime());
  const boost::json::object health{{"status", state.stopping() ? "stopping" : "ok"},
                                   {"version", kVersion},
                                   {"uptime_seconds", uptime.count()},
                                   {"connections", state.sum(&Counters::connections)}};
  return {.status = state.stopping() ? 503U : 200U,
          .content_type = "application/json",
          .body = boost::json::serialize(health) + "\n"};
}

}  // namespace larder
