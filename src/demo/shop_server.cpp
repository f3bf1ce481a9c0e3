#include "demo/shop_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>

#include "demo/comparison.hpp"
#include "demo/free_port.hpp"
#include "demo/written_shop.hpp"

namespace larder::demo {
namespace {

using namespace std::chrono_literals;

constexpr Duration kStartingMost = 30s;
constexpr unsigned kStarts = 3;  // when others are faster to take a free port

Result<Ports> choose_ports(const ShopServerPlan& plan) {
  const Ports usual;
  const auto port = free_port(plan.port, usual.resp);
  if (!port) return std::unexpected{port.error()};
  const auto admin = free_port(plan.admin_port, usual.admin);
  if (!admin) return std::unexpected{admin.error()};
  return Ports{.resp = *port, .admin = *admin};
}

}  // namespace

Result<void> ShopServer::check_ports(const ShopServerPlan& plan) {
  if (auto ports = choose_ports(plan); !ports) return std::unexpected{ports.error()};
  return {};
}

Result<ShopServer> ShopServer::start(const ShopServerPlan& plan, const std::stop_token& stop) {
  Result<void> started;
  for (unsigned i = 0; i < kStarts && !stop.stop_requested(); ++i) {
    const auto ports = choose_ports(plan);
    if (!ports) return std::unexpected{ports.error()};
    ShopServer server{plan};
    started = server.start_on(*ports, plan, stop);
    if (started) return server;
    const bool ports_were_named = plan.port.value_or(0) != 0 && plan.admin_port.value_or(0) != 0;
    if (ports_were_named) break;
  }
  if (stop.stop_requested()) return fail(Errc::kCancelled, "starting the server was called off");
  return std::unexpected{started.error()};
}

Result<void> ShopServer::start_on(const Ports& ports, const ShopServerPlan& plan,
                                  const std::stop_token& stop) {
  ports_ = ports;
  if (auto written = write_config(plan); !written) return written;
  auto child = Child::start(plan.program, {"serve", "--config", config().string()}, log());
  if (!child) return std::unexpected{child.error()};
  child_.emplace(std::move(*child));

  const TimePoint give_up = std::chrono::steady_clock::now() + kStartingMost;
  while (std::chrono::steady_clock::now() < give_up && !stop.stop_requested()) {
    // Its end would be an event; that it listens is none that one could wait for.
    if (auto error = ended(10ms)) return std::unexpected{std::move(*error)};
    auto client = RespClient::connect(ports_.resp);
    if (!client) continue;
    auto pong = client->ask({"PING"});
    if (!pong) return std::unexpected{pong.error()};
    client_.emplace(std::move(*client));
    return {};
  }
  return fail(Errc::kTimeout, fmt::format("`larder serve` did not answer for {}:\n{}",
                                          short_text(kStartingMost), last_words()));
}

std::filesystem::path ShopServer::file(std::string_view stem, std::string_view ending) const {
  return directory_ / fmt::format("{}{}{}{}", stem, name_.empty() ? "" : "-", name_, ending);
}

Result<void> ShopServer::write_config(const ShopServerPlan& plan) const {
  std::ofstream text{config(), std::ios::trunc};
  text << (plan.postgres_url.empty() ? shop_config(ports_, plan.shared_url)
                                     : written_shop_config(ports_, plan.postgres_url));
  text.close();
  if (text) return {};
  return fail(Errc::kRefused, "writing " + config().string() + " failed: " + std::strerror(errno));
}

// `loads` of the line "cache_product:keys=…,loads=N,…" of its INFO.
Result<std::uint64_t> ShopServer::queries() {
  const auto info = client_->ask({"INFO", "larder"});
  if (!info) return std::unexpected{info.error()};
  const std::string text = info->value_or("");
  constexpr std::string_view kField = ",loads=";
  const std::size_t line = text.find("cache_product:");
  const std::size_t at = text.find(kField, line);  // npos after npos
  std::uint64_t count = 0;
  if (at != std::string::npos) {
    const char* const first = text.data() + at + kField.size();
    if (std::from_chars(first, text.data() + text.size(), count).ec == std::errc{}) return count;
  }
  return fail(Errc::kBadValue, "larder's INFO does not say how many pages it loaded:\n" + text);
}

std::optional<Error> ShopServer::ended(Duration patience) {
  const auto exit_code = child_->wait(patience);
  if (!exit_code) return std::nullopt;
  return ended_with(*exit_code);
}

Error ShopServer::wait() { return ended_with(child_->wait()); }

Error ShopServer::ended_with(int exit_code) const {
  return {Errc::kSourceFailed,
          fmt::format("`larder serve` ended with exit code {}:\n{}", exit_code, last_words())};
}

// The end of its log.
std::string ShopServer::last_words() const {
  constexpr std::size_t kMost = 2'000;
  std::ifstream file{log(), std::ios::binary | std::ios::ate};
  const auto size = static_cast<std::size_t>(std::max<std::streamoff>(file.tellg(), 0));
  file.seekg(static_cast<std::streamoff>(size > kMost ? size - kMost : 0));
  std::string text(std::min(size, kMost), '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  return text + "(all of it is in " + log().string() + ")";
}

}  // namespace larder::demo
