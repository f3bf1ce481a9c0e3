#include "redis/redis_url.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/ascii_case.hpp"

namespace larder::redis {
namespace {

constexpr std::size_t kLongestSocketPath = 107;  // that the system takes
constexpr unsigned kMostDatabase = 65'535;
constexpr std::string_view kSchemes =
    "write redis://HOST:PORT, rediss://HOST:PORT (TLS), unix:///PATH, redis+cluster://HOST,HOST or "
    "redis+sentinel://HOST,HOST/NAME";
constexpr std::uint16_t kRedisPort = 6379;
constexpr std::uint16_t kSentinelPort = 26'379;
constexpr std::size_t kMostPlaces = 64;

std::unexpected<Error> refuse(std::string why) {
  return fail(Errc::kInvalidArgument, std::move(why));
}

std::optional<unsigned> digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

Result<std::string> decoded(std::string_view text, std::string_view part) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const auto high = i + 1 < text.size() ? digit(text[i + 1]) : std::nullopt;
      const auto low = i + 2 < text.size() ? digit(text[i + 2]) : std::nullopt;
      if (!high || !low) {
        return refuse("has a % in its " + std::string{part} +
                      " that two hexadecimal digits do not follow; a plain % is written %25");
      }
      c = static_cast<char>(*high * 16 + *low);
      i += 2;
    }
    if (c == '\0') return refuse("has a zero byte in its " + std::string{part});
    plain += c;
  }
  return plain;
}

// A number from 0 (or `least`) to `most`, and nothing else.
std::optional<unsigned> number(std::string_view text, unsigned least, unsigned most) {
  unsigned value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, problem] = std::from_chars(text.data(), end, value);
  if (problem != std::errc{} || stopped != end || value < least || value > most) return {};
  return value;
}

// Takes what stands before `mark` off `text`; none: there is no mark.
std::optional<std::string_view> take_before(std::string_view& text, std::size_t mark) {
  if (mark == std::string_view::npos) return std::nullopt;
  const std::string_view before = text.substr(0, mark);
  text.remove_prefix(mark + 1);
  return before;
}

class UrlReader {
 public:
  explicit UrlReader(std::string_view url) : rest_{url} {}

  Result<RedisUrl> read() {
    auto done = scheme();
    const std::size_t question = rest_.find('?');
    const std::string_view query =
        question == std::string_view::npos ? std::string_view{} : rest_.substr(question + 1);
    rest_ = rest_.substr(0, question);
    if (done) done = login();
    if (done) done = socket_ ? socket() : address();
    if (done) done = options(query);
    if (!done) return std::unexpected{std::move(done.error())};
    return std::move(url_);
  }

 private:
  Result<void> scheme() {
    const auto scheme = take_before(rest_, rest_.find(':'));
    if (!scheme) return refuse("has no scheme; " + std::string{kSchemes});
    const std::string small = lowered(*scheme);
    const std::size_t plus = std::min(small.find('+'), small.size());
    const std::string_view carrier = std::string_view{small}.substr(0, plus);
    const std::string_view kind = std::string_view{small}.substr(plus);
    if (kind == "+cluster") url_.kind = RedisUrl::Kind::kCluster;
    if (kind == "+sentinel") url_.kind = RedisUrl::Kind::kSentinel;
    const bool several = url_.kind != RedisUrl::Kind::kServer;
    const bool plain = carrier == "redis" || carrier == "valkey";
    const bool tls = carrier == "rediss" || carrier == "valkeys";
    const bool known = plain || tls || (carrier == "unix" && !several);
    if (!known || several == kind.empty()) {
      return refuse("has an unknown scheme; " + std::string{kSchemes});
    }
    if (!rest_.starts_with("//")) return refuse("needs // after its scheme");
    rest_.remove_prefix(2);
    url_.tls = tls;
    socket_ = carrier == "unix";
    return {};
  }

