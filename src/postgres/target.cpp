#include "postgres/target.hpp"

#include <algorithm>
#include <array>
#include <memory>

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

bool PostgresTarget::answers() const {
  const auto [names, values] = parameters();
  return PQpingParams(names.data(), values.data(), /*expand_dbname=*/0) == PQPING_OK;
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
