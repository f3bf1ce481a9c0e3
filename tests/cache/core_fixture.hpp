// A CacheCore on a clock that stands still, over a source that a test answers.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "hand_source.hpp"
#include "hand_writer.hpp"
#include "larder/detail/cache_write.hpp"

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

  // What a write has come to so far, one for each of its call.
  struct Caller {
    std::map<std::size_t, Result<bool>> outcomes;

    [[nodiscard]] bool waits() const { return outcomes.empty(); }
    [[nodiscard]] bool done() const { return !waits() && outcomes.at(0).has_value(); }
    [[nodiscard]] const Error& error() const { return outcomes.at(0).error(); }
  };
  using CallerPtr = std::shared_ptr<Caller>;
  static constexpr Duration kUnknownWrite = std::chrono::seconds{30};

  // Loads and writes that a test leaves open hold the core, which holds source and writer.
  void TearDown() override {
    source_->drop_all();
    writer_->drop_all();
  }

  // A write-through core over the hands.
  void make_writing(LoadLimits writes = {}, LoadLimits limits = {},
                    Duration negative_ttl = std::chrono::seconds{5}) {
    writes_ = writes;
    writing_ = true;
    make(limits, negative_ttl);
  }

  void make(LoadLimits limits = {}, Duration negative_ttl = std::chrono::seconds{5}) {
    core_ = std::make_shared<Core>(detail::CacheParts<int, std::string>{
        .name = "product",
        .strategy = writing_ ? Strategy::kWriteThrough : Strategy::kReadThrough,
        .tier = std::make_shared<MemoryTier<int, std::string>>(MemoryOptions{}),
        .space = 0,
        .source = source_,
        .writer = writing_ ? writer_ : nullptr,
        .gate = std::make_shared<LoadGate>(limits),
        .write_gate = std::make_shared<LoadGate>(writes_),
        .unknown_write = kUnknownWrite,
        .freshness = {.ttl = std::chrono::seconds{60}, .jitter = 0, .negative_ttl = negative_ttl},
        .shared = shared_,
        .on_shared_down = on_shared_down_,
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

  CallerPtr write_all(std::vector<Write<int, std::string>> writes, WriteOptions options = {}) {
    auto caller = std::make_shared<Caller>();
    callers_.push_back(caller);
    const std::size_t count = writes.size();
    core_->write(std::make_shared<Core::WriteCall>(
                     count,
                     [seen = caller.get()](std::size_t index, Result<bool> outcome) {
                       ASSERT_TRUE(seen->outcomes.emplace(index, std::move(outcome)).second)
                           << "answered twice";
                     }),
                 std::move(writes), options);
    return caller;
  }
  CallerPtr put(int key, std::string value, WriteOptions options = {}) {
    return write_all({{key, std::move(value)}}, options);
  }
  CallerPtr remove(int key) { return write_all({{key, std::nullopt}}); }

  std::vector<CallerPtr> callers_;
  std::vector<ReaderPtr> readers_;  // all of them, since loads may outlive the test's interest
  ManualClock clock_;
  HandTimers timers_{clock_};
  std::shared_ptr<HandSource> source_ = std::make_shared<HandSource>();
  std::shared_ptr<HandWriter> writer_ = std::make_shared<HandWriter>();
  bool writing_ = false;
  LoadLimits writes_;
  // Of the cores that make() makes from then on; without copies: none.
  SharedWith<int, std::string> shared_;
  OnSharedDown on_shared_down_ = OnSharedDown::kWrite;
  std::optional<Duration> memory_ttl_;
  std::shared_ptr<Core> core_;
};

}  // namespace larder::testing