  Result<void> login() {
    const std::size_t slash = rest_.find('/');
    const std::size_t at = rest_.substr(0, slash).rfind('@');
    const auto before = take_before(rest_, at);
    if (!before) return {};
    const std::size_t colon = before->find(':');
    auto user = decoded(before->substr(0, colon), "user");
    if (!user) return std::unexpected{std::move(user.error())};
    if (colon == std::string_view::npos || colon + 1 == before->size()) {
      return refuse("names a user without a password; write USER:PASSWORD@");
    }
    auto password = decoded(before->substr(colon + 1), "password");
    if (!password) return std::unexpected{std::move(password.error())};
    url_.user = std::move(*user);
    url_.password = std::move(*password);
    return {};
  }

  Result<void> socket() {
    auto path = decoded(rest_, "path");
    if (!path) return std::unexpected{std::move(path.error())};
    if (!path->starts_with('/')) return refuse("needs a whole path: unix:///run/redis.sock");
    if (path->size() > kLongestSocketPath) {
      return refuse("names a socket whose path is longer than " +
                    std::to_string(kLongestSocketPath) + " bytes, which the system does not take");
    }
    url_.socket = std::move(*path);
    return {};
  }

  Result<void> address() {
    const std::size_t slash = rest_.find('/');
    const std::string_view path =
        slash == std::string_view::npos ? std::string_view{} : rest_.substr(slash + 1);
    std::string_view authorities = rest_.substr(0, slash);
    if (url_.kind == RedisUrl::Kind::kServer && authorities.contains(',')) {
      return refuse(
          "names several servers; one Redis or Valkey is one HOST:PORT, a cluster is "
          "redis+cluster://HOST,HOST");
    }
    for (bool first = true; first || !authorities.empty(); first = false) {
      const std::size_t end = std::min(authorities.find(','), authorities.size());
      auto place = one_place(authorities.substr(0, end));
      if (!place) return std::unexpected{std::move(place.error())};
      if (first) {
        url_.host = std::move(place->host);
        url_.port = place->port;
      } else {
        url_.more.push_back(std::move(*place));
      }
      if (end + 1 == authorities.size()) return refuse("names no host behind its last comma");
      authorities.remove_prefix(std::min(end + 1, authorities.size()));
    }
    if (url_.more.size() >= kMostPlaces) return refuse("names more than 64 servers; a few will do");
    if (url_.kind == RedisUrl::Kind::kSentinel) return choose_master(path);
    return path.empty() ? Result<void>{} : choose_database(path);
  }

  Result<Place> one_place(std::string_view authority) const {
    Place place;
    place.port = url_.kind == RedisUrl::Kind::kSentinel ? kSentinelPort : kRedisPort;
    if (authority.starts_with('[')) {
      authority.remove_prefix(1);
      const auto host = take_before(authority, authority.find(']'));
      if (!host) return refuse("has an address in brackets that does not end");
      place.host = *host;
      if (!authority.empty() && !authority.starts_with(':')) {
        return refuse("has something other than :PORT behind its address");
      }
    } else {
      place.host = authority.substr(0, authority.find(':'));
      authority.remove_prefix(place.host.size());
      if (std::ranges::count(authority, ':') > 1) {
        return refuse("has an IPv6 address without brackets; write redis://[::1]:6379");
      }
    }
    if (auto done = check_host(place.host); !done) return std::unexpected{std::move(done.error())};
    if (authority.size() > 1) {
      const auto port = number(authority.substr(1), 1, 65'535);
      if (!port) return refuse("has a port that is no number from 1 to 65535");
      place.port = static_cast<std::uint16_t>(*port);
    }
    return place;
  }

  static Result<void> check_host(const std::string& host) {
    const bool plain = std::ranges::all_of(host, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '.' || c == '-' || c == '_' || c == ':';
    });
    if (host.empty()) return refuse("names no host; " + std::string{kSchemes});
    if (!plain) return refuse("has a host with characters that no host has");
    return {};
  }

  Result<void> choose_master(std::string_view text) {
    auto name = decoded(text, "master's name");
    if (!name) return std::unexpected{std::move(name.error())};
    if (name->empty()) {
      return refuse(
          "does not say what the sentinels call the master: "
          "redis+sentinel://HOST,HOST/NAME");
    }
    url_.master = std::move(*name);
    return {};
  }

