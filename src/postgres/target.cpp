#include "postgres/target.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <ranges>

#include "postgres/messages.hpp"

namespace larder {

namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;
using Settings = std::vector<std::pair<std::string, std::string>>;

std::string find(const Settings& settings, std::string_view name) {
  const auto found = std::ranges::find(settings, name, &Settings::value_type::first);
  return found == settings.end() ? "" : found->second;
}

void set(Settings& settings, std::string_view name, std::string value) {
  const auto found = std::ranges::find(settings, name, &Settings::value_type::first);
  if (found != settings.end())
    found->second = std::move(value);
  else
    settings.emplace_back(name, std::move(value));
}

std::string shown(const Settings& settings) {
  std::string name = "postgresql://";
  if (const std::string user = find(settings, "user"); !user.empty()) name += user + '@';
  name += find(settings, find(settings, "host").empty() ? "hostaddr" : "host");
  if (const std::string port = find(settings, "port"); !port.empty()) name += ':' + port;
  const std::string database = find(settings, "dbname");
  return name + '/' + database;
}

struct Parameters {  // as libpq takes them, while the settings live
  std::vector<const char*> names;
  std::vector<const char*> values;
};

Parameters parameters_of(const Settings& settings) {
  Parameters parameters;
  for (const auto& [name, value] : settings) {
    parameters.names.push_back(name.c_str());
    parameters.values.push_back(value.c_str());
  }
  parameters.names.push_back(nullptr);
  parameters.values.push_back(nullptr);
  return parameters;
}

bool is_integer(std::string_view text) {
  int value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size();
}

// libpq's range: it reads ports as numbers no sooner than there is a host to go to.
bool are_ports(std::string_view list) {
  const auto fits = [](auto part) {
    const std::string_view text{part.begin(), part.end()};
    int port = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
    return text.empty() || (read.ec == std::errc{} && read.ptr == text.data() + text.size() &&
                            port > 0 && port <= 65535);
  };
  return std::ranges::all_of(list | std::views::split(','), fits);
}

// What is left of libpq's words, in whatever language, without the value that they quote.
std::string without_value(std::string_view said) {
  static constexpr std::array<std::string_view, 6> kMarks{"\"",     "\u00bb", "\u00ab",
                                                          "\u201e", "\u201c", "\u201d"};
  const auto next = [said](std::size_t from) {
    std::pair first{std::string_view::npos, std::size_t{0}};
    for (const std::string_view mark : kMarks) {
      first = std::min(first, std::pair{said.find(mark, from), mark.size()});
    }
    return first;
  };
  const auto [open, open_size] = next(0);
  if (open == std::string_view::npos) return std::string{said};
  const auto [close, close_size] = next(open + open_size);
  std::string text{said.substr(0, open)};
  while (text.ends_with(' ') || text.ends_with(':')) text.pop_back();
  if (close == std::string_view::npos) return text;
  return text + std::string{said.substr(close + close_size)};
}

// Which option libpq would refuse when it connects, in its words; none: none. It is asked to
// connect where no server can be, with as many hosts as there are, and its words, which may be
// of any language, decide nothing.
std::optional<std::string> refused_option(Settings settings) {
  for (const std::string_view name :
       {"connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval",
        "keepalives_count", "tcp_user_timeout"}) {
    const std::string value = find(settings, name);
    if (!value.empty() && !is_integer(value))
      return "invalid integer value for " + std::string{name};
  }
  if (!are_ports(find(settings, "port"))) return "invalid port number";
  const std::string given = find(settings, find(settings, "host").empty() ? "hostaddr" : "host");
  std::string nowhere = "/dev/null";
  for (auto left = std::ranges::count(given, ','); left > 0; --left) nowhere += ",/dev/null";
  set(settings, "host", nowhere);
  set(settings, "hostaddr", "");
  set(settings, "service", "");  // whose file may be elsewhere
  const auto [names, values] = parameters_of(settings);
  if (PQpingParams(names.data(), values.data(), /*expand_dbname=*/0) != PQPING_NO_ATTEMPT) {
    return std::nullopt;
  }
  const PostgresSession session{
      PQconnectdbParams(names.data(), values.data(), /*expand_dbname=*/0)};
  if (!session) return std::nullopt;
  const std::string_view said{PQerrorMessage(session.get())};
  return without_value(said.substr(0, said.find('\n')));
}

// Whether a server's answer is one that waiting does not mend, by its SQLSTATE: its words are of
// its language. Of these classes are a password, a role, its rights, a database that is not
// there, and what a session shall begin with; full, or about to start or stop, it is none of them.
bool is_for_good(std::string_view line) {
  constexpr std::size_t kLength = 5;
  if (line.size() <= kLength || line[line.size() - kLength - 1] != ' ') return false;
  const std::string_view state = line.substr(line.size() - kLength);
  const auto has_class = [state](std::string_view one) { return state.starts_with(one); };
  return std::ranges::any_of(std::array{"22", "28", "3D", "42"}, has_class);
}

// What every session must be, whatever the server's defaults are. Through PgBouncer
// (no prepared statements) only what it keeps apart for each client may be set.
std::string session_of(const PostgresOptions& options) {
  std::string sql = "SET DateStyle TO ISO";
  if (!options.prepared) return sql;
  const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(options.query_timeout).count();
  return sql +
         "; SET bytea_output TO hex; SET extra_float_digits TO 1"
         "; SET default_transaction_read_only TO on; SET statement_timeout TO " +
         std::to_string(timeout);
}

void drop_notice(void*, const PGresult*) {}  // libpq would print it

}  // namespace

