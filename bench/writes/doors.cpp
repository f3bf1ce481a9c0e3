#include "writes/doors.hpp"

#include <hiredis/hiredis.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

namespace larder {

namespace {

constexpr const char* kCache = R"toml(
[journal]
path = "journal"

[caches.product]
key      = "product:{id:int}"
source   = "shop"
read     = "SELECT id, name, price FROM products WHERE id = :id"
strategy = "write-behind"
write    = "UPDATE products SET price = :price WHERE id = :id"
)toml";

}  // namespace

SetPrice set_by_resp(std::uint16_t port) {
  const std::shared_ptr<redisContext> connection{redisConnect("127.0.0.1", port), &redisFree};
  if (!connection || connection->err != 0) throw std::runtime_error{"hiredis cannot connect"};
  return [connection](int id, int price) {
    const std::unique_ptr<void, void (*)(void*)> reply{
        redisCommand(connection.get(), "SET product:%d {\"price\":%d}", id, price),
        &freeReplyObject};
    const auto* answer = static_cast<const redisReply*>(reply.get());
    if (answer != nullptr && answer->type == REDIS_REPLY_STATUS) return;
    throw std::runtime_error{answer != nullptr ? answer->str : "the connection was lost"};
  };
}

WriteBehindDoor::WriteBehindDoor(const std::string& url) {
  larder_.emplace(directory_.path().string(), "[sources.shop]\nurl = \"" + url + "\"\n" + kCache);
}

void WriteBehindDoor::wait_until_flushed() const {
  while (metric("backlog") > 0) std::this_thread::sleep_for(std::chrono::milliseconds{5});
}

double WriteBehindDoor::written() const { return metric("flushed_total"); }
double WriteBehindDoor::transactions() const { return metric("batches_total"); }

double WriteBehindDoor::metric(const std::string& name) const {
  return larder_->metric("larder_write_behind_" + name + "{cache=\"product\"}");
}

RedisDoor::RedisDoor(const std::string& appendfsync)
    : redis_{{"--appendonly", "yes", "--appendfsync", appendfsync}} {}

}  // namespace larder
