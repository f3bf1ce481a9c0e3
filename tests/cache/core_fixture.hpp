// A CacheCore on a clock that stands still, over a source that a test answers.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "hand_source.hpp"
#include "larder/detail/cache_load.hpp"

namespace larder::testing {

class CoreFixture : public ::testing::Test {
 protected:
  using Core = detail::CacheCore<int, std::string>;
  using Text = Answer<std::string>;

  // What a reader has got so far, key by key.
  struct Reader {
    Core::CallPtr call;
    std::map<std::size_t, Text> answers;

    [[nodiscard]] bool waits() const { return answers.empty(); }
    [[nodiscard]] const Text& answer() const { return answers.at(0); }
  };
  using ReaderPtr = std::shared_ptr<Reader>;

  // Loads that a test leaves open hold the core, which holds the source.
  void TearDown() override { source_->drop_all(); }

  void make(LoadLimits limits = {}, Duration negative_ttl = std::chrono::seconds{5}) {
    core_ = std::make_shared<Core>(detail::CacheParts<int, std::string>{
        .name = "product",
        .strategy = Strategy::kReadThrough,
        .tier = std::make_shared<MemoryTier<int, std::string>>(MemoryOptions{}),
        .space = 0,
        .source = source_,
        .gate = std::make_shared<LoadGate>(limits),
        .freshness = {.ttl = std::chrono::seconds{60}, .jitter = 0, .negative_ttl = negative_ttl},
        .shared = shared_,
        .memory_ttl = memory_ttl_,
        .clock = &clock_,
        .timers = {std::shared_ptr<void>{}, &timers_},
        .seed = 1,
    });
  }

  ReaderPtr read_many(const std::vector<int>& keys, ReadOptions options = {}) {
    auto reader = std::make_shared<Reader>();
    readers_.push_back(reader);
    reader->call = Core::call(keys.size(), [seen = reader.get()](std::size_t index, Text answer) {
      ASSERT_TRUE(seen->answers.emplace(index, std::move(answer)).second) << "answered twice";
    });
    core_->fetch(reader->call, keys, options);
    return reader;
  }
  ReaderPtr read(int key, ReadOptions options = {}) { return read_many({key}, options); }

  std::vector<ReaderPtr> readers_;  // all of them, since loads may outlive the test's interest
  ManualClock clock_;
  HandTimers timers_{clock_};
  std::shared_ptr<HandSource> source_ = std::make_shared<HandSource>();
  // Of the cores that make() makes from then on; without copies: none.
  SharedWith<int, std::string> shared_;
  std::optional<Duration> memory_ttl_;
  std::shared_ptr<Core> core_;
};

}  // namespace larder::testing