Result<PostgresTarget> PostgresTarget::parse(const std::string& url,
                                             const PostgresOptions& options) {
  if (!url.starts_with("postgresql://") && !url.starts_with("postgres://")) {
    return fail(Errc::kInvalidArgument,
                "a PostgreSQL source needs a URL, as \"postgresql://shop@localhost/shop\"");
  }
  char* said = nullptr;
  const Options parsed{PQconninfoParse(url.c_str(), &said)};
  const std::unique_ptr<char, void (*)(void*)> message{said, &PQfreemem};
  if (!parsed) {
    // libpq quotes what it does not understand, which may be a password.
    return fail(Errc::kInvalidArgument,
                "the PostgreSQL URL cannot be understood: percent-encode what is special in its "
                "parts, and see libpq's documentation for its options");
  }
  PostgresTarget target;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) target.settings_.emplace_back(option->keyword, option->val);
  }
  target.name_ = shown(target.settings_);

  if (const auto why = refused_option(target.settings_)) {
    return fail(Errc::kInvalidArgument, target.name_ + ": libpq refuses an option of the URL (" +
                                            *why + "); its documentation says what it may be");
  }
  const std::string wanted = find(target.settings_, "target_session_attrs");
  if (wanted == "standby" || wanted == "prefer-standby" || wanted == "read-only") {
    return fail(Errc::kInvalidArgument,
                target.name_ + ": target_session_attrs=" + wanted +
                    " asks for a replica, which lags behind what was written: a cache would keep "
                    "old rows as new ones. Leave it out");
  }
  if (wanted != "read-write") set(target.settings_, "target_session_attrs", "primary");
  set(target.settings_, "client_encoding", "UTF8");
  for (const auto& [name, value] :
       {std::pair{"fallback_application_name", "larder"}, std::pair{"connect_timeout", "5"}}) {
    if (find(target.settings_, name).empty()) set(target.settings_, name, value);
  }
  target.session_ = session_of(options);
  target.shares_sessions_ = !options.prepared;
  return target;
}

PostgresTarget PostgresTarget::to_write() const {
  PostgresTarget target = *this;
  target.session_ += "; SET default_transaction_read_only TO off";
  // A write that waits for a lock ends with its connection, from PostgreSQL 14 on, and does not
  // land when that is free, behind what other sessions have written by then.
  if (!shares_sessions_) target.wish_ = "SET client_connection_check_interval TO 500";
  return target;
}

bool PostgresTarget::refuses() const {
  constexpr std::chrono::seconds kPatience{5};
  const auto [names, values] = parameters_of(settings_);
  const PGPing ping = PQpingParams(names.data(), values.data(), /*expand_dbname=*/0);
  if (ping == PQPING_NO_ATTEMPT) return true;
  if (ping != PQPING_OK) return false;
  // By hand, as only so libpq can be told to give the SQLSTATE of why there is no session.
  const PostgresSession session{
      PQconnectStartParams(names.data(), values.data(), /*expand_dbname=*/0)};
  if (!session) return false;
  PQsetErrorVerbosity(session.get(), PQERRORS_SQLSTATE);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  auto next =
      PQstatus(session.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (next == PGRES_POLLING_READING || next == PGRES_POLLING_WRITING) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    const short wanted = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    pollfd socket{.fd = PQsocket(session.get()), .events = wanted, .revents = 0};
    if (::poll(&socket, 1, static_cast<int>(left.count())) > 0) next = PQconnectPoll(session.get());
  }
  if (next == PGRES_POLLING_OK) {
    PQsetNoticeReceiver(session.get(), &drop_notice, nullptr);
    const PostgresResult set{PQexec(session.get(), session_.c_str())};
    return PQresultStatus(set.get()) != PGRES_COMMAND_OK &&
           PQstatus(session.get()) == CONNECTION_OK;
  }
  if (PQconnectionNeedsPassword(session.get()) != 0) return true;
  for (auto part : std::string_view{PQerrorMessage(session.get())} | std::views::split('\n')) {
    if (is_for_good({part.begin(), part.end()})) return true;
  }
  return false;
}

Result<PostgresSession> PostgresTarget::connect() const {
  const auto [names, values] = parameters_of(settings_);
  PostgresSession session{PQconnectdbParams(names.data(), values.data(), /*expand_dbname=*/0)};
  if (!session) return fail(Errc::kOverloaded, name_ + ": there is not enough memory");
  if (PQstatus(session.get()) != CONNECTION_OK) {
    return fail(Errc::kSourceFailed,
                name_ + ": cannot connect: " + one_line(PQerrorMessage(session.get())));
  }
  PQsetNoticeReceiver(session.get(), &drop_notice, nullptr);
  const PostgresResult set{PQexec(session.get(), session_.c_str())};
  if (PQresultStatus(set.get()) != PGRES_COMMAND_OK) {
    return fail(Errc::kSourceFailed, name_ + ": the session cannot be set up: " +
                                         one_line(PQerrorMessage(session.get())));
  }
  if (!wish_.empty()) const PostgresResult wished{PQexec(session.get(), wish_.c_str())};
  if (PQsetnonblocking(session.get(), 1) != 0 || PQenterPipelineMode(session.get()) != 1) {
    return fail(Errc::kInternal,
                name_ + ": libpq cannot pipeline: " + one_line(PQerrorMessage(session.get())));
  }
  return session;
}

}  // namespace larder
