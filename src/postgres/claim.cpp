#include "postgres/claim.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <utility>

#include "postgres/messages.hpp"

namespace larder {

namespace {

constexpr std::chrono::milliseconds kBetweenTries{100};
constexpr int kBetweenConnects = 1000;  // milliseconds
constexpr std::chrono::seconds kLongestWork{10};

// The session says nothing by itself. That its network is cut is noticed here in a quarter of a
// minute, before the server notices it and lets another have the lock. No way to do so, on a Unix
// socket, is no need to.
void notice_a_cut_network(int socket) {
  const auto set = [socket](int level, int option, int value) {
    (void)::setsockopt(socket, level, option, &value, sizeof value);
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 5);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 3);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
}

// What a process that was killed had the server do, and what waits there for a lock, say, would
// land behind what is written from now on. A server that does not tell has nothing to wait for.
void outwait_earlier_work(PGconn* session, int stop) {
  const auto deadline = std::chrono::steady_clock::now() + kLongestWork;
  const PostgresResult began{PQexec(session, "SELECT clock_timestamp()")};
  if (PQresultStatus(began.get()) != PGRES_TUPLES_OK) return;
  const std::string sql =
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND usename = "
      "current_user AND application_name = current_setting('application_name') AND pid <> "
      "pg_backend_pid() AND state = 'active' AND xact_start < '" +
      std::string{PQgetvalue(began.get(), 0, 0)} + "' LIMIT 1";
  for (;;) {
    const PostgresResult left{PQexec(session, sql.c_str())};
    if (PQresultStatus(left.get()) != PGRES_TUPLES_OK || PQntuples(left.get()) == 0) return;
    if (std::chrono::steady_clock::now() >= deadline) return;
    pollfd stopped{stop, POLLIN, 0};
    if (::poll(&stopped, 1, static_cast<int>(kBetweenTries.count())) > 0) return;
  }
}

}  // namespace

Result<PostgresSession> PostgresClaim::lock(const PostgresTarget& target, std::int64_t key,
                                            int stop) {
  auto session = target.connect();
  if (!session) return session;
  PQexitPipelineMode(session->get());
  PQsetnonblocking(session->get(), 0);
  notice_a_cut_network(PQsocket(session->get()));
  // The end of this host is noticed in half a minute; and to be idle is what it is for. A server
  // that knows one of them not has its own way.
  for (const char* setting : {"SET tcp_keepalives_idle TO 10", "SET tcp_keepalives_interval TO 5",
                              "SET tcp_keepalives_count TO 4", "SET idle_session_timeout TO 0"}) {
    const PostgresResult set{PQexec(session->get(), setting)};
  }
  const std::string sql = "SELECT pg_try_advisory_lock(" + std::to_string(key) + ")";
  const PostgresResult locked{PQexec(session->get(), sql.c_str())};
  if (PQresultStatus(locked.get()) != PGRES_TUPLES_OK) {
    return fail(Errc::kSourceFailed,
                target.name() + ": " + one_line(PQerrorMessage(session->get())));
  }
  if (*PQgetvalue(locked.get(), 0, 0) != 't') {
    return fail(Errc::kRefused, target.name() + ": another session has the advisory lock " +
                                    std::to_string(key) + "; pg_locks says which");
  }
  outwait_earlier_work(session->get(), stop);
  return session;
}

Result<std::unique_ptr<PostgresClaim>> PostgresClaim::take(PostgresTarget target, std::int64_t key,
                                                           Duration patience, Report report,
                                                           const std::function<void()>& waits) {
  // The server takes a moment to see that a session's process was killed.
  const auto deadline = std::chrono::steady_clock::now() + patience;
  bool told = false;
  for (;;) {
    auto session = lock(target, key, /*stop=*/-1);
    if (session) {
      return std::unique_ptr<PostgresClaim>{
          new PostgresClaim{std::move(target), key, std::move(*session), std::move(report)}};
    }
    const bool taken = session.error().code == Errc::kRefused;
    if (!taken || std::chrono::steady_clock::now() >= deadline) {
      return std::unexpected{std::move(session.error())};
    }
    if (!std::exchange(told, true)) waits();
    std::this_thread::sleep_for(kBetweenTries);
  }
}

std::unique_ptr<PostgresClaim> PostgresClaim::take_later(PostgresTarget target, std::int64_t key,
                                                         Report report) {
  return std::unique_ptr<PostgresClaim>{
      new PostgresClaim{std::move(target), key, PostgresSession{}, std::move(report)}};
}

PostgresClaim::PostgresClaim(PostgresTarget target, std::int64_t key, PostgresSession session,
                             Report report)
    : target_{std::move(target)},
      key_{key},
      report_{std::move(report)},
      session_{std::move(session)},
      stop_{::eventfd(0, EFD_CLOEXEC)},
      held_{session_ != nullptr},
      thread_{[this] { watch(); }} {}

PostgresClaim::~PostgresClaim() {
  const std::uint64_t one = 1;
  (void)!::write(stop_, &one, sizeof one);
  thread_.join();
  ::close(stop_);
}

bool PostgresClaim::wait_for_change() {
  std::array<pollfd, 2> awaited{pollfd{stop_, POLLIN, 0},
                                pollfd{session_ ? PQsocket(session_.get()) : -1, POLLIN, 0}};
  (void)::poll(awaited.data(), awaited.size(), session_ ? -1 : kBetweenConnects);
  return awaited[0].revents == 0;
}

void PostgresClaim::watch() {
  while (wait_for_change()) {
    if (session_) {
      // What comes are notices, and the end.
      if (PQconsumeInput(session_.get()) == 1 && PQstatus(session_.get()) == CONNECTION_OK)
        continue;
      const Error error{Errc::kSourceFailed,
                        target_.name() + ": " + one_line(PQerrorMessage(session_.get()))};
      held_ = false;
      session_.reset();
      if (report_) report_(&error);
    }
    auto session = lock(target_, key_, stop_);
    if (!session) {
      const bool another = session.error().code == Errc::kRefused;
      if (another && !std::exchange(told_of_another_, true) && report_) report_(&session.error());
      continue;
    }
    told_of_another_ = false;
    session_ = std::move(*session);
    held_ = true;
    if (report_) report_(nullptr);
  }
}

}  // namespace larder
