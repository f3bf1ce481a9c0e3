// Takes the configuration file as it is now, while the server runs: caches and
// sources, users and certificates, limits.
//
// All or nothing: everything that may fail comes first, and then everything changes in
// one step for all clients. What cannot change while the server runs is a mistake like
// any other (change.hpp).
//
// Threads: any, as said at each member. Held by shared_ptr, since a client's reload may
// be about to begin when the server ends.
#pragma once

#include <spdlog/logger.h>

#include <memory>
#include <string>
#include <string_view>

#include "cli/access.hpp"
#include "larder/runtime.hpp"
#include "larder/thread_annotations.hpp"
#include "server/assembly.hpp"
#include "server/reload.hpp"
#include "server/server.hpp"

namespace larder::cli {

// What clients may cost, as the file has it.
[[nodiscard]] Limits client_limits(const ServerConfig& server);
[[nodiscard]] AdmissionLimits admission_limits(const ServerConfig& server);

class Reloader {
 public:
  // The assembly outlives end().
  Reloader(std::string file, Assembly& assembly, Access access, std::shared_ptr<spdlog::logger> log)
      : file_{std::move(file)},
        assembly_{assembly},
        access_{std::move(access)},
        log_{std::move(log)} {}

  // From now on, until end(), reloads work. end() waits for one under way.
  void begin(Server& server) LARDER_EXCLUDES(mutex_);
  void end() LARDER_EXCLUDES(mutex_);

  // Loads the file and says what came of it, in the log too, in the name of who asked
  // for it. Waits for another reload under way. Blocks: not on an I/O thread.
  ReloadOutcome reload(std::string_view asked_by) LARDER_EXCLUDES(mutex_);

  // For LARDER RELOAD: on a thread of `runtime` that may wait, and busy rather than
  // waiting for another, since clients may ask often.
  [[nodiscard]] static StartReload starter(std::shared_ptr<Reloader> reloader, Runtime& runtime);

 private:
  [[nodiscard]] ReloadOutcome reload_unless_busy(std::string_view asked_by) LARDER_EXCLUDES(mutex_);
  [[nodiscard]] ReloadOutcome load(Server& server, std::string_view asked_by)
      LARDER_EXCLUDES(mutex_);
  [[nodiscard]] ReloadOutcome take_file(Server& server);
  void tell(const ReloadOutcome& outcome, std::string_view asked_by) const;

  const std::string file_;
  Assembly& assembly_;  // used by who made busy_ true
  const Access access_;
  const std::shared_ptr<spdlog::logger> log_;
  Mutex mutex_;
  Condition over_;
  Server* server_ LARDER_GUARDED_BY(mutex_) = nullptr;  // null: reloads do not work
  bool busy_ LARDER_GUARDED_BY(mutex_) = false;
};

}  // namespace larder::cli
