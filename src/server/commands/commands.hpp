// What the commands of the table do. Each writes exactly one reply, now or, for
// the reads that load, later.
//
// Threads: each runs on its session's thread.
#pragma once

#include "server/command.hpp"

namespace larder::commands {

// client.cpp
void client_getname(Session&, Arguments);
void client_id(Session&, Arguments);
void client_info(Session&, Arguments);
void client_kill(Session&, Arguments);
void client_list(Session&, Arguments);
void client_no_evict(Session&, Arguments);
void client_no_touch(Session&, Arguments);
void client_pause(Session&, Arguments);
void client_reply(Session&, Arguments);
void client_setinfo(Session&, Arguments);
void client_setname(Session&, Arguments);
void client_unblock(Session&, Arguments);
void client_unpause(Session&, Arguments);

// connection.cpp
void echo(Session&, Arguments);
void ping(Session&, Arguments);
void quit(Session&, Arguments);
void select(Session&, Arguments);

// config.cpp
void config_get(Session&, Arguments);
void config_resetstat(Session&, Arguments);
void config_rewrite(Session&, Arguments);
void config_set(Session&, Arguments);

// slow_log.cpp
void latency_doctor(Session&, Arguments);
void latency_graph(Session&, Arguments);
void latency_history(Session&, Arguments);
void latency_latest(Session&, Arguments);
void latency_reset(Session&, Arguments);
void slowlog_get(Session&, Arguments);
void slowlog_len(Session&, Arguments);
void slowlog_reset(Session&, Arguments);

// login.cpp
void acl_whoami(Session&, Arguments);
void auth(Session&, Arguments);
void hello(Session&, Arguments);
void reset(Session&, Arguments);

// introspection.cpp
void command(Session&, Arguments);
void command_count(Session&, Arguments);
void command_docs(Session&, Arguments);
void command_getkeys(Session&, Arguments);
void command_info(Session&, Arguments);
void command_list(Session&, Arguments);
void help(Session&, Arguments);  // of any container

// server_info.cpp
void info(Session&, Arguments);
void time(Session&, Arguments);

// larder.cpp
void larder_explain(Session&, Arguments);

// larder_caches.cpp
void larder_caches(Session&, Arguments);
void larder_invalidate(Session&, Arguments);
void larder_refresh(Session&, Arguments);
void larder_stats(Session&, Arguments);

// keyspace.cpp
void dbsize(Session&, Arguments);
void del(Session&, Arguments);
void exists(Session&, Arguments);
void flush(Session&, Arguments);
void touch(Session&, Arguments);
void type(Session&, Arguments);

// walk.cpp
void keys(Session&, Arguments);
void randomkey(Session&, Arguments);
void scan(Session&, Arguments);

// larder_lease.cpp
void larder_fill(Session&, Arguments);
void larder_lease(Session&, Arguments);
void larder_release(Session&, Arguments);

// larder_reload.cpp
void larder_reload(Session&, Arguments);

// latency_histogram.cpp
void latency_histogram(Session&, Arguments);

// monitor.cpp
void monitor(Session&, Arguments);

// object.cpp
void memory_usage(Session&, Arguments);
void object_encoding(Session&, Arguments);
void object_freq(Session&, Arguments);
void object_idletime(Session&, Arguments);

// strings.cpp
void get(Session&, Arguments);
void getdel(Session&, Arguments);
void getex(Session&, Arguments);
void getrange(Session&, Arguments);
void getset(Session&, Arguments);
void mget(Session&, Arguments);
void psetex(Session&, Arguments);
void set(Session&, Arguments);
void setex(Session&, Arguments);
void strlen(Session&, Arguments);

// subscription.cpp
void subscribe(Session&, Arguments);
void unsubscribe(Session&, Arguments);

// tracking.cpp
void client_caching(Session&, Arguments);
void client_getredir(Session&, Arguments);
void client_tracking(Session&, Arguments);
void client_trackinginfo(Session&, Arguments);

// transaction.cpp
void discard(Session&, Arguments);
void exec(Session&, Arguments);
void multi(Session&, Arguments);
void unwatch(Session&, Arguments);
void watch(Session&, Arguments);

// edit.cpp
void append(Session&, Arguments);
void mset(Session&, Arguments);
void msetnx(Session&, Arguments);
void setnx(Session&, Arguments);
void setrange(Session&, Arguments);

// arithmetic.cpp
void decr(Session&, Arguments);
void decrby(Session&, Arguments);
void incr(Session&, Arguments);
void incrby(Session&, Arguments);
void incrbyfloat(Session&, Arguments);

// expiry.cpp
void expire(Session&, Arguments);
void expireat(Session&, Arguments);
void expiretime(Session&, Arguments);
void persist(Session&, Arguments);
void pexpire(Session&, Arguments);
void pexpireat(Session&, Arguments);
void pexpiretime(Session&, Arguments);
void pttl(Session&, Arguments);
void ttl(Session&, Arguments);

}  // namespace larder::commands
