// `larder serve` on the demo's shop: a child of this process, with its
// configuration and its log beside the shop, and a client to ask it.
//
// Threads: one at a time, but terminate() by any.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "demo/child.hpp"
#include "demo/resp_client.hpp"
#include "demo/shop_config.hpp"
#include "larder/error.hpp"

namespace larder::demo {

struct ShopServerPlan {
  std::filesystem::path program;    // larder
  std::filesystem::path directory;  // of shop.db
  // Unset: 6380 and 9380, or free ones near them. 0: any free one.
  std::optional<std::uint16_t> port;
  std::optional<std::uint16_t> admin_port;
  std::string name = {};  // of one among several: its files are larder-NAME.toml and serve-NAME.log
  std::string shared_url = {};    // of the tier that it shares with others; empty: none
  std::string postgres_url = {};  // of the shop in PostgreSQL; empty: it is shop.db
};

class ShopServer {
 public:
  // Whether the ports that the plan names can be had now.
  [[nodiscard]] static Result<void> check_ports(const ShopServerPlan& plan);

  // Writes larder.toml, starts the server and returns when it answers. Errors
  // quote the end of its log. kCancelled after `stop`.
  // The server gets SIGTERM when the calling thread ends.
  [[nodiscard]] static Result<ShopServer> start(const ShopServerPlan& plan,
                                                const std::stop_token& stop);

  [[nodiscard]] const Ports& ports() const { return ports_; }
  [[nodiscard]] std::filesystem::path config() const { return file("larder", ".toml"); }
  [[nodiscard]] std::filesystem::path log() const { return file("serve", ".log"); }
  [[nodiscard]] RespClient& client() { return *client_; }

  // The pages that it has loaded since its start, by its own count; a query each.
  [[nodiscard]] Result<std::uint64_t> queries();
  // What its threads have worked since its start.
  [[nodiscard]] Duration processor_time() const { return child_->processor_time(); }

  // Asks it to end.
  void terminate() const { child_->terminate(); }
  // Waits until it has ended, at most `patience`; whether and how it ended.
  [[nodiscard]] std::optional<Error> ended(Duration patience);
  [[nodiscard]] Error wait();

 private:
  explicit ShopServer(const ShopServerPlan& plan) : directory_{plan.directory}, name_{plan.name} {}

  [[nodiscard]] Result<void> start_on(const Ports& ports, const ShopServerPlan& plan,
                                      const std::stop_token& stop);
  [[nodiscard]] Result<void> write_config(const ShopServerPlan& plan) const;
  [[nodiscard]] std::filesystem::path file(std::string_view stem, std::string_view ending) const;
  [[nodiscard]] Error ended_with(int exit_code) const;
  [[nodiscard]] std::string last_words() const;

  std::filesystem::path directory_;
  std::string name_;
  Ports ports_;
  std::optional<Child> child_;        // there is one once it has started
  std::optional<RespClient> client_;  // likewise
};

}  // namespace larder::demo
