// The command table: one record a command, in the order of its name. What a
// record says is what the server does (arity, keys, flags) and what it tells of
// itself (COMMAND, HELP, docs/redis-protocol.md).
//
// Included once, by command.cpp.
#pragma once

#include <array>

#include "server/command.hpp"
#include "server/commands/commands.hpp"

namespace larder::commands {

inline constexpr KeyWords kNoKeys{};
inline constexpr KeyWords kOneKey{1, 1, 1};
inline constexpr KeyWords kSecondWord{2, 2, 1};  // of a subcommand
inline constexpr KeyWords kAllKeys{1, -1, 1};
inline constexpr KeyWords kPairs{1, -1, 2};
inline constexpr std::uint32_t kAnytime = kLoading | kStale;

// A command that is only the front of its subcommands.
constexpr Command container(std::string_view name, std::uint32_t flags, std::string_view group,
                            std::string_view since, std::string_view summary,
                            std::span<const Command> subcommands) {
  return {.name = name,
          .arity = -2,
          .flags = flags,
          .keys = kNoKeys,
          .run = nullptr,
          .group = group,
          .since = since,
          .complexity = "Depends on subcommand",
          .summary = summary,
          .subcommands = subcommands};
}

inline constexpr Command kAclCommands[] = {
    {"acl|help", 2, kAnytime, kNoKeys, help, "server", "6.0.0", "O(1)", "These lines"},
    {"acl|whoami", 2, kNoScript | kAnytime, kNoKeys, acl_whoami, "server", "6.0.0", "O(1)",
     "Return the name of the user that the connection is"},
};

// What tells of other clients, or closes them, obeys admin:* by itself: without, a
// client knows of itself alone.
inline constexpr Command kClientCommands[] = {
    {"client|caching", 3, kNoScript | kAnytime, kNoKeys, client_caching, "connection", "6.0.0",
     "O(1)", "Refused: no client is told which keys changed", "<YES | NO>"},
    {"client|getname", 2, kNoScript | kAnytime, kNoKeys, client_getname, "connection", "2.6.9",
     "O(1)", "Get the connection's name"},
    {"client|getredir", 2, kNoScript | kAnytime, kNoKeys, client_getredir, "connection", "6.0.0",
     "O(1)", "-1: no client is told which keys changed"},
    {"client|help", 2, kAnytime, kNoKeys, help, "connection", "5.0.0", "O(1)", "These lines"},
    {"client|id", 2, kNoScript | kAnytime, kNoKeys, client_id, "connection", "5.0.0", "O(1)",
     "Returns the client ID for the current connection"},
    {"client|info", 2, kNoScript | kAnytime, kNoKeys, client_info, "connection", "6.2.0", "O(1)",
     "What is known of the current connection"},
    {"client|kill", -3, kNoScript | kAnytime | kUnshown, kNoKeys, client_kill, "connection",
     "2.4.0", "O(N)", "Close connections",
     "<ip:port | <ID client-id | TYPE type | USER username | ADDR ip:port | LADDR ip:port | "
     "SKIPME yes/no | MAXAGE seconds> ...>"},
    {"client|list", -2, kNoScript | kAnytime | kUnshown, kNoKeys, client_list, "connection",
     "2.4.0", "O(N)", "What is known of each connection",
     "[TYPE type | ID client-id [client-id ...]]"},
    {"client|no-evict", 3, kNoScript | kAnytime | kUnshown, kNoKeys, client_no_evict, "connection",
     "7.0.0", "O(1)", "Noted, and of no consequence: larder evicts no clients", "<ON | OFF>"},
    {"client|no-touch", 3, kNoScript | kAnytime, kNoKeys, client_no_touch, "connection", "7.2.0",
     "O(1)", "Whether reads leave no trace in what counts as used", "<ON | OFF>"},
    {"client|pause", -3, kNoScript | kAnytime | kUnshown, kNoKeys, client_pause, "connection",
     "3.0.0", "O(1)", "Refused: nothing has to stand still for a cache", "timeout [WRITE | ALL]"},
    {"client|reply", 3, kNoScript | kAnytime | kNotInMulti, kNoKeys, client_reply, "connection",
     "3.2.0", "O(1)", "Whether commands are answered: all, none, or not the next one",
     "<ON | OFF | SKIP>"},
    {"client|setinfo", 4, kNoScript | kAnytime, kNoKeys, client_setinfo, "connection", "7.2.0",
     "O(1)", "Set the client's library name or version", "<LIB-NAME name | LIB-VER version>"},
    {"client|setname", 3, kNoScript | kAnytime, kNoKeys, client_setname, "connection", "2.6.9",
     "O(1)", "Set the current connection's name", "name"},
    {"client|tracking", -3, kNoScript | kAnytime, kNoKeys, client_tracking, "connection", "6.0.0",
     "O(1)", "Refused but OFF: no client is told which keys changed", "<ON | OFF>"},
    {"client|trackinginfo", 2, kNoScript | kAnytime, kNoKeys, client_trackinginfo, "connection",
     "6.2.0", "O(1)", "That no client is told which keys changed"},
    {"client|unblock", -3, kNoScript | kAnytime | kUnshown, kNoKeys, client_unblock, "connection",
     "5.0.0", "O(1)", "0: no command blocks its client", "client-id [TIMEOUT | ERROR]"},
    {"client|unpause", 2, kNoScript | kAnytime | kUnshown, kNoKeys, client_unpause, "connection",
     "6.2.0", "O(1)", "Nothing: no client is paused"},
};

inline constexpr Command kCommandCommands[] = {
    {"command|count", 2, kAnytime, kNoKeys, command_count, "server", "2.8.13", "O(1)",
     "Get the total number of commands"},
    {"command|docs", -2, kAnytime, kNoKeys, command_docs, "server", "7.0.0", "O(N)",
     "Get documentation of commands", "[name ...]"},
    {"command|getkeys", -4, kAnytime, kNoKeys, command_getkeys, "server", "2.8.13", "O(N)",
     "Extract the keys of a command", "command [arg ...]"},
    {"command|help", 2, kAnytime, kNoKeys, help, "server", "5.0.0", "O(1)", "These lines"},
    {"command|info", -2, kAnytime, kNoKeys, command_info, "server", "2.8.13", "O(N)",
     "Get details of commands", "[name ...]"},
    {"command|list", -2, kAnytime, kNoKeys, command_list, "server", "7.0.0", "O(N)",
     "Get the names of commands", "[FILTERBY <MODULE name | ACLCAT category | PATTERN pattern>]"},
};

inline constexpr std::uint32_t kOperates = kAdmin | kNoScript | kAnytime;

inline constexpr Command kConfigCommands[] = {
    {"config|get", -3, kOperates, kNoKeys, config_get, "server", "2.0.0", "O(N)",
     "Settings by name or pattern: larder's own, and Redis's that clients ask for",
     "parameter [parameter ...]"},
    {"config|help", 2, kAnytime, kNoKeys, help, "server", "5.0.0", "O(1)", "These lines"},
    {"config|resetstat", 2, kOperates, kNoKeys, config_resetstat, "server", "2.0.0", "O(N)",
     "Let what INFO counts begin anew; /metrics goes on"},
    {"config|rewrite", 2, kOperates, kNoKeys, config_rewrite, "server", "2.8.0", "O(1)",
     "Refused: people write the file"},
    {"config|set", -4, kOperates, kNoKeys, config_set, "server", "2.0.0", "O(1)",
     "Refused: settings change in their file, and with LARDER RELOAD",
     "parameter value [parameter value ...]"},
};

inline constexpr Command kLatencyCommands[] = {
    {"latency|doctor", 2, kOperates, kNoKeys, latency_doctor, "server", "2.8.13", "O(1)",
     "In a sentence, whether commands took long"},
    {"latency|help", 2, kAnytime, kNoKeys, help, "server", "2.8.13", "O(1)", "These lines"},
    {"latency|history", 3, kOperates, kNoKeys, latency_history, "server", "2.8.13", "O(1)",
     "The slowest command of each second that had a slow one; the event is `command`", "event"},
    {"latency|latest", 2, kOperates, kNoKeys, latency_latest, "server", "2.8.13", "O(1)",
     "The latest slow command, and the slowest"},
    {"latency|reset", -2, kOperates, kNoKeys, latency_reset, "server", "2.8.13", "O(1)",
     "Forget slow commands, but for SLOWLOG's", "[event [event ...]]"},
};

inline constexpr Command kSlowlogCommands[] = {
    {"slowlog|get", -2, kOperates, kNoKeys, slowlog_get, "server", "2.2.12", "O(N)",
     "The newest commands that took long; -1: all", "[count]"},
    {"slowlog|help", 2, kAnytime, kNoKeys, help, "server", "6.2.0", "O(1)", "These lines"},
    {"slowlog|len", 2, kOperates, kNoKeys, slowlog_len, "server", "2.2.12", "O(1)",
     "How many commands SLOWLOG keeps"},
    {"slowlog|reset", 2, kOperates, kNoKeys, slowlog_reset, "server", "2.2.12", "O(N)",
     "Forget them"},
};

inline constexpr Command kLarderCommands[] = {
    {"larder|caches", 2, kAnytime, kNoKeys, larder_caches, "server", "larder", "O(N)",
     "The caches, the keys of each and where their values come from"},
    {"larder|explain", 3, kReads, kSecondWord, larder_explain, "server", "larder", "O(1)",
     "Where a key's value is, how old it is, how long it is fresh, what loading it cost", "key"},
    {"larder|help", 2, kAnytime, kNoKeys, help, "server", "larder", "O(1)", "These lines"},
    {"larder|invalidate", -4, kAlone, kNoKeys, larder_invalidate, "server", "larder", "O(N)",
     "Make the copies of keys, or of all keys of a cache, unusable from now on",
     "<KEY key [key ...] | CACHE name>"},
    {"larder|refresh", 3, kWrites | kTells, kSecondWord, larder_refresh, "server", "larder", "O(1)",
     "Load a key anew from its source: 1 when it has a value now, 0 when there is none", "key"},
    {"larder|reload", 2, kAdmin | kNoScript | kAnytime, kNoKeys, larder_reload, "server", "larder",
     "O(N)", "Take the configuration file as it is now; a bad one changes nothing"},
    {"larder|stats", -2, kAnytime, kNoKeys, larder_stats, "server", "larder", "O(N)",
     "What a cache, or each of them, has counted since the start", "[cache]"},
};

inline constexpr Command kMemoryCommands[] = {
    {"memory|help", 2, kAnytime, kNoKeys, help, "server", "4.0.0", "O(1)", "These lines"},
    {"memory|usage", -3, kReads, kSecondWord, memory_usage, "server", "4.0.0", "O(1)",
     "Bytes of memory that a copy takes: key, value and overhead", "key [SAMPLES count]"},
};

inline constexpr Command kObjectCommands[] = {
    {"object|encoding", 3, kReads, kSecondWord, object_encoding, "generic", "2.2.3", "O(1)",
     "How Redis would keep the value: int, embstr or raw", "key"},
    {"object|freq", 3, kReads, kSecondWord, object_freq, "generic", "4.0.0", "O(1)",
     "How often the copy was read of late: 0 to 3", "key"},
    {"object|help", 2, kAnytime, kNoKeys, help, "generic", "6.2.0", "O(1)", "These lines"},
    {"object|idletime", 3, kReads, kSecondWord, object_idletime, "generic", "2.2.3", "O(1)",
     "Seconds since the value was stored", "key"},
};

inline constexpr std::array kCommands = std::to_array<Command>({
    container("acl", kNoScript | kAnytime, "server", "6.0.0", "A container for access commands",
              kAclCommands),
    {"append", 3, kWrites | kTells | kDenyOom | kFast, kOneKey, append, "string", "2.0.0", "O(N)",
     "Append bytes to the value of a key", "key value"},
    {"auth", -2, kFast | kAnytime | kNoScript | kNoAuth | kAlone | kSecret, kNoKeys, auth,
     "connection", "1.0.0", "O(1)", "Say who the client is", "[username] password"},
    container("client", kNoScript | kAnytime, "connection", "2.4.0",
              "A container for client connection commands", kClientCommands),
    {.name = "command",
     .arity = -1,
     .flags = kAnytime,
     .keys = kNoKeys,
     .run = command,
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(N)",
     .summary = "Get details of all commands",
     .subcommands = kCommandCommands},
    container("config", kAnytime, "server", "2.0.0", "A container for server settings",
              kConfigCommands),
    {"dbsize", 1, kReads | kFast | kAlone, kNoKeys, dbsize, "server", "1.0.0", "O(1)",
     "Return the number of keys in memory"},
    {"decr", 2, kWrites | kTells | kDenyOom | kFast, kOneKey, decr, "string", "1.0.0", "O(1)",
     "Subtract one from the number at a key", "key"},
    {"decrby", 3, kWrites | kTells | kDenyOom | kFast, kOneKey, decrby, "string", "1.0.0", "O(1)",
     "Subtract from the number at a key", "key decrement"},
    {"del", -2, kWrites, kAllKeys, del, "generic", "1.0.0", "O(N)",
     "Drop the copies of keys; the source keeps its rows", "key [key ...]"},
    {"discard", 1, kFast | kAnytime | kNoScript | kNotQueued, kNoKeys, discard, "transactions",
     "2.0.0", "O(N)", "Forget the commands since MULTI"},
    {"echo", 2, kFast | kAnytime, kNoKeys, echo, "connection", "1.0.0", "O(1)",
     "Echo the given string", "message"},
    {"exec", 1, kAnytime | kNoScript | kNotQueued | kAlone, kNoKeys, exec, "transactions", "1.2.0",
     "O(N)", "Carry out the commands since MULTI as one step"},
    {"exists", -2, kReads | kFast | kJoins, kAllKeys, exists, "generic", "1.0.0", "O(N)",
     "How many of the keys have a value, in memory or in their source", "key [key ...]"},
    {"expire", -3, kWrites | kFast, kOneKey, expire, "generic", "1.0.0", "O(1)",
     "Set a key's time to live in seconds", "key seconds [NX | XX | GT | LT]"},
    {"expireat", -3, kWrites | kFast, kOneKey, expireat, "generic", "1.2.0", "O(1)",
     "Set when a key expires, in seconds since 1970", "key unix-time-seconds [NX | XX | GT | LT]"},
    {"expiretime", 2, kReads | kFast, kOneKey, expiretime, "generic", "7.0.0", "O(1)",
     "When a key's copy expires, in seconds since 1970", "key"},
    {"flushall", -1, kWrites | kAlone, kNoKeys, flush, "server", "1.0.0", "O(N)",
     "Drop every copy in memory", "[ASYNC | SYNC]"},
    {"flushdb", -1, kWrites | kAlone, kNoKeys, flush, "server", "1.0.0", "O(N)",
     "Drop every copy in memory", "[ASYNC | SYNC]"},
    {"get", 2, kReads | kFast | kJoins, kOneKey, get, "string", "1.0.0", "O(1)",
     "Get the value of a key", "key"},
    {"getdel", 2, kWrites | kTells | kFast, kOneKey, getdel, "string", "6.2.0", "O(1)",
     "Get the value of a key and delete it", "key"},
    {"getex", -2, kWrites | kTells | kFast, kOneKey, getex, "string", "6.2.0", "O(1)",
     "Get the value of a key and set its time to live",
     "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | "
     "PERSIST]"},
    {"getrange", 4, kReads, kOneKey, getrange, "string", "2.4.0", "O(N)",
     "Get some bytes of the value of a key", "key start end"},
    {"getset", 3, kWrites | kTells | kDenyOom | kFast, kOneKey, getset, "string", "1.0.0", "O(1)",
     "Set the value of a key and return the old one", "key value"},
    {"hello", -1, kFast | kAnytime | kNoScript | kNoAuth | kAlone | kSecret, kNoKeys, hello,
     "connection", "6.0.0", "O(1)", "Agree on the protocol with the server",
     "[protover [AUTH username password] [SETNAME clientname]]"},
    {"incr", 2, kWrites | kTells | kDenyOom | kFast, kOneKey, incr, "string", "1.0.0", "O(1)",
     "Add one to the number at a key", "key"},
    {"incrby", 3, kWrites | kTells | kDenyOom | kFast, kOneKey, incrby, "string", "1.0.0", "O(1)",
     "Add to the number at a key", "key increment"},
    {"incrbyfloat", 3, kWrites | kTells | kDenyOom | kFast, kOneKey, incrbyfloat, "string", "2.6.0",
     "O(1)", "Add to the fraction at a key", "key increment"},
    {"info", -1, kAnytime, kNoKeys, info, "server", "1.0.0", "O(1)",
     "Get information and statistics about the server", "[section [section ...]]"},
    {"keys", 2, kReads | kAlone, kNoKeys, keys, "generic", "1.0.0", "O(N)",
     "The keys in memory that fit a pattern", "pattern"},
    container("larder", kAnytime, "server", "larder", "A container for what larder tells of itself",
              kLarderCommands),
    container("latency", kAnytime, "server", "2.8.13", "A container for what took long",
              kLatencyCommands),
    container("memory", kAnytime, "server", "4.0.0", "A container for memory commands",
              kMemoryCommands),
    {"mget", -2, kReads | kFast | kJoins, kAllKeys, mget, "string", "1.0.0", "O(N)",
     "Get the values of all the given keys", "key [key ...]"},
    {"monitor", 1, kOperates | kNotInMulti, kNoKeys, monitor, "server", "1.0.0", "O(1)",
     "Show the commands of all clients as they are carried out"},
    {"mset", -3, kWrites | kDenyOom, kPairs, mset, "string", "1.0.1", "O(N)",
     "Set the values of several keys together", "key value [key value ...]"},
    {"msetnx", -3, kWrites | kDenyOom, kPairs, msetnx, "string", "1.0.1", "O(N)",
     "Set the values of several keys together, if none of them has one",
     "key value [key value ...]"},
    {"multi", 1, kFast | kAnytime | kNoScript | kNotQueued, kNoKeys, multi, "transactions", "1.2.0",
     "O(1)", "Begin a transaction: what follows waits for EXEC"},
    container("object", 0, "generic", "2.2.3", "A container for commands about how a value is kept",
              kObjectCommands),
    {"persist", 2, kWrites | kFast, kOneKey, persist, "generic", "2.2.0", "O(1)",
     "Give a key its cache's time to live again: nothing lives for ever", "key"},
    {"pexpire", -3, kWrites | kFast, kOneKey, pexpire, "generic", "2.6.0", "O(1)",
     "Set a key's time to live in milliseconds", "key milliseconds [NX | XX | GT | LT]"},
    {"pexpireat", -3, kWrites | kFast, kOneKey, pexpireat, "generic", "2.6.0", "O(1)",
     "Set when a key expires, in milliseconds since 1970",
     "key unix-time-milliseconds [NX | XX | GT | LT]"},
    {"pexpiretime", 2, kReads | kFast, kOneKey, pexpiretime, "generic", "7.0.0", "O(1)",
     "When a key's copy expires, in milliseconds since 1970", "key"},
    {"ping", -1, kFast | kAnytime, kNoKeys, ping, "connection", "1.0.0", "O(1)", "Ping the server",
     "[message]"},
    {"psetex", 4, kWrites | kDenyOom, kOneKey, psetex, "string", "2.6.0", "O(1)",
     "Set the value and the time to live of a key in milliseconds", "key milliseconds value"},
    {"pttl", 2, kReads | kFast, kOneKey, pttl, "generic", "2.6.0", "O(1)",
     "How long a key's copy in memory lives, in milliseconds", "key"},
    {"quit", -1, kFast | kAnytime | kNoScript | kNoAuth | kNotQueued, kNoKeys, quit, "connection",
     "1.0.0", "O(1)", "Close the connection"},
    {"randomkey", 1, kReads | kAlone, kNoKeys, randomkey, "generic", "1.0.0", "O(1)",
     "Some key in memory"},
    {"reset", 1, kFast | kAnytime | kNoScript | kNoAuth | kAlone | kNotQueued, kNoKeys, reset,
     "connection", "6.2.0", "O(1)", "Make the connection as it was when it began"},
    {"scan", -2, kReads | kAlone, kNoKeys, scan, "generic", "2.8.0", "O(1) a call, O(N) in all",
     "Walk over the keys in memory", "cursor [MATCH pattern] [COUNT count] [TYPE type]"},
    {"select", 2, kFast | kAnytime, kNoKeys, select, "connection", "1.0.0", "O(1)",
     "Change the database: there is only database 0", "index"},
    {"set", -3, kWrites | kDenyOom, kOneKey, set, "string", "1.0.0", "O(1)",
     "Set the value of a key",
     "key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT "
     "unix-time-milliseconds | KEEPTTL]"},
    {"setex", 4, kWrites | kDenyOom, kOneKey, setex, "string", "2.0.0", "O(1)",
     "Set the value and the time to live of a key in seconds", "key seconds value"},
    {"setnx", 3, kWrites | kDenyOom | kFast, kOneKey, setnx, "string", "1.0.0", "O(1)",
     "Set the value of a key that has none", "key value"},
    {"setrange", 4, kWrites | kDenyOom, kOneKey, setrange, "string", "2.2.0", "O(N)",
     "Overwrite some bytes of the value of a key", "key offset value"},
    container("slowlog", kAnytime, "server", "2.2.12", "A container for commands that took long",
              kSlowlogCommands),
    {"strlen", 2, kReads | kFast | kJoins, kOneKey, strlen, "string", "2.2.0", "O(1)",
     "How long the value of a key is, in bytes", "key"},
    {"substr", 4, kReads, kOneKey, getrange, "string", "1.0.0", "O(N)",
     "Get some bytes of the value of a key: an old name of GETRANGE", "key start end"},
    {"time", 1, kFast | kAnytime, kNoKeys, time, "server", "2.6.0", "O(1)",
     "The server's clock: seconds since 1970, and microseconds"},
    {"touch", -2, kReads | kFast, kAllKeys, touch, "generic", "3.2.1", "O(N)",
     "How many of the keys have a copy in memory; they count as used", "key [key ...]"},
    {"ttl", 2, kReads | kFast, kOneKey, ttl, "generic", "1.0.0", "O(1)",
     "How long a key's copy in memory lives, in seconds", "key"},
    {"type", 2, kReads | kFast | kJoins, kOneKey, type, "generic", "1.0.0", "O(1)",
     "The type of the value of a key: string, or none", "key"},
    {"unlink", -2, kWrites | kFast, kAllKeys, del, "generic", "4.0.0", "O(N)",
     "Drop the copies of keys; the source keeps its rows", "key [key ...]"},
    {"unwatch", 1, kFast | kAnytime | kNoScript, kNoKeys, unwatch, "transactions", "2.2.0", "O(1)",
     "Forget what WATCH named"},
    {"watch", -2, kReads | kFast | kAnytime | kNoScript | kNotQueued, kAllKeys, watch,
     "transactions", "2.2.0", "O(N)",
     "Let the next EXEC carry out nothing if one of the keys changes before it", "key [key ...]"},
});

}  // namespace larder::commands
