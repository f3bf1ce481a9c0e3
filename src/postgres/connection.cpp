#include "postgres/connection.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/quantity.hpp"
#include "postgres/messages.hpp"

namespace larder {

namespace asio = boost::asio;

PostgresConnection::PostgresConnection(RuntimeHandle runtime, PostgresSession session,
                                       std::string name, How how, std::weak_ptr<Owner> owner)
    : runtime_{std::move(runtime)},
      executor_{runtime_.executor()},
      name_{std::move(name)},
      how_{how},
      owner_{std::move(owner)},
      session_{std::move(session)} {}

namespace {

// What the system has not delivered when the session is closed, or this process is killed, is
// dropped, and not delivered later, behind what other sessions have written by then.
void deliver_after_close(PGconn* session, bool deliver) {
  const linger how{.l_onoff = deliver ? 0 : 1, .l_linger = 0};
  (void)::setsockopt(PQsocket(session), SOL_SOCKET, SO_LINGER, &how, sizeof how);
}

}  // namespace

PostgresConnection::~PostgresConnection() = default;

// Waits on a descriptor of its own: libpq closes its one by itself where a connection breaks,
// and the number may be another's by the time that this is told.
void PostgresConnection::start() {
  if (!session_) return;
  timer_.emplace(executor_);
  deliver_after_close(session_.get(), false);
  const int own = fcntl(PQsocket(session_.get()), F_DUPFD_CLOEXEC, 0);
  if (own < 0) {
    return end(Error{Errc::kSourceFailed, name_ + ": no descriptor to wait with for the server: " +
                                              std::system_category().message(errno)});
  }
  socket_.emplace(executor_, own);
  wait_to_read();
}

void PostgresConnection::send(std::shared_ptr<const void> keep,
                              std::vector<PostgresCommand> commands, Done done) {
  if (!session_) return done(fail(Errc::kSourceFailed, name_ + ": the connection was lost"));
  Group group{.keep = std::move(keep),
              .commands = std::move(commands),
              .prepares = {},
              .results = {},
              .done = std::move(done)};
  bool sent = true;
  for (const PostgresCommand& command : group.commands) {
    group.prepares.push_back(how_.prepared && !prepared_.contains(command.statement->prepared));
    sent = sent && send(command, group.prepares.back());
  }
  sent = sent && PQpipelineSync(session_.get()) == 1;
  group.first_since = steady_clock().now();
  groups_.push_back(std::move(group));
  if (!sent) return end(lost());
  watch();
  flush();
}

bool PostgresConnection::send(const PostgresCommand& command, bool prepare) {
  const PostgresStatement& statement = *command.statement;
  const char* const sql = statement.text.sql.c_str();
  std::vector<const char*> values;
  for (const auto& value : command.values) values.push_back(value ? value->c_str() : nullptr);
  const int count = static_cast<int>(values.size());
  if (!how_.prepared) {
    return PQsendQueryParams(session_.get(), sql, count, nullptr, values.data(), nullptr, nullptr,
                             0) == 1;
  }
  const char* const name = statement.prepared.c_str();
  if (prepare) {
    if (PQsendPrepare(session_.get(), name, sql, 0, nullptr) != 1) return false;
    prepared_.insert(statement.prepared);
  }
  return PQsendQueryPrepared(session_.get(), name, count, values.data(), nullptr, nullptr, 0) == 1;
}

Error PostgresConnection::lost() {
  return {Errc::kSourceFailed,
          name_ + ": the connection was lost: " + one_line(PQerrorMessage(session_.get()))};
}

void PostgresConnection::flush() {
  if (!session_ || waits_to_write_) return;
  const int left = PQflush(session_.get());
  if (left < 0) return end(lost());
  if (left > 0) wait_to_write();
}

void PostgresConnection::wait_to_write() {
  waits_to_write_ = true;
  socket_->async_wait(asio::posix::stream_descriptor::wait_write,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        self->waits_to_write_ = false;
                        if (!error) self->flush();
                      });
}

