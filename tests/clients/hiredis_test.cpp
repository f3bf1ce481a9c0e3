// hiredis, Debian's C client: commands and pipelines, RESP3 where the library has it
// (from 1.0), and reconnecting after a restart.
#include <gmock/gmock.h>
#include <hiredis/hiredis.h>

#include <memory>
#include <set>
#include <string>

#include "server/shop_server.hpp"

namespace larder::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Free {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
  void operator()(redisContext* context) const { redisFree(context); }
};
using Reply = std::unique_ptr<redisReply, Free>;

class Hiredis : public ::testing::Test {
 protected:
  Hiredis() { connect(); }

  void connect() {
    context_.reset(redisConnect("127.0.0.1", server_.larder().port()));
    ASSERT_NE(context_, nullptr);
    ASSERT_EQ(context_->err, 0) << context_->errstr;
  }
  template <class... Arguments>
  Reply ask(const char* format, Arguments... arguments) {
    return Reply{static_cast<redisReply*>(redisCommand(context_.get(), format, arguments...))};
  }
  static std::string text(const Reply& reply) { return {reply->str, reply->len}; }

  ShopServer server_;
  std::unique_ptr<redisContext, Free> context_;
};

TEST_F(Hiredis, ReadsAndWrites) {
  EXPECT_EQ(text(ask("GET %s", "product:7")), ShopServer::product(7));
  EXPECT_EQ(ask("GET product:5000")->type, REDIS_REPLY_NIL);
  EXPECT_EQ(text(ask("SET tag:a %b EX 100", "\0\r\n", std::size_t{3})), "OK");
  EXPECT_EQ(text(ask("GET tag:a")), std::string("\0\r\n", 3));
  EXPECT_EQ(ask("TTL tag:a")->integer, 100);
  const Reply many = ask("MGET tag:a product:8 tag:none");
  ASSERT_EQ(many->elements, 3U);
  EXPECT_EQ(many->element[1]->str, ShopServer::product(8));
  EXPECT_EQ(many->element[2]->type, REDIS_REPLY_NIL);

  const Reply refused = ask("GET product:abc");
  EXPECT_EQ(refused->type, REDIS_REPLY_ERROR);
  EXPECT_THAT(text(refused), StartsWith("ERR"));
}

TEST_F(Hiredis, Pipelines) {
  for (int id = 1; id <= 1000; ++id) redisAppendCommand(context_.get(), "GET product:%d", id);

  for (int id = 1; id <= 1000; ++id) {
    void* answer = nullptr;
    ASSERT_EQ(redisGetReply(context_.get(), &answer), REDIS_OK) << context_->errstr;
    const Reply reply{static_cast<redisReply*>(answer)};
    ASSERT_EQ(text(reply), ShopServer::product(id));
  }
}

TEST_F(Hiredis, Scans) {
  for (int i = 0; i < 100; ++i) ask("SET tag:%d x", i);

  std::set<std::string> keys;
  std::string cursor = "0";
  do {
    const Reply page = ask("SCAN %s MATCH tag:* COUNT 10", cursor.c_str());
    cursor = page->element[0]->str;
    for (std::size_t i = 0; i < page->element[1]->elements; ++i) {
      keys.insert(page->element[1]->element[i]->str);
    }
  } while (cursor != "0");

  EXPECT_EQ(keys.size(), 100U);
}

TEST_F(Hiredis, SpeaksResp3) {
#if HIREDIS_MAJOR >= 1
  const Reply hello = ask("HELLO 3");
  ASSERT_EQ(hello->type, REDIS_REPLY_MAP);
  EXPECT_EQ(ask("GET product:5000")->type, REDIS_REPLY_NIL);
  EXPECT_EQ(ask("LARDER EXPLAIN product:5000")->type, REDIS_REPLY_MAP);
#else
  GTEST_SKIP() << "this hiredis, " << HIREDIS_MAJOR << "." << HIREDIS_MINOR << ", has no RESP3";
#endif
}

TEST_F(Hiredis, ConnectsAgainAfterARestart) {
  ask("SET tag:a x");
  server_.start();

  EXPECT_EQ(ask("GET tag:a"), nullptr);
  EXPECT_THAT(context_->errstr, HasSubstr("closed"));
  connect();

  EXPECT_EQ(ask("GET tag:a")->type, REDIS_REPLY_NIL);
  EXPECT_EQ(text(ask("GET product:7")), ShopServer::product(7));
}

}  // namespace
}  // namespace larder::test
