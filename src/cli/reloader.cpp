#include "cli/reloader.hpp"

#include <utility>
#include <vector>

#include "config/change.hpp"
#include "config/parse.hpp"
#include "config/shown.hpp"
#include "config/users.hpp"

namespace larder::cli {

namespace {

std::vector<std::string> told(const std::vector<Problem>& problems, Problem::Severity severity,
                              const std::string& file) {
  std::vector<std::string> texts;
  for (const Problem& problem : problems) {
    if (problem.severity == severity) texts.push_back(to_string(problem, file));
  }
  return texts;
}

}  // namespace

Limits client_limits(const ServerConfig& server) {
  return {.max_clients = server.max_clients,
          .max_request = server.max_request,
          .max_arguments = server.max_arguments,
          .max_key = server.max_key,
          .max_value = server.max_value,
          .max_reply_buffer = server.max_reply_buffer,
          .max_pipeline = server.max_pipeline,
          .max_client_memory = server.max_client_memory,
          .max_tracking_memory = server.max_tracking_memory,
          .max_lease_memory = server.max_lease_memory,
          .idle_timeout = server.idle_timeout,
          .login_timeout = server.login_timeout,
          .slowlog_slower_than = server.slowlog_slower_than,
          .slowlog_entries = server.slowlog_entries};
}

AdmissionLimits admission_limits(const ServerConfig& server) {
  return {.clients_per_address = server.max_clients_per_address,
          .connection_rate = server.connection_rate,
          .total_rate = server.total_connection_rate};
}

void Reloader::begin(Server& server) {
  const MutexLock lock{mutex_};
  server_ = &server;
}

void Reloader::end() {
  const MutexLock lock{mutex_};
  while (busy_) over_.wait(mutex_);
  server_ = nullptr;
}

ReloadOutcome Reloader::reload(std::string_view asked_by) {
  Server* server = nullptr;
  {
    const MutexLock lock{mutex_};
    while (busy_) over_.wait(mutex_);
    if (server_ == nullptr) return {.file = file_, .busy = true};
    server = server_;
    busy_ = true;
  }
  return load(*server, asked_by);
}

ReloadOutcome Reloader::reload_unless_busy(std::string_view asked_by) {
  Server* server = nullptr;
  {
    const MutexLock lock{mutex_};
    if (busy_ || server_ == nullptr) return {.file = file_, .busy = true};
    server = server_;
    busy_ = true;
  }
  return load(*server, asked_by);
}

StartReload Reloader::starter(std::shared_ptr<Reloader> reloader, Runtime& runtime) {
  return
      [reloader = std::move(reloader), &runtime](std::function<void(const ReloadOutcome&)> done) {
        runtime.block([reloader, done = std::move(done)] {
          done(reloader->reload_unless_busy("LARDER RELOAD"));
        });
      };
}

// Ends being busy.
ReloadOutcome Reloader::load(Server& server, std::string_view asked_by) {
  ReloadOutcome outcome = take_file(server);
  tell(outcome, asked_by);
  const MutexLock lock{mutex_};
  busy_ = false;
  over_.notify_all();
  return outcome;
}

ReloadOutcome Reloader::take_file(Server& server) {
  const ParsedConfig parsed = load_config(file_);
  ReloadOutcome outcome{.file = file_,
                        .mistakes = told(parsed.problems, Problem::Severity::kMistake, file_),
                        .warnings = told(parsed.problems, Problem::Severity::kWarning, file_)};
  if (!parsed.config) return outcome;
  const Config& config = *parsed.config;
  const auto refuse = [&](const std::vector<Problem>& problems) {
    outcome.mistakes = told(problems, Problem::Severity::kMistake, file_);
    return outcome;
  };

  const auto fixed = what_needs_restart(assembly_.config(), config);
  if (!fixed.empty()) return refuse(fixed);
  auto successor = assembly_.prepare(config);
  if (!successor) return refuse(successor.error());
  const auto certificates = reload_certificates(access_, config);
  if (!certificates) {
    return refuse({{.position = config.tls.written.section,
                    .message = "TLS: " + certificates.error().message}});
  }

  outcome.caches = std::move(successor->change);
  const auto users = make_users(config);
  auto settings = std::make_shared<const std::vector<ShownSetting>>(shown_settings(config));
  Assembly::Predecessor before;
  server.change(client_limits(config.server), admission_limits(config.server), [&] {
    server.show_settings(std::move(settings));
    before = assembly_.change(std::move(*successor));
    access_.authenticator->replace(users);
  });
  return outcome;  // and what was before ends here, not on a thread that serves
}

void Reloader::tell(const ReloadOutcome& outcome, std::string_view asked_by) const {
  for (const std::string& mistake : outcome.mistakes) log_->error(mistake);
  for (const std::string& warning : outcome.warnings) log_->warn(warning);
  if (outcome.loaded()) {
    log_->info("{}: {}", asked_by, to_string(outcome));
  } else {
    log_->error("{}: nothing was changed; mend {}", asked_by, file_);
  }
}

}  // namespace larder::cli