  Result<void> choose_database(std::string_view text) {
    const auto database = number(text, 0, kMostDatabase);
    if (!database) return refuse("has a database that is no number from 0 to 65535");
    if (url_.kind == RedisUrl::Kind::kCluster && *database != 0) {
      return refuse("names a database, of which a cluster has only 0");
    }
    url_.database = *database;
    return {};
  }

  Result<void> options(std::string_view query) {
    while (!query.empty()) {
      const std::size_t end = std::min(query.find('&'), query.size());
      if (auto done = option(query.substr(0, end)); !done) return done;
      query.remove_prefix(std::min(end + 1, query.size()));
    }
    if (url_.certificate.empty() != url_.key.empty()) {
      return refuse("names one of cert and key; TLS needs both or neither");
    }
    return {};
  }

  Result<void> option(std::string_view text) {
    const auto name = take_before(text, text.find('='));
    if (!name) return refuse("has an option without a value behind ?");
    if (*name == "db") return choose_database(text);
    std::string* const file = *name == "ca"     ? &url_.ca
                              : *name == "cert" ? &url_.certificate
                              : *name == "key"  ? &url_.key
                                                : nullptr;
    if (file == nullptr)
      return refuse("has an unknown option behind ?; there are db, ca, cert, key");
    if (!url_.tls) return refuse("has ca, cert or key, which are rediss://'s alone");
    auto path = decoded(text, "file");
    if (!path) return std::unexpected{std::move(path.error())};
    if (path->empty()) return refuse("names no file for ca, cert or key");
    *file = std::move(*path);
    return {};
  }

  std::string_view rest_;
  bool socket_ = false;
  RedisUrl url_;
};

void append_encoded(std::string& text, std::string_view plain) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : plain) {
    const auto byte = static_cast<unsigned char>(c);
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
                            c == '~' || c == '/';
    if (unreserved) {
      text += c;
    } else {
      text += '%';
      text += kHex[byte >> 4U];
      text += kHex[byte & 15U];
    }
  }
}

// A slash would end the login.
void append_login(std::string& text, std::string_view plain) {
  for (std::size_t slash = plain.find('/'); slash != std::string_view::npos;
       slash = plain.find('/')) {
    append_encoded(text, plain.substr(0, slash));
    text += "%2F";
    plain.remove_prefix(slash + 1);
  }
  append_encoded(text, plain);
}

}  // namespace

std::string RedisUrl::place() const {
  return socket.empty() ? redis::to_string(Place{.host = host, .port = port}) : socket;
}

RedisUrl RedisUrl::server_at(const Place& place) const {
  RedisUrl server = *this;
  server.kind = Kind::kServer;
  server.host = place.host;
  server.port = place.port;
  server.more.clear();
  server.master.clear();
  return server;
}

Result<RedisUrl> parse_redis_url(std::string_view url) { return UrlReader{url}.read(); }

std::string to_string(const RedisUrl& url) {
  std::string text = !url.socket.empty() ? "unix" : url.tls ? "rediss" : "redis";
  if (url.kind == RedisUrl::Kind::kCluster) text += "+cluster";
  if (url.kind == RedisUrl::Kind::kSentinel) text += "+sentinel";
  text += "://";
  if (!url.password.empty()) {
    append_login(text, url.user);
    text += ':';
    append_login(text, url.password);
    text += '@';
  }
  if (url.socket.empty()) {
    text += url.place();
    for (const Place& each : url.more) text += "," + to_string(each);
    if (!url.master.empty()) {
      text += '/';
      append_encoded(text, url.master);
    }
  } else {
    append_encoded(text, url.socket);
  }
  char mark = '?';
  const auto add = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    text += std::exchange(mark, '&');
    text += name;
    append_encoded(text, value);
  };
  if (url.database != 0) add("db=", std::to_string(url.database));
  add("ca=", url.ca);
  add("cert=", url.certificate);
  add("key=", url.key);
  return text;
}

}  // namespace larder::redis
