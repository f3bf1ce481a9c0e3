// What the commands of the table do. Each writes exactly one reply, now or, for
// the reads that load, later.
//
// Threads: each runs on its session's thread.
#pragma once

#include <string>

#include "server/command.hpp"

namespace larder::commands {

// connection.cpp
void client_getname(Session&, Arguments);
void client_id(Session&, Arguments);
void client_setinfo(Session&, Arguments);
void client_setname(Session&, Arguments);
void echo(Session&, Arguments);
void hello(Session&, Arguments);
void ping(Session&, Arguments);
void quit(Session&, Arguments);
void select(Session&, Arguments);

// introspection.cpp
void command(Session&, Arguments);
void command_count(Session&, Arguments);
void command_docs(Session&, Arguments);
void command_info(Session&, Arguments);
void command_list(Session&, Arguments);
void larder_help(Session&, Arguments);

// server_info.cpp
void info(Session&, Arguments);

// keyspace.cpp
void dbsize(Session&, Arguments);
void del(Session&, Arguments);
void exists(Session&, Arguments);
void flush(Session&, Arguments);
void larder_explain(Session&, Arguments);

// strings.cpp
void get(Session&, Arguments);
void mget(Session&, Arguments);
void set(Session&, Arguments);

// expiry.cpp
void expire(Session&, Arguments);
void pexpire(Session&, Arguments);
void pttl(Session&, Arguments);
void ttl(Session&, Arguments);

}  // namespace larder::commands