void PostgresConnection::wait_to_read() {
  socket_->async_wait(asio::posix::stream_descriptor::wait_read,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        if (!error) self->read();
                      });
}

void PostgresConnection::read() {
  if (!session_) return;
  if (PQconsumeInput(session_.get()) != 1) return end(lost());
  drain();
  if (!session_) return;
  flush();
  if (session_) wait_to_read();
}

void PostgresConnection::drain() {
  if (groups_.empty()) {
    (void)PQisBusy(session_.get());  // takes in what the server says unasked
    return;
  }
  while (session_ && !groups_.empty() && PQisBusy(session_.get()) == 0) {
    PostgresResult result{PQgetResult(session_.get())};
    if (!result) {  // between two commands
      if (PQstatus(session_.get()) != CONNECTION_OK) return end(lost());
      continue;
    }
    if (PQresultStatus(result.get()) != PGRES_PIPELINE_SYNC) {
      groups_.front().results.push_back(std::move(result));
      continue;
    }
    Group group = std::move(groups_.front());
    groups_.pop_front();
    if (!groups_.empty()) groups_.front().first_since = steady_clock().now();
    take(std::move(group));
  }
  if (!session_ || !groups_.empty()) return;
  if (const auto owner = owner_.lock()) owner->idle(shared_from_this());
}

// A command that could not be prepared has that for its result.
void PostgresConnection::take(Group group) {
  std::vector<PostgresResult> replies;
  std::size_t at = 0;
  for (std::size_t i = 0; i < group.commands.size(); ++i) {
    const std::size_t needed = group.prepares[i] ? 2 : 1;
    if (group.results.size() < at + needed) {
      group.done(fail(Errc::kInternal, name_ + ": fewer results than commands"));
      return end(Error{Errc::kInternal, name_ + ": out of step with the server"});
    }
    const bool unprepared =
        needed == 2 && PQresultStatus(group.results[at].get()) != PGRES_COMMAND_OK;
    if (unprepared) prepared_.erase(group.commands[i].statement->prepared);
    replies.push_back(std::move(group.results[at + (unprepared ? 0 : needed - 1)]));
    at += needed;
  }
  if (at < group.results.size()) replies.push_back(std::move(group.results[at]));
  group.done(std::move(replies));
}

void PostgresConnection::watch() {
  if (watches_ || groups_.empty()) return;
  watches_ = true;
  timer_->expires_at(groups_.front().first_since + how_.patience);
  timer_->async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    self->watches_ = false;
    if (!error) self->look_at_clock();
  });
}

void PostgresConnection::look_at_clock() {
  if (!session_ || groups_.empty()) return;
  if (steady_clock().now() < groups_.front().first_since + how_.patience) return watch();
  give_up();
}

// The server is asked to stop, off the I/O threads. The session is closed before that: nothing else
// is asked of it, so that the cancellation can hit nothing else, and nothing more of what it was
// sent is delivered, however long the cancellation takes to be.
void PostgresConnection::give_up() {
  auto cancel = std::make_shared<PostgresCancel>(PQgetCancel(session_.get()));
  socket_.reset();
  session_.reset();
  runtime_.block([cancel] {
    char why[256];
    (void)PQcancel(cancel->get(), why, sizeof why);
  });
  Group late = std::move(groups_.front());
  groups_.pop_front();
  end(Error{Errc::kSourceFailed, name_ + ": the connection was given up for a slow query"});
  late.done(fail(Errc::kTimeout, name_ + ": no answer from the server within " +
                                     format_duration(how_.patience) + "; the query was cancelled"));
}

void PostgresConnection::end(const Error& why) {
  if (!timer_ && !session_) return;                                            // it has ended
  if (session_ && groups_.empty()) deliver_after_close(session_.get(), true);  // its farewell
  socket_.reset();
  timer_.reset();
  session_.reset();
  if (const auto owner = owner_.lock()) owner->gone(shared_from_this());
  std::deque<Group> groups = std::exchange(groups_, {});
  for (Group& group : groups) group.done(std::unexpected{why});
}

}  // namespace larder
