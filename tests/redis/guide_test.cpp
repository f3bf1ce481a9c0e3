#include "redis/guide.hpp"

#include <gmock/gmock.h>

#include "larder/thread_annotations.hpp"
#include "redis/redis_server.hpp"

namespace larder::test {
namespace {

using namespace std::chrono_literals;
using redis::Guide;
using testing::HasSubstr;

// Waits for what a guide tells.
class GuideDiary final : public redis::GuideEvents {
 public:
  void guided(const redis::Topology& topology) override {
    const MutexLock lock{mutex_};
    topologies_.push_back(topology);
    news_.notify_all();
  }
  void lost_way(const Error& why) override {
    const MutexLock lock{mutex_};
    losses_.push_back(why);
    news_.notify_all();
  }
  redis::Topology topology(std::size_t count = 1) {
    const MutexLock lock{mutex_};
    while (topologies_.size() < count) news_.wait(mutex_);
    return topologies_[count - 1];
  }
  Error loss() {
    const MutexLock lock{mutex_};
    while (losses_.empty()) news_.wait(mutex_);
    return losses_.front();
  }

 private:
  Mutex mutex_;
  Condition news_;
  std::vector<redis::Topology> topologies_ LARDER_GUARDED_BY(mutex_);
  std::vector<Error> losses_ LARDER_GUARDED_BY(mutex_);
};

// A cluster of one node, which is enough to be asked.
class GuideTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
  }
  void TearDown() override {
    if (guide_) guide_->close();
  }
  void start(const std::string& url) {
    guide_ = Guide::start(runtime_, {.url = redis::parse_redis_url(url).value()}, diary_).value();
  }

  Runtime runtime_{{.io_threads = 1}};
  std::shared_ptr<GuideDiary> diary_ = std::make_shared<GuideDiary>();
  std::shared_ptr<Guide> guide_;
};

TEST_F(GuideTest, AsksTheNextWhenOneIsNotThere) {
  RedisServer node{RedisServer::node_options()};
  node.ask({"CLUSTER", "ADDSLOTSRANGE", "0", "16383"});

  start("redis+cluster://127.0.0.1:1,127.0.0.1:" + std::to_string(node.port()));

  EXPECT_TRUE(diary_->topology().front().has(1));
  EXPECT_THAT(diary_->loss().message, HasSubstr("cannot be reached"));
}

TEST_F(GuideTest, LearnsWhatHasChanged) {
  RedisServer node{RedisServer::node_options()};
  start("redis+cluster://127.0.0.1:" + std::to_string(node.port()));
  EXPECT_TRUE(diary_->topology().empty() || diary_->topology().front().slots.empty());

  node.ask({"CLUSTER", "ADDSLOTSRANGE", "0", "16383"});
  guide_->suspect();

  for (std::size_t count = 1;; ++count) {
    const auto topology = diary_->topology(count);
    if (!topology.empty() && topology.front().has(16'383)) break;
  }
}

TEST_F(GuideTest, SaysOfAServerByItselfThatItKnowsNoWay) {
  RedisServer server;

  start("redis+cluster://127.0.0.1:" + std::to_string(server.port()));

  EXPECT_THAT(diary_->loss().message, HasSubstr("does not say where the masters are"));
}

TEST_F(GuideTest, SuspicionsDoNotBecomeAStorm) {
  RedisServer node{RedisServer::node_options()};
  start("redis+cluster://127.0.0.1:" + std::to_string(node.port()));
  (void)diary_->topology();
  const auto commands = [&] {
    const std::string stats = node.ask({"INFO", "commandstats"}).text;
    const std::size_t at = stats.find("cmdstat_cluster|shards:calls=");
    return std::stoul(stats.substr(at + std::string_view{"cmdstat_cluster|shards:calls="}.size()));
  };
  const auto begun = std::chrono::steady_clock::now();
  const auto before = commands();

  for (int i = 0; i < 10'000; ++i) guide_->suspect();
  (void)diary_->topology(3);

  const auto slots = (std::chrono::steady_clock::now() - begun) / 100ms + 1;
  EXPECT_LE(commands() - before, static_cast<unsigned long>(slots + 1));
}

}  // namespace
}  // namespace larder::test
