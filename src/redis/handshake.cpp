#include "redis/handshake.hpp"

#include <xxhash.h>

#include <optional>
#include <utility>

#include "base/utf8.hpp"
#include "resp/request_writer.hpp"

namespace larder::redis {
namespace {

// The value of a line of INFO.
std::optional<std::string_view> line(std::string_view info, std::string_view name) {
  for (std::size_t at = info.find(name); at != std::string_view::npos;
       at = info.find(name, at + 1)) {
    const bool begins = at == 0 || info[at - 1] == '\n';
    if (!begins || at + name.size() >= info.size() || info[at + name.size()] != ':') continue;
    const std::string_view rest = info.substr(at + name.size() + 1);
    return rest.substr(0, rest.find_first_of("\r\n"));
  }
  return std::nullopt;
}

bool lacks_hello(std::string_view error) {
  return error.starts_with("NOPROTO") || error.contains("unknown command");
}

}  // namespace

Handshake::Handshake(const RedisUrl& url, Expect expect)
    : url_{url}, expect_{expect}, database_{std::to_string(url.database)} {}

std::vector<std::string_view> Handshake::command() const {
  const std::string_view user = url_.user.empty() ? "default" : std::string_view{url_.user};
  switch (stage_) {
    case Stage::kHello:
      if (url_.password.empty()) return {"HELLO", "3", "SETNAME", "larder"};
      return {"HELLO", "3", "AUTH", user, url_.password, "SETNAME", "larder"};
    case Stage::kAuth:
      // Before ACLs, Redis 6, AUTH took a password alone.
      if (url_.user.empty()) return {"AUTH", url_.password};
      return {"AUTH", url_.user, url_.password};
    case Stage::kSelect: return {"SELECT", database_};
    case Stage::kServer: return {"INFO", "server"};
    case Stage::kReplication: return {"INFO", "replication"};
    case Stage::kTracking: return {"CLIENT", "TRACKING", "ON", "OPTIN"};
  }
  return {};
}

void Handshake::write(resp::OutputBuffer& output) const {
  resp::RequestWriter{output}.command(command());
}

Handshake::Step Handshake::take(const resp::Reply& reply) {
  if (reply.is_error()) return refused(reply.text);
  switch (stage_) {
    case Stage::kHello: session_.resp3 = true; return logged_in();
    case Stage::kAuth: return logged_in();
    case Stage::kSelect: return go_on(Stage::kServer);
    case Stage::kServer: return take_server(reply);
    case Stage::kReplication: return take_replication(reply);
    case Stage::kTracking: session_.tracking = true; return Step::kDone;
  }
  return Step::kDone;
}

Handshake::Step Handshake::refused(std::string_view reply) {
  if (stage_ == Stage::kTracking) return Step::kDone;  // who waits then looks now and then
  if (stage_ == Stage::kHello && lacks_hello(reply)) {
    if (!url_.password.empty()) return go_on(Stage::kAuth);
    return logged_in();
  }
  const std::string words = printable(reply);
  if (reply.starts_with("NOAUTH")) {
    return fail_with("wants a login; put it in the URL: redis://USER:PASSWORD@HOST");
  }
  if (reply.starts_with("WRONGPASS") || reply.contains("invalid password")) {
    return fail_with("refuses the URL's user or password: " + words);
  }
  if (reply.starts_with("NOPERM")) {
    return fail_with("does not allow this user what larder needs (see docs/shared-tier.md): " +
                     words);
  }
  if (reply.starts_with("LOADING")) {
    error_ = {Errc::kSourceFailed, url_.place() + " is still loading its data"};
    return Step::kFailed;
  }
  return fail_with("refuses " + std::string{command().front()} + ": " + words);
}

Handshake::Step Handshake::take_server(const resp::Reply& reply) {
  const auto run = line(reply.text, "run_id");
  if (!run || run->empty()) {
    return fail_with(
        "does not say its run_id in INFO, so that copies from before a restart could not be told "
        "from newer ones");
  }
  run_id_ = *run;
  const auto version = line(reply.text, "valkey_version");
  session_.version =
      printable(version ? *version : line(reply.text, "redis_version").value_or("unknown"), 40);
  const auto mode = line(reply.text, version ? "server_mode" : "redis_mode");  // Valkey, Redis
  const bool in_cluster = mode == "cluster";
  if (in_cluster && expect_ == Expect::kMaster) {
    return fail_with("is part of a cluster; write redis+cluster://" + url_.place());
  }
  if (!in_cluster && expect_ == Expect::kClusterMaster) {
    return fail_with("is not part of a cluster; write redis://" + url_.place());
  }
  return go_on(Stage::kReplication);
}

Handshake::Step Handshake::take_replication(const resp::Reply& reply) {
  if (line(reply.text, "role") != "master") {
    return fail_with(
        "is a replica, whose copies may be older than what its master was told; name the master");
  }
  // A replica that becomes the master keeps its run_id, and what it had not yet been told to
  // forget; the second replication ID is then its late master's.
  const std::string run =
      run_id_ + "/" + std::string{line(reply.text, "master_replid2").value_or("")};
  session_.run = XXH3_64bits(run.data(), run.size());
  return session_.resp3 ? go_on(Stage::kTracking) : Step::kDone;
}

// A guide is asked nothing but its way.
Handshake::Step Handshake::logged_in() {
  if (expect_ == Expect::kGuide) return Step::kDone;
  return go_on(url_.database == 0 ? Stage::kServer : Stage::kSelect);
}

Handshake::Step Handshake::go_on(Stage stage) {
  stage_ = stage;
  return Step::kSend;
}

Handshake::Step Handshake::fail_with(std::string why) {
  error_ = {Errc::kRejected, url_.place() + " " + std::move(why)};
  return Step::kFailed;
}

}  // namespace larder::redis
