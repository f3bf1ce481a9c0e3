#include "postgres/postgres_server.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace larder {

namespace fs = std::filesystem;

namespace {

// Whom PostgreSQL runs as: it refuses to be root.
const passwd* unprivileged() {
  if (::geteuid() != 0) return nullptr;
  const passwd* user = ::getpwnam("postgres");
  return user != nullptr ? user : ::getpwnam("nobody");
}

// The newest version's programs, or those that the environment names.
fs::path find_binaries() {
  if (const char* const named = std::getenv("LARDER_POSTGRES_PROGRAMS")) return named;
  fs::path newest;
  std::error_code none;
  for (const auto& version : fs::directory_iterator{"/usr/lib/postgresql", none}) {
    const fs::path binaries = version.path() / "bin";
    if (fs::exists(binaries / "initdb") && binaries > newest) newest = binaries;
  }
  return newest;
}

std::string text_of(const fs::path& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace

UnprivilegedChild::UnprivilegedChild(const std::vector<std::string>& command, const fs::path& log) {
  const passwd* const user = unprivileged();
  std::vector<char*> arguments;
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));  // execv takes it so
  }
  arguments.push_back(nullptr);
  id_ = ::fork();
  if (id_ != 0) return;
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  ::dup2(out, 1);
  ::dup2(out, 2);
  if (user != nullptr) {
    const bool changed =
        ::setgroups(0, nullptr) == 0 && ::setgid(user->pw_gid) == 0 && ::setuid(user->pw_uid) == 0;
    if (!changed) ::_exit(126);
  }
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
  ::signal(SIGQUIT,
           SIG_DFL);  // which a shell's background job has ignored, and its children with it
  ::execv(arguments.front(), arguments.data());
  ::_exit(127);
}

void UnprivilegedChild::end(int signal) {
  if (!running()) return;
  ::kill(id_, signal);
  (void)succeeded();
}

bool UnprivilegedChild::succeeded() {
  if (!status_) {
    int status = 0;
    ::waitpid(id_, &status, 0);
    status_ = status;
  }
  return WIFEXITED(*status_) && WEXITSTATUS(*status_) == 0;
}

bool UnprivilegedChild::running() {
  if (status_) return false;
  int status = 0;
  if (::waitpid(id_, &status, WNOHANG) == 0) return true;
  status_ = status;
  return false;
}

fs::path unprivileged_directory() {
  std::string name = (fs::temp_directory_path() / "larder-postgres-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary directory"};
  if (const passwd* user = unprivileged();
      user != nullptr && ::chown(name.c_str(), user->pw_uid, user->pw_gid) != 0) {
    throw std::runtime_error{"cannot give " + name + " away"};
  }
  return name;
}

void write_unprivileged(const fs::path& file, const std::string& text) {
  std::ofstream{file} << text;
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  if (const passwd* user = unprivileged();
      user != nullptr && ::chown(file.c_str(), user->pw_uid, user->pw_gid) != 0) {
    throw std::runtime_error{"cannot give " + file.string() + " away"};
  }
}

PostgresServer::PostgresServer(std::vector<std::string> settings, std::uint16_t port)
    : settings_{std::move(settings)},
      port_{port},
      binaries_{find_binaries()},
      directory_{unprivileged_directory()} {}

void PostgresServer::call(std::vector<std::string> command) const {
  const fs::path log = directory_ / (command.front() + ".log");
  command.front() = binaries_ / command.front();
  UnprivilegedChild child{command, log};
  if (!child.succeeded()) throw std::runtime_error{command.front() + " failed: " + text_of(log)};
}

std::unique_ptr<PostgresServer> PostgresServer::start(std::vector<std::string> settings,
                                                      std::uint16_t port) {
  if (find_binaries().empty()) return nullptr;
  std::unique_ptr<PostgresServer> server{new PostgresServer{std::move(settings), port}};
  server->call({"initdb", "-D", server->directory_ / "data", "-U", "larder", "-A", "trust", "-E",
                "UTF8", "--locale=C.UTF-8", "--no-sync"});
  server->run();
  return server;
}

std::unique_ptr<PostgresServer> PostgresServer::start_standby(const PostgresServer& primary) {
  std::unique_ptr<PostgresServer> server{new PostgresServer{primary.settings_, primary.port_}};
  server->call({"pg_basebackup", "-D", server->directory_ / "data", "-d", primary.url(), "-R", "-c",
                "fast", "--no-sync"});
  server->run();
  return server;
}

PostgresServer::~PostgresServer() {
  server_.reset();
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void PostgresServer::run() {
  std::vector<std::string> command{
      binaries_ / "postgres", "-D", directory_ / "data", "-k", directory_,  "-p",
      std::to_string(port_),  "-c", "listen_addresses=", "-c", "fsync=off", "-c",
      "shared_buffers=16MB",  "-c", "max_connections=60"};
  for (const std::string& setting : settings_) {
    command.insert(command.end(), {"-c", setting});
  }
  server_ = std::make_unique<UnprivilegedChild>(command, directory_ / "server.log");
  while (PQping(url().c_str()) != PQPING_OK) {
    if (!server_->running()) {
      throw std::runtime_error{"PostgreSQL ended: " + text_of(directory_ / "server.log")};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
}

void PostgresServer::stop(int signal) { server_->end(signal); }

std::string PostgresServer::url(const std::string& database, const std::string& more) const {
  return "postgresql:///" + database + "?host=" + directory_.string() +
         "&port=" + std::to_string(port_) + "&user=larder" + (more.empty() ? "" : "&" + more);
}

PostgresClient::PostgresClient(const std::string& url) : session_{PQconnectdb(url.c_str())} {
  if (PQstatus(session_) != CONNECTION_OK) throw std::runtime_error{PQerrorMessage(session_)};
  PQsetNoticeProcessor(session_, [](void*, const char*) {}, nullptr);
}

std::string PostgresClient::execute(const std::string& sql) {
  PGresult* result = PQexec(session_, sql.c_str());
  const ExecStatusType status = PQresultStatus(result);
  const std::string answer = PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
  PQclear(result);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return answer;
  throw std::runtime_error{PQerrorMessage(session_) + (": " + sql)};
}

PostgresServer* PostgresTest::server() {
  static const std::unique_ptr<PostgresServer> one = PostgresServer::start();
  return one.get();
}

void PostgresTest::SetUp() {
  if (server() == nullptr) GTEST_SKIP() << "PostgreSQL is not installed: `./dev setup` does it";
  static int count = 0;
  name_ = "test_" + std::to_string(++count);
  PostgresClient{server()->url()}.execute("CREATE DATABASE " + name_);
}

void PostgresTest::TearDown() {
  if (name_.empty()) return;
  client_.reset();
  database_.reset();
  PostgresClient{server()->url()}.execute("DROP DATABASE " + name_ + " WITH (FORCE)");
}

}  // namespace larder
