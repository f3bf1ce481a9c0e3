#include "postgres/target.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>

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

bool is_integer(std::string_view text) {
  int value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size();
}

// What is left of libpq's words without the value that it quotes.
std::string without_value(std::string_view said) {
  const std::size_t open = said.find('"');
  const std::size_t close = said.find('"', open + 1);
  if (close == std::string_view::npos) return std::string{said};
  std::string text{said.substr(0, open)};
  while (text.ends_with(' ') || text.ends_with(':')) text.pop_back();
  return text + std::string{said.substr(close + 1)};
}

// Which option libpq would refuse when it connects, in its words; none: none. It is asked to
// connect where no server can be, with as many hosts as there are.
std::optional<std::string> refused_option(Settings settings) {
  for (const std::string_view name :
       {"connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval",
        "keepalives_count", "tcp_user_timeout"}) {
    const std::string value = find(settings, name);
    if (!value.empty() && !is_integer(value))
      return "invalid integer value for " + std::string{name};
  }
  const std::string given = find(settings, find(settings, "host").empty() ? "hostaddr" : "host");
  std::string nowhere = "/dev/null";
  for (auto left = std::ranges::count(given, ','); left > 0; --left) nowhere += ",/dev/null";
  set(settings, "host", nowhere);
  set(settings, "hostaddr", "");
  set(settings, "service", "");  // whose file may be elsewhere
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : settings) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  const PostgresSession session{
      PQconnectdbParams(names.data(), values.data(), /*expand_dbname=*/0)};
  if (!session) return std::nullopt;
  const std::string_view said{PQerrorMessage(session.get())};
  const std::size_t invalid = said.find("invalid ");
  if (said.contains("connection to server") && invalid == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view line = invalid == std::string_view::npos ? said : said.substr(invalid);
  return without_value(line.substr(0, line.find('\n')));
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
  return target;
}

PostgresTarget PostgresTarget::to_write() const {
  PostgresTarget target = *this;
  target.session_ += "; SET default_transaction_read_only TO off";
  return target;
}

PostgresTarget::Parameters PostgresTarget::parameters() const {
  Parameters parameters;
  for (const auto& [name, value] : settings_) {
    parameters.names.push_back(name.c_str());
    parameters.values.push_back(value.c_str());
  }
  parameters.names.push_back(nullptr);
  parameters.values.push_back(nullptr);
  return parameters;
}

bool PostgresTarget::refuses() const {
  const auto reach = [](const PostgresTarget& target) {
    const auto [names, values] = target.parameters();
    const PostgresSession session{
        PQconnectdbParams(names.data(), values.data(), /*expand_dbname=*/0)};
    return PQstatus(session.get()) == CONNECTION_OK;
  };
  const auto [names, values] = parameters();
  const PGPing ping = PQpingParams(names.data(), values.data(), /*expand_dbname=*/0);
  if (ping == PQPING_NO_ATTEMPT) return true;
  if (ping != PQPING_OK) return false;
  if (reach(*this)) return !connect();  // what a session begins with is refused, or it is there
  PostgresTarget any = *this;
  set(any.settings_, "target_session_attrs", "any");
  return !reach(any);
}

Result<PostgresSession> PostgresTarget::connect() const {
  const auto [names, values] = parameters();
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
  if (PQsetnonblocking(session.get(), 1) != 0 || PQenterPipelineMode(session.get()) != 1) {
    return fail(Errc::kInternal,
                name_ + ": libpq cannot pipeline: " + one_line(PQerrorMessage(session.get())));
  }
  return session;
}

}  // namespace larder
