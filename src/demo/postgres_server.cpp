#include "demo/postgres_server.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>
#include <vector>

namespace larder::demo {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr Duration kStartingMost = 30s;

// Of the newest version that is installed; empty: none is.
fs::path programs() {
  fs::path newest;
  std::error_code none;
  for (const auto& version : fs::directory_iterator{"/usr/lib/postgresql", none}) {
    const fs::path found = version.path() / "bin";
    if (fs::exists(found / "initdb") && found > newest) newest = found;
  }
  return newest;
}

// Whom it runs as, where this process is root.
const passwd* other_user() { return ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr; }

Result<Child> start_program(const char* name, std::vector<std::string> arguments,
                            const fs::path& log) {
  const fs::path program = programs() / name;
  const passwd* const user = other_user();
  if (user == nullptr) return Child::start(program, arguments, log);
  arguments.insert(arguments.begin(), {fmt::format("--reuid={}", user->pw_uid),
                                       fmt::format("--regid={}", user->pw_gid), "--clear-groups",
                                       "--pdeathsig=INT", program.string()});
  return Child::start("/usr/bin/setpriv", arguments, log);
}

std::string text_of(const fs::path& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

Error ended(std::string_view program, int exit_code, const fs::path& log) {
  return {Errc::kSourceFailed,
          fmt::format("{} ended with exit code {}:\n{}", program, exit_code, text_of(log))};
}

}  // namespace

Result<void> PostgresServer::look() {
  if (programs().empty()) {
    return fail(Errc::kRefused,
                "there is no PostgreSQL here: install Debian's package postgresql (./dev demo "
                "--postgres does)");
  }
  if (::geteuid() == 0 && other_user() == nullptr) {
    return fail(Errc::kRefused,
                "PostgreSQL does not run as root, and there is no user postgres that it could run "
                "as: be another user");
  }
  return {};
}

Result<PostgresServer> PostgresServer::start(const fs::path& logs, const std::stop_token& stop) {
  PostgresServer server{logs};
  if (auto made = server.make_directory(); !made) return std::unexpected{made.error()};
  if (auto made = server.initialise(); !made) return std::unexpected{made.error()};
  if (auto started = server.serve(stop); !started) return std::unexpected{started.error()};
  return server;
}

PostgresServer::PostgresServer(PostgresServer&& other) noexcept
    : logs_{std::move(other.logs_)},
      directory_{std::exchange(other.directory_, {})},
      child_{std::move(other.child_)} {}

PostgresServer::~PostgresServer() {
  if (directory_.empty()) return;
  child_.reset();
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

std::string PostgresServer::url() const {
  return "postgresql:///shop?host=" + directory_.string() + "&user=shop";
}

Result<void> PostgresServer::make_directory() {
  std::string name = (fs::temp_directory_path() / "larder-demo-XXXXXX").string();
  const passwd* const user = other_user();
  if (::mkdtemp(name.data()) == nullptr ||
      (user != nullptr && ::chown(name.c_str(), user->pw_uid, user->pw_gid) != 0)) {
    return fail(Errc::kRefused,
                "no directory for PostgreSQL, " + name + ": " + std::strerror(errno));
  }
  directory_ = name;
  return {};
}

Result<void> PostgresServer::initialise() {
  const fs::path log = logs_ / "initdb.log";
  auto child = start_program("initdb",
                             {"-D", directory_ / "data", "-U", "shop", "-A", "trust", "-E", "UTF8",
                              "--locale=C.UTF-8", "--no-sync"},
                             log);
  if (!child) return std::unexpected{child.error()};
  if (const int code = child->wait(); code != 0) return std::unexpected{ended("initdb", code, log)};
  return {};
}

Result<void> PostgresServer::serve(const std::stop_token& stop) {
  const fs::path log = logs_ / "postgres.log";
  auto child = start_program(
      "postgres", {"-D", directory_ / "data", "-k", directory_, "-c", "listen_addresses="}, log);
  if (!child) return std::unexpected{child.error()};
  child_.emplace(std::move(*child));
  const TimePoint give_up = std::chrono::steady_clock::now() + kStartingMost;
  while (std::chrono::steady_clock::now() < give_up && !stop.stop_requested()) {
    // Its end would be an event; that it listens is none that one could wait for.
    if (const auto code = child_->wait(50ms)) return std::unexpected{ended("postgres", *code, log)};
    auto ready = Child::start(programs() / "createdb",
                              {"-h", directory_, "-U", "shop", "-w", "shop"}, logs_ / "psql.log");
    if (!ready) return std::unexpected{ready.error()};
    if (ready->wait() == 0) return {};
  }
  if (stop.stop_requested()) return fail(Errc::kCancelled, "starting PostgreSQL was called off");
  return fail(Errc::kTimeout, "PostgreSQL did not answer: see " + log.string());
}

Result<std::string> PostgresServer::run(std::string_view sql) const {
  const fs::path log = logs_ / "psql.log";
  auto child = Child::start(
      programs() / "psql",
      {"-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", "-d", url(), "-c", std::string{sql}},
      log);
  if (!child) return std::unexpected{child.error()};
  if (const int code = child->wait(); code != 0) return std::unexpected{ended("psql", code, log)};
  std::string text = text_of(log);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace larder::demo
