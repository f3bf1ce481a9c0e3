#include "config/settings.hpp"

#include <algorithm>
#include <array>

#include "access/password_hash.hpp"
#include "base/plain_name.hpp"
#include "config/address.hpp"
#include "memcached/memcached_url.hpp"
#include "redis/redis_url.hpp"

namespace larder {
namespace {

using namespace larder::literals;
using namespace std::chrono_literals;

constexpr Duration kYear = 24h * 365;

template <class T>
std::optional<std::string> complaint(const Result<T>& result) {
  return result ? std::nullopt : std::optional{result.error().message};
}

std::optional<std::string> check_address(std::string_view text) {
  if (text.empty()) return std::nullopt;  // where an empty text is allowed, it means none
  return complaint(parse_address(text));
}

std::optional<std::string> check_socket_path(std::string_view text) {
  if (text.contains('\0')) return "has a zero byte";
  if (text.ends_with('/')) return "is a folder; name the socket in it";
  if (text.starts_with("unix:")) return "is a URL; here stands the path alone";
  return std::nullopt;
}

std::optional<std::string> check_permissions(std::string_view text) {
  return complaint(parse_permissions(text));
}

std::optional<std::string> check_shared_url(std::string_view text) {
  if (memcached::is_memcached_url(text)) return complaint(memcached::parse_memcached_url(text));
  auto problem = complaint(redis::parse_redis_url(text));
  if (problem && problem->contains("scheme;")) *problem += ", or memcached://HOST,HOST";
  return problem;
}

std::optional<std::string> check_backplane_url(std::string_view text) {
  if (memcached::is_memcached_url(text)) return "names Memcached, which tells nobody; name a Redis";
  return complaint(redis::parse_redis_url(text));
}

std::optional<std::string> check_password(std::string_view text) {
  return complaint(PasswordHash::parse(text));
}

constexpr std::string_view kPasswordForm = "a password hash, as `larder password` prints it";

SectionRecord<ServerConfig> make_server_section() {
  using S = ServerConfig;
  return {
      "server",
      false,
      "The doors of this process, and what one client may ask of it.",
      {
          {.name = "listen",
           .target = Text<S>{&S::listen, "an address, HOST:PORT, or \"\"", check_address,
                             /*may_be_empty=*/true},
           .example = "\"0.0.0.0:6380\"",
           .meaning = "Where the RESP door listens: redis-cli and Redis clients connect here. Port "
                      "0 takes a free one and logs it. An address that other machines reach "
                      "needs a password, users or allow_insecure. Empty: on unix_socket alone.",
           .needs_restart = true},
          {.name = "unix_socket",
           .target = Text<S>{&S::unix_socket, "a path", check_socket_path},
           .example = "\"/run/larder/larder.sock\"",
           .meaning =
               "A Unix socket on which the RESP door listens as well, without TLS: redis-cli "
               "-s connects here. A relative path starts at the configuration file's "
               "folder. A socket that a process left behind is taken over; it is removed at "
               "the end. Limits by address are not for its clients.",
           .unset = "none",
           .needs_restart = true},
          {.name = "unix_permissions",
           .target =
               Text<S>{&S::unix_permissions, "permissions as chmod takes them", check_permissions},
           .example = "\"0660\"",
           .meaning = "Who may connect to the Unix socket: whoever may write to it. 0600 is the "
                      "user that larder runs as, 0660 its group too. The folder's permissions "
                      "count as well.",
           .needs_restart = true},
          {.name = "admin",
           .target = Text<S>{&S::admin, "an address, HOST:PORT, or \"\"", check_address,
                             /*may_be_empty=*/true},
           .example = "\"127.0.0.1:9380\"",
           .meaning = "Where /metrics and /health answer over HTTP. Empty: nowhere. With a "
                      "password or users, /metrics asks for one of them.",
           .needs_restart = true},
          {.name = "admin_hosts",
           .target = &S::admin_hosts,
           .example = "[\"larder.internal\"]",
           .meaning = "Names in whose name the admin door answers, beside localhost and plain IP "
                      "addresses. A browser that was sent here by a strange page brings another "
                      "name, and is refused.",
           .unset = "none",
           .needs_restart = true},
          {.name = "password",
           .target = SecretText<S>{&S::password, kPasswordForm, check_password},
           .example = "\"$scrypt$ln=14,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
                      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
           .meaning = "The password of the user default, who may do everything, as `larder "
                      "password` prints its hash. Clients send it with AUTH. With it, or with "
                      "users, nobody is let in without a password.",
           .unset = "none; whoever connects may do everything"},
          {.name = "allow_insecure",
           .target = &S::allow_insecure,
           .example = "true",
           .meaning = "Listen on addresses that other machines reach though no password is asked "
                      "for: whoever reaches them may read, write and drop everything. For "
                      "networks that keep strangers out by themselves."},
          {.name = "threads",
           .target = Ranged<S, unsigned>{&S::threads, 0, 1024},
           .example = "4",
           .meaning = "I/O threads. Each serves its share of the clients.",
           .too_small = "Clients wait for a core while others idle.",
           .too_large = "More threads than cores take turns and cost memory.",
           .unset = "0, one a core",
           .needs_restart = true},
          {.name = "max_clients",
           .target = Ranged<S, unsigned>{&S::max_clients, 1, 1'000'000},
           .example = "10000",
           .meaning = "Connections at a time; further ones get an error and are closed.",
           .too_small = "Clients of a large pool are turned away.",
           .too_large =
               "The process may run out of file descriptors, and then turns away anybody."},
          {.name = "max_clients_per_address",
           .target = Ranged<S, unsigned>{&S::max_clients_per_address, 0, 1'000'000},
           .example = "500",
           .meaning = "Connections of one address at a time; further ones get an error and are "
                      "closed. Of IPv6 addresses the first 64 bits count. Clients behind one proxy "
                      "or NAT are one address.",
           .too_small = "Clients of a large pool, or behind one proxy, are turned away.",
           .too_large = "One machine may take all of max_clients, and others find no place.",
           .unset = "0, no limit but max_clients"},
          {.name = "connection_rate",
           .target = Ranged<S, unsigned>{&S::connection_rate, 0, 1'000'000},
           .example = "100",
           .meaning = "Connections that one address may open a second, a second's worth of them "
                      "at once; further ones get an error and are closed. Addresses count as for "
                      "max_clients_per_address.",
           .too_small = "Clients that connect for each request, or reconnect all at once, are "
                        "turned away.",
           .too_large = "A client that connects in a loop takes time from others, most of all with "
                        "TLS.",
           .unset = "0, as many as come"},
          {.name = "total_connection_rate",
           .target = Ranged<S, unsigned>{&S::total_connection_rate, 0, 1'000'000},
           .example = "5000",
           .meaning = "The same for all addresses together.",
           .too_small = "Clients that reconnect all at once, as after a restart, are turned away.",
           .too_large = "A storm from many addresses takes time from clients that are connected, "
                        "most of all with TLS.",
           .unset = "0, as many as come"},
          {.name = "max_request",
           .target = Ranged<S, ByteCount>{&S::max_request, 1_KiB, 1_GiB},
           .example = "\"64MiB\"",
           .meaning = "One command with all its arguments. A longer one is a protocol error and "
                      "closes its connection.",
           .too_small = "Large values and long MGETs are refused.",
           .too_large = "A client may make larder hold that much for each connection."},
          {.name = "max_arguments",
           .target = Ranged<S, unsigned>{&S::max_arguments, 1, 16'777'216},
           .example = "1048576",
           .meaning = "Words of one command. More are a protocol error.",
           .too_small = "Long MGETs are refused.",
           .too_large = "One command may keep an I/O thread busy while others wait."},
          {.name = "max_key",
           .target = Ranged<S, ByteCount>{&S::max_key, 1_B, 1_MiB},
           .example = "\"64KiB\"",
           .meaning = "The longest key that is taken; a longer one is refused.",
           .too_small = "Keys that clients use are refused.",
           .too_large = "Keys take the memory that values need."},
          {.name = "max_value",
           .target = Ranged<S, ByteCount>{&S::max_value, 1_B, 512_MiB},
           .example = "\"32MiB\"",
           .meaning =
               "The largest value, as a client sets it or a source gives it; a larger one is "
               "an error for its call. Memory keeps nothing larger than an eighth of "
               "memory.capacity; below 4MiB, than all of it.",
           .too_small = "Large rows are errors and are asked from the source again and again.",
           .too_large = "Few values fill the memory tier and drive out all others."},
          {.name = "max_reply_buffer",
           .target = Ranged<S, ByteCount>{&S::max_reply_buffer, 64_KiB, 4_GiB},
           .example = "\"64MiB\"",
           .meaning = "Replies kept for a client that reads slowly. Past it, larder reads no "
                      "further command of that client until it has read.",
           .too_small = "Pipelines stop and go.",
           .too_large = "A few slow clients reach max_client_memory together."},
          {.name = "max_pipeline",
           .target = Ranged<S, unsigned>{&S::max_pipeline, 1, 1'000'000},
           .example = "10000",
           .meaning =
               "Commands of one client that await their replies; larder reads no further one "
               "until there are fewer.",
           .too_small = "Pipelines stop and go.",
           .too_large = "One client's pipeline takes memory and the source's time from others."},
          {.name = "max_client_memory",
           .target = Ranged<S, ByteCount>{&S::max_client_memory, 1_MiB, 1024_GiB},
           .example = "\"512MiB\"",
           .meaning = "What all clients together may make larder keep: requests that are not "
                      "whole yet, transactions, keys that wait for loads, replies that were not "
                      "read. When it is more, the client that keeps most is closed, until it is "
                      "not.",
           .too_small = "Clients with large pipelines or values are cut off when others have "
                        "them too.",
           .too_large = "Clients that read slowly may use up the machine's memory."},
          {.name = "max_tracking_memory",
           .target = Ranged<S, ByteCount>{&S::max_tracking_memory, 64_KiB, 64_GiB},
           .example = "\"64MiB\"",
           .meaning = "What larder may keep to remember which keys clients hold copies of (CLIENT "
                      "TRACKING). Past it, clients are told that keys changed which did not.",
           .too_small = "Clients drop copies that are true, and read them again.",
           .too_large = "Memory that copies of values could have."},
          {.name = "max_lease_memory",
           .target = Ranged<S, ByteCount>{&S::max_lease_memory, 64_KiB, 16_GiB},
           .example = "\"16MiB\"",
           .meaning = "What the leases may take that LARDER LEASE gave out: each its key and 320 "
                      "bytes, until it is filled or its time is over. A single client may have a "
                      "sixteenth of it. Past it, LARDER LEASE answers BUSY.",
           .too_small = "Programs that load many keys at a time are refused.",
           .too_large = "Clients that ask for leases and do nothing with them take memory."},
          {.name = "idle_timeout",
           .target = Ranged<S, Duration>{&S::idle_timeout, 0s, kYear},
           .example = "\"1h\"",
           .meaning = "How long a client may send nothing, and read nothing of what waits for it, "
                      "before its connection is closed, without a word, as Redis does. A client "
                      "that waits for a load is not idle. 0s: for ever.",
           .too_small = "Pools find their connections closed, and connect again.",
           .too_large = "Connections whose clients are long gone keep their places.",
           .unset = "0s, for ever, as with Redis: pools keep connections for later"},
          {.name = "login_timeout",
           .target = Ranged<S, Duration>{&S::login_timeout, 0s, 10min},
           .example = "\"10s\"",
           .meaning = "How long a client may be nobody: from connecting to the end of its TLS "
                      "handshake and, where a password is asked for, of its login. Past it, the "
                      "connection is closed. 0s: for ever.",
           .too_small = "Honest clients on slow networks are cut off.",
           .too_large = "Strangers without a password hold places of max_clients."},
          {.name = "slowlog_slower_than",
           .target = Ranged<S, Duration>{&S::slowlog_slower_than, 0s, 1h},
           .example = "\"10ms\"",
           .meaning = "Commands that take longer are kept for SLOWLOG and LATENCY. What counts is "
                      "carrying them out, not waiting for a source. Below 1ms each command is "
                      "timed by itself; otherwise quick ones that follow each other in a pipeline "
                      "share one look at the clock.",
           .too_small = "Each command costs two looks at the clock, and the log shows the last "
                        "moment alone.",
           .too_large = "What holds up other clients is not seen."},
          {.name = "slowlog_entries",
           .target = Ranged<S, unsigned>{&S::slowlog_entries, 0, 10'000},
           .example = "128",
           .meaning = "How many slow commands are kept, the newest; each takes at most 5 KiB. 0: "
                      "none are looked for.",
           .too_small = "The interesting ones are gone before somebody looks.",
           .too_large = "They take memory that entries could have."},
          {.name = "shutdown_timeout",
           .target = Ranged<S, Duration>{&S::shutdown_timeout, 0s, 10min},
           .example = "\"10s\"",
           .meaning = "How long a shutdown waits for what was already asked.",
           .too_small = "Clients lose replies that were nearly there.",
           .too_large = "A source that hangs holds up the shutdown."},
      }};
}

SectionRecord<TlsConfig> make_tls_section() {
  using S = TlsConfig;
  return {"tls",
          false,
          "TLS for the RESP door. With this section, server.listen speaks TLS 1.2 or 1.3 and "
          "nothing else. The files are read again at each reload; relative paths start at the "
          "configuration file's folder. That this section comes or goes needs a restart.",
          {
              {.name = "certificate",
               .target = Text<S>{&S::certificate, "a path"},
               .example = "\"server.pem\"",
               .meaning = "The server's certificate in PEM, followed by those that lead to the "
                          "root that clients trust.",
               .required = true},
              {.name = "key",
               .target = Text<S>{&S::key, "a path"},
               .example = "\"server.key\"",
               .meaning = "The certificate's private key in PEM, without a passphrase.",
               .required = true},
              {.name = "client_ca",
               .target = Text<S>{&S::client_ca, "a path"},
               .example = "\"clients.pem\"",
               .meaning = "Certificates in PEM. With them, each client must show a certificate "
                          "that one of these signed; passwords are asked for besides.",
               .unset = "none; clients need no certificate"},
              {.name = "admin",
               .target = &S::admin,
               .example = "true",
               .meaning = "The door of metrics and health, server.admin, speaks TLS as well, with "
                          "this certificate, and asks its clients for theirs if there is a "
                          "client_ca.",
               .needs_restart = true},
          }};
}

SectionRecord<UserConfig> make_user_section() {
  using S = UserConfig;
  return {"users",
          true,
          "Who may connect, and what each may do. The user default is who a client is before it "
          "says AUTH, if that user has no password.",
          {
              {.name = "password",
               .target = SecretText<S>{&S::password, kPasswordForm, check_password},
               .example = "\"$scrypt$ln=14,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
                          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
               .meaning = "The user's password, as `larder password` prints its hash. Only "
                          "default may do without.",
               .unset = "none; must be given but for default"},
              {.name = "rights",
               .target = &S::rights,
               .example = "[\"read:*\", \"write:product\"]",
               .meaning = "What the user may do, as RIGHT:CACHE; * is every cache. read: values "
                          "and what is known of them. write: set and drop keys. admin: what "
                          "touches a cache as a whole; admin:* the server too. None includes "
                          "another.",
               .unset = "none; the user may say PING and little else"},
          }};
}

SectionRecord<MemoryConfig> make_memory_section() {
  using S = MemoryConfig;
  return {"memory",
          false,
          "The memory tier that all caches of this process share.",
          {
              {.name = "capacity",
               .target = Ranged<S, ByteCount>{&S::capacity, 64_KiB, 1024_GiB},
               .example = "\"1GiB\"",
               .meaning = "Bytes that entries may take, keys and overhead counted. What is used "
                          "least makes room for what is new. The process needs some more for "
                          "clients and sources.",
               .too_small = "Entries are dropped before they are read again, and the sources have "
                            "their work.",
               .too_large = "The machine swaps, or ends the process for lack of memory.",
               .needs_restart = true},
          }};
}

SectionRecord<SharedConfig> make_shared_section() {
  using S = SharedConfig;
  return {
      "shared",
      false,
      "A Redis or Valkey, or Memcached servers, whose copies many processes share: read-through "
      "and "
      "write-through caches ask it for what memory has not, and one process of all loads what it "
      "has not. Without this section there is none. See docs/shared-tier.md.",
      {
          {.name = "url",
           .target = SecretText<S>{&S::url,
                                   "a URL: redis://, rediss:// (TLS), unix://, redis+cluster://, "
                                   "redis+sentinel:// or memcached://",
                                   check_shared_url},
           .example = "\"redis://larder:SECRET@127.0.0.1:6379\"",
           .meaning =
               "Where it is: redis://USER:PASSWORD@HOST:PORT/DATABASE, rediss:// for TLS, "
               "whose server is verified (?ca=FILE names another authority than the "
               "system's), or unix:///PATH. A cluster is redis+cluster://HOST:PORT,HOST:PORT,…, a "
               "master that sentinels know redis+sentinel://HOST:PORT,…/NAME, Memcached servers "
               "memcached://HOST:PORT,HOST:PORT,… or memcached:///PATH, which every process names "
               "alike. It may be down: reads then go to the sources.",
           .required = true,
           .needs_restart = true},
          {.name = "backplane",
           .target = SecretText<S>{&S::backplane,
                                   "a URL: redis://, rediss:// (TLS), unix://, redis+cluster:// or "
                                   "redis+sentinel://",
                                   check_backplane_url},
           .example = "\"redis://127.0.0.1:6379\"",
           .meaning = "A Redis or Valkey beside Memcached, as url would name it, through which "
                      "processes tell each other's memory what they invalidate and write; it keeps "
                      "no copies. All processes name the same. With it memory_ttl may be long; "
                      "while it, or a Memcached server, is away memory keeps copies for 1s at "
                      "most. Without it nobody is told.",
           .unset = "none",
           .needs_restart = true},
          {.name = "namespace",
           .target = Text<S>{&S::name_space, "letters, digits, '_', '-' and '.'",
                             problem_with_plain_name},
           .example = "\"shop-production\"",
           .meaning = "What every key there begins with. Deployments that must not see each "
                      "other's copies each have their own.",
           .needs_restart = true},
          {.name = "memory_ttl",
           .target = Ranged<S, Duration>{&S::memory_ttl, 0s, kYear},
           .example = "\"1s\"",
           .meaning = "The longest that this process's memory answers from a copy without asking "
                      "the shared tier, for caches that use it. What another process invalidates "
                      "is dropped here as soon as Redis has told of it; while Redis tells nothing, "
                      "memory keeps copies for 1s at most. Memcached never tells: there, without "
                      "backplane, it is the bound of each one. 0s: memory keeps nothing of them.",
           .too_small = "Each read costs a round trip to the shared tier.",
           .too_large = "What nobody tells, such as a write past larder, is unseen that long, or "
                        "for the cache's ttl.",
           .needs_restart = true},
          {.name = "timeout",
           .target = Ranged<S, Duration>{&S::timeout, 1ms, 60s},
           .example = "\"250ms\"",
           .meaning = "How long a command may take. A server that says nothing for so long is left "
                      "alone until it answers again, and reads go to the sources.",
           .too_small = "A moment's load on the server sends all reads to the sources.",
           .too_large = "When the server hangs, the first readers wait that long.",
           .needs_restart = true},
          {.name = "lease",
           .target = Ranged<S, Duration>{&S::lease, 100ms, 10min},
           .example = "\"3s\"",
           .meaning = "How long after the last sign of life of a process that loads a key another "
                      "may load it. A load may take longer: its process renews the lease.",
           .too_small = "A process that pauses for so long is taken for dead, and the source is "
                        "asked twice.",
           .too_large = "When a process dies while it loads, the others wait that long.",
           .needs_restart = true},
      }};
}

SectionRecord<JournalConfig> make_journal_section() {
  using S = JournalConfig;
  return {
      "journal",
      false,
      "Where the acknowledged writes of write-behind caches wait until their source has them. One "
      "process has it at a time. See docs/strategies.md.",
      {
          {.name = "path",
           .target = Text<S>{&S::path, "a path"},
           .example = "\"journal\"",
           .meaning = "A folder of the journal's own, which is made if need be; on a disk of which "
                      "a sync is true. A relative path starts at the configuration file's folder.",
           .required = true,
           .needs_restart = true},
          {.name = "limit",
           .target = Ranged<S, ByteCount>{&S::limit, 1_MiB, {1ULL << 40}},
           .example = "\"1GiB\"",
           .meaning = "What pending writes and dead letters may take, with 128 bytes for each; in "
                      "memory they take about as much, on disk up to twice that. At the limit "
                      "writes are refused, with BUSY, and reads go on.",
           .too_small = "A short failure of the source brings errors.",
           .too_large = "The pending writes may not fit into memory.",
           .needs_restart = true},
          {.name = "interval",
           .target = Ranged<S, Duration>{&S::interval, 1ms, 60s},
           .example = "\"1s\"",
           .meaning = "How often the journal is synced for caches whose durability is interval or "
                      "memory.",
           .too_small = "The disk syncs all the time.",
           .too_large = "Loss of power takes the acknowledged writes of so long.",
           .needs_restart = true},
      }};
}

constexpr std::array<std::string_view, 8> kSections{"server", "tls",     "users",   "memory",
                                                    "shared", "journal", "sources", "caches"};

constexpr std::array kLater{
    LaterSetting{"edge", "", "the HTTP edge"},
    LaterSetting{"memory", "ttl", "a ttl of the memory tier's own"},
    LaterSetting{"server", "http", "the HTTP edge"},
    LaterSetting{"caches", "stale", "serving stale entries"},
    LaterSetting{"caches", "tags", "invalidating by tag"},
    LaterSetting{"caches", "changes", "the change feed"},
};

}  // namespace

const SectionRecord<ServerConfig>& server_section() {
  static const auto record = make_server_section();
  return record;
}

const SectionRecord<TlsConfig>& tls_section() {
  static const auto record = make_tls_section();
  return record;
}

const SectionRecord<UserConfig>& user_section() {
  static const auto record = make_user_section();
  return record;
}

const SectionRecord<MemoryConfig>& memory_section() {
  static const auto record = make_memory_section();
  return record;
}

const SectionRecord<SharedConfig>& shared_section() {
  static const auto record = make_shared_section();
  return record;
}

const SectionRecord<JournalConfig>& journal_section() {
  static const auto record = make_journal_section();
  return record;
}

std::span<const std::string_view> section_names() { return kSections; }

std::span<const LaterSetting> later_settings() { return kLater; }

const LaterSetting* find_later(std::string_view section, std::string_view name) {
  for (const LaterSetting& later : kLater) {
    if (later.section == section && later.name == name) return &later;
  }
  return nullptr;
}

}  // namespace larder
