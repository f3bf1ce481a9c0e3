// `larder serve`: the server, from its configuration file to SIGTERM.
#include <fmt/ranges.h>
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "admin/admin_server.hpp"
#include "admin/health.hpp"
#include "admin/metrics.hpp"
#include "base/counted.hpp"
#include "cli/access.hpp"
#include "cli/reloader.hpp"
#include "cli/subcommand.hpp"
#include "config/address.hpp"
#include "config/parse.hpp"
#include "config/shown.hpp"
#include "larder/version.hpp"
#include "server/assembly.hpp"
#include "server/server.hpp"

namespace larder::cli {

namespace {

// Writes problems with their places; whether one of them stands in the way.
bool complain_of(const std::vector<Problem>& problems, const std::string& file) {
  for (const Problem& problem : problems) complain(to_string(problem, file));
  return has_mistake(problems);
}

// SIGHUP, SIGINT and SIGTERM, for a thread that waits for them. Made before any other
// thread, which inherits that they are blocked; one that comes early waits.
class Signals {
 public:
  Signals() {
    sigemptyset(&wanted_);
    for (const int signal : {SIGHUP, SIGINT, SIGTERM}) sigaddset(&wanted_, signal);
    ::pthread_sigmask(SIG_BLOCK, &wanted_, &before_);
  }
  // What came once more meanwhile has nothing left to ask for, and is forgotten.
  ~Signals() {
    for (const int signal : {SIGHUP, SIGINT, SIGTERM}) ::signal(signal, SIG_IGN);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  int next() {
    int signal = 0;
    while (::sigwait(&wanted_, &signal) != 0) {
    }
    return signal;
  }

 private:
  sigset_t wanted_{};
  sigset_t before_{};
};

// parse_config() checked what is parsed here.
ServerOptions server_options(const Config& config, const Access& access, StartReload start_reload) {
  const ServerConfig& server = config.server;
  const Address address = server.listen.empty() ? Address{} : parse_address(server.listen).value();
  return {.host = address.host,
          .port = address.port,
          .unix_socket = server.unix_socket,
          .unix_permissions = parse_permissions(server.unix_permissions).value(),
          .config_file = config.file,
          .settings = shown_settings(config),
          .threads = server.threads,
          .admission = admission_limits(server),
          .limits = client_limits(server),
          .authenticator = access.authenticator,
          .certificates = access.certificates,
          .start_reload = std::move(start_reload)};
}

// Reloads work as long as it lives.
class Reloads {
 public:
  Reloads(Reloader& reloader, Server& server) : reloader_{reloader} { reloader_.begin(server); }
  ~Reloads() { reloader_.end(); }
  Reloads(const Reloads&) = delete;
  Reloads& operator=(const Reloads&) = delete;

 private:
  Reloader& reloader_;
};

// "127.0.0.1:6380", as it is listened on.
std::string shown(const boost::asio::ip::tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  const std::string host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  return host + ":" + std::to_string(endpoint.port());
}

Result<std::unique_ptr<AdminServer>> start_admin(Runtime& runtime, const Config& whole,
                                                 const Access& access, const ServerState& state,
                                                 const Assembly& assembly) {
  const ServerConfig& config = whole.server;
  const Address address = parse_address(config.admin).value();  // parse_config() checked it
  return AdminServer::start(
      runtime, address.host, address.port,
      {{"/health",
        [&state, &assembly] { return health_page(state, *assembly.sources(), assembly.behind()); }},
       {"/metrics",
        [&state, &assembly] {
          return AdminPage{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                           .body = metrics_text(state, *assembly.sources(), assembly.shared(),
                                                assembly.behind())};
        }}},
      AdminGuard{config.admin_hosts, access.authenticator, runtime.clock()},
      whole.tls.admin ? access.certificates : nullptr);
}

Exit serve(const std::string& file) {
  const ParsedConfig parsed = load_config(file);
  if (complain_of(parsed.problems, file)) return Exit::kMistake;
  const Config& config = *parsed.config;

  const auto log =
      std::make_shared<spdlog::logger>("larder", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  log->flush_on(spdlog::level::info);

  // In the order of dependency: what is declared first ends last.
  Signals signals;
  Runtime runtime{runtime_options(config)};
  const auto assembled =
      Assembly::assemble(runtime, config, [log](bool there, const std::string& sentence) {
        log->log(there ? spdlog::level::info : spdlog::level::warn, sentence);
      });
  if (!assembled) {
    complain_of(assembled.error(), file);
    return Exit::kMistake;
  }
  Assembly& assembly = **assembled;
  const auto access = make_access(runtime, config);
  if (!access) {
    complain("TLS: " + access.error().message);
    return Exit::kMistake;
  }

  const auto reloader = std::make_shared<Reloader>(file, assembly, *access, log);
  const auto server =
      Server::start(runtime, assembly.keyspace(),
                    server_options(config, *access, Reloader::starter(reloader, runtime)), log);
  if (!server) {
    complain(server.error().message);
    return Exit::kMistake;
  }
  std::optional<Reloads> reloads{std::in_place, *reloader, **server};
  std::unique_ptr<AdminServer> admin;
  if (!config.server.admin.empty()) {
    auto started = start_admin(runtime, config, *access, (*server)->state(), assembly);
    if (!started) {
      complain(started.error().message);
      return Exit::kMistake;
    }
    admin = std::move(*started);
    log->info("metrics and health on {}://{}", config.tls.admin ? "https" : "http",
              shown(admin->endpoint()));
  }
  log->info("larder {} serves {} {} on {}", kVersion, config.caches.size(),
            config.caches.size() == 1 ? "cache" : "caches",
            fmt::join((*server)->addresses(), ", "));

  int signal = signals.next();
  for (; signal == SIGHUP; signal = signals.next()) reloader->reload("SIGHUP");
  reloads.reset();
  log->info("{}: finishing what was asked", signal == SIGINT ? "SIGINT" : "SIGTERM");
  if (!(*server)->shut_down(assembly.config().server.shutdown_timeout)) {
    log->warn("some requests took longer than server.shutdown_timeout and were cut off");
  }
  if (WritesBehind* const behind = assembly.behind()) {
    for (const std::string& left : behind->finish(assembly.config().server.shutdown_timeout)) {
      log->warn(left);
    }
  }
  if (const auto* const tier = assembly.shared()) {
    if (const std::uint64_t untold = tier->stats().undelivered; untold > 0) {
      log->warn(
          "{} could not be told to the shared tier: other processes may serve the old "
          "copies until their ttl ends; where that is too long, empty the shared tier",
          counted(untold, "invalidation"));
    }
  }
  log->info("stopped");
  return Exit::kOk;
}

}  // namespace

void add_serve(CLI::App& program, Action& action) {
  auto file = std::make_shared<std::string>();
  CLI::App* command = program.add_subcommand("serve", "Serve the caches of a configuration file");
  command->add_option("--config", *file, "The configuration file")->required();
  command->callback([&action, file] { action = [file] { return serve(*file); }; });
}

}  // namespace larder::cli
