// Two or more tiers over one real Redis, standing for as many processes.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "larder/runtime.hpp"
#include "larder/shared_copies.hpp"
#include "larder/thread_annotations.hpp"
#include "redis/redis_server.hpp"
#include "shared/redis_tier.hpp"

namespace larder::shared {

using namespace std::chrono_literals;
using test::RedisServer;
using Kind = SharedAnswer::Kind;

inline constexpr std::uint64_t kFingerprint = 7;

// Collects the answers of one read.
class Answered {
 public:
  explicit Answered(std::size_t count) : answers_(count), owed_{count} {}

  void take(SharedCopies::Answers answers) {
    const MutexLock lock{mutex_};
    for (auto& [index, answer] : answers) {
      EXPECT_FALSE(answers_[index].has_value()) << "one answer a key";
      answers_[index] = std::move(answer);
      --owed_;
    }
    news_.notify_all();
  }
  std::vector<SharedAnswer> wait() {
    const MutexLock lock{mutex_};
    while (owed_ > 0) news_.wait(mutex_);
    std::vector<SharedAnswer> all;
    for (auto& answer : answers_) all.push_back(*answer);
    return all;
  }
  bool done() {
    const MutexLock lock{mutex_};
    return owed_ == 0;
  }

 private:
  Mutex mutex_;
  Condition news_;
  std::vector<std::optional<SharedAnswer>> answers_ LARDER_GUARDED_BY(mutex_);
  std::size_t owed_ LARDER_GUARDED_BY(mutex_);
};

// Writes down what others invalidate: keys, and "*" for all.
class Heard final : public SharedListener {
 public:
  void invalidated(std::string_view key) override { add(std::string{key}); }
  void cleared() override { add("*"); }

  // Waits for the count-th.
  std::string word(std::size_t count = 1) {
    const MutexLock lock{mutex_};
    while (words_.size() < count) news_.wait(mutex_);
    return words_[count - 1];
  }
  std::size_t size() {
    const MutexLock lock{mutex_};
    return words_.size();
  }

 private:
  void add(std::string word) {
    const MutexLock lock{mutex_};
    words_.push_back(std::move(word));
    news_.notify_all();
  }

  Mutex mutex_;
  Condition news_;
  std::vector<std::string> words_ LARDER_GUARDED_BY(mutex_);
};

inline void set_url(RedisTierOptions& options, const std::string& url) {
  options.url = redis::parse_redis_url(url).value();
}
template <class TierType>
std::shared_ptr<TierType> started(Result<std::shared_ptr<TierType>> tier) {
  return std::move(tier).value();
}
template <class TierType>
std::shared_ptr<TierType> started(std::shared_ptr<TierType> tier) {
  return tier;
}

// One larder process's sight of the tier, which is a RedisTier, a RoutedTier or a PoolTier.
template <class TierType, class Options = RedisTierOptions>
class ProcessOver {
 public:
  // `fingerprint` is of its statement.
  explicit ProcessOver(const RedisServer& server, Options options = {},
                       std::uint64_t fingerprint = kFingerprint)
      : ProcessOver{server.url(), std::move(options), fingerprint} {}
  explicit ProcessOver(const std::string& url, Options options = {},
                       std::uint64_t fingerprint = kFingerprint) {
    set_url(options, url);
    options.tell = [this](bool there, const std::string& sentence) { tell(there, sentence); };
    tier_ = started<TierType>(TierType::start(runtime_, std::move(options)));
    copies_ = tier_->copies("product", fingerprint);
  }
  // Ends as a killed one does: what it holds is left as it is.
  ~ProcessOver() { tier_->close(); }
  ProcessOver(const ProcessOver&) = delete;
  ProcessOver& operator=(const ProcessOver&) = delete;

  ProcessOver& ready() {
    const MutexLock lock{mutex_};
    while (!there_) news_.wait(mutex_);
    return *this;
  }
  void lost() {
    const MutexLock lock{mutex_};
    while (there_) news_.wait(mutex_);
  }
  std::vector<std::string> said() {
    const MutexLock lock{mutex_};
    return said_;
  }
  // Waits until it has said something with these words.
  void wait_to_say(std::string_view words) {
    const MutexLock lock{mutex_};
    while (times(words) == 0) news_.wait(mutex_);
  }
  // How often it has.
  std::size_t times_said(std::string_view words) {
    const MutexLock lock{mutex_};
    return times(words);
  }

  std::shared_ptr<Answered> begin(const std::vector<std::string>& keys, bool anew = false) {
    auto answered = std::make_shared<Answered>(keys.size());
    std::vector<SharedCopies::Key> wanted;
    for (const std::string& key : keys) wanted.push_back({.key = key, .anew = anew});
    copies_->read(std::move(wanted), [answered](SharedCopies::Answers answers) {
      answered->take(std::move(answers));
    });
    return answered;
  }
  SharedAnswer read(const std::string& key, bool anew = false) {
    return begin({key}, anew)->wait().front();
  }
  // What a read is answered with if it is a copy.
  std::optional<std::string> copy(const std::string& key) {
    const SharedAnswer answer = read(key);
    if (answer.lease) copies_->release(answer.lease);
    return answer.kind == Kind::kCopy ? answer.copy.bytes : std::nullopt;
  }
  // Loads it as a cache would.
  void load(const std::string& key, const std::string& value, Duration ttl = 60s) {
    const SharedAnswer answer = read(key);
    ASSERT_TRUE(answer.lease) << "somebody else has it";
    copies_->fill(answer.lease, value, ttl, 0ms);
  }

  // Ready once what it was given to tell before is told, or is known not to be.
  std::future<void> told() {
    auto told = std::make_shared<std::promise<void>>();
    copies_->once_told([told] { told->set_value(); });
    return told->get_future();
  }

  // From when it hears.
  std::shared_ptr<Heard> listen() {
    while (tier_->stats().gaps == 0) std::this_thread::yield();
    auto heard = std::make_shared<Heard>();
    copies_->listen(heard);
    return heard;
  }

  // Until its own timers call back after so long: what it had due by then has been done.
  void let_pass(Duration time) {
    std::promise<void> due;
    const auto timer = runtime_.handle().timers()->after(time, [&] { due.set_value(); });
    due.get_future().wait();
  }

  SharedCopies& copies() { return *copies_; }
  TierType& tier() { return *tier_; }

 private:
  void tell(bool there, const std::string& sentence) {
    const MutexLock lock{mutex_};
    there_ = there;
    said_.push_back(sentence);
    news_.notify_all();
  }
  std::size_t times(std::string_view words) const LARDER_REQUIRES(mutex_) {
    std::size_t count = 0;
    for (const std::string& each : said_) count += each.contains(words) ? 1 : 0;
    return count;
  }

  Mutex mutex_;
  Condition news_;
  bool there_ LARDER_GUARDED_BY(mutex_) = false;
  std::vector<std::string> said_ LARDER_GUARDED_BY(mutex_);
  Runtime runtime_{{.io_threads = 1}};
  std::shared_ptr<TierType> tier_;
  std::shared_ptr<SharedCopies> copies_;
};

using Process = ProcessOver<RedisTier>;

class RedisTierTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
    server_.emplace();
  }

  std::optional<RedisServer> server_;
};

}  // namespace larder::shared
