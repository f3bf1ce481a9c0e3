#include <hiredis/hiredis.h>

#include <array>
#include <cstdio>
#include <stdexcept>

#include "callers.hpp"

namespace larder::bench {

struct HiredisCallers::Context {
  redisContext* connection = nullptr;
};

HiredisCallers::HiredisCallers(const test::RedisServer& server, std::string name_space,
                               std::string cache)
    : context_{std::make_unique<Context>(redisConnect("127.0.0.1", server.port()))},
      generation_key_{name_space + "/" + cache + "/generation"},
      prefix_{name_space + ":" + cache + ":"} {
  if (context_->connection == nullptr || context_->connection->err != 0) {
    throw std::runtime_error{"hiredis cannot connect"};
  }
}

HiredisCallers::~HiredisCallers() { redisFree(context_->connection); }

Cost HiredisCallers::read(const std::vector<std::string>& keys, std::size_t together, Asks asks,
                          std::chrono::milliseconds slice) {
  std::size_t next = 0;
  return measure(1, slice, [&](unsigned) {
    for (std::size_t i = 0; i < together; ++i) {
      const std::string key = prefix_ + keys[next++ % keys.size()];
      if (asks == Asks::kAll) {
        append("GET", generation_key_);
        append("PTTL", key);
      }
      append("GET", key);
    }
    for (std::size_t i = 0; i < together; ++i) {
      if (asks == Asks::kAll) {
        take_reply();
        take_reply();
      }
      take_reply();
    }
    return std::uint64_t{together};
  });
}

void HiredisCallers::append(std::string_view command, const std::string& key) {
  const std::array words{command.data(), key.data()};
  const std::array sizes{command.size(), key.size()};
  redisAppendCommandArgv(context_->connection, 2, const_cast<const char**>(words.data()),
                         sizes.data());
}

void HiredisCallers::take_reply() {
  void* reply = nullptr;
  if (redisGetReply(context_->connection, &reply) != REDIS_OK) {
    throw std::runtime_error{"hiredis lost its connection"};
  }
  if (static_cast<redisReply*>(reply)->type == REDIS_REPLY_NIL) {
    std::fprintf(stderr, "bench_shared: a hit was none\n");
  }
  freeReplyObject(reply);
}

}  // namespace larder::bench
