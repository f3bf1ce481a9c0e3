// A seeded simulator: random interleavings of reads, loads, writes, failures, timeouts,
// invalidations and the passing of time, on one thread, against a plain model.
//
// The model keeps, for each key, the version that the source holds and the
// version that it held at the last acknowledged invalidation or write. A write commits,
// or is refused, before its writer answers; or its outcome is not known, and it
// commits later, in time, or never. The model demands:
//   - each key of each read gets exactly one answer;
//   - no read answers a version older than the invalidations before it began,
//     and a forced read none older than the source was when it began;
//   - a read that begins when an unknown write can no longer land sees it, if it has;
//   - no refused value is ever seen;
//   - a copy is no older than its ttl;
//   - at most one load of a key reads the source, besides doomed and hung ones;
//   - no more loads at a time than the gate admits;
//   - at the end nobody waits, and no flight or timer is left.
#include <gtest/gtest.h>

#include <random>

#include "core_fixture.hpp"

namespace larder {
namespace {

using namespace std::chrono_literals;

constexpr int kKeys = 4;
constexpr Duration kTtl = 60s;
constexpr Duration kLoadTimeout = 10s;

class Simulation : public testing::CoreFixture {
 protected:
  struct Key {
    int version = 0;         // of the source, now
    int floor = 0;           // of the source, at the last invalidation
    TimePoint doomed_at{};   // loads that began earlier fill nothing
    std::uint64_t doom = 0;  // counts invalidations, and begins and ends of writes
  };
  struct WriteUnderWay {
    int key;
    std::optional<int> version;  // that it committed
    std::shared_ptr<testing::HandWriter::Done> done;
    CallerPtr caller;
  };
  struct Unknown {  // nobody knows what became of it …
    int key;
    TimePoint until;             // … and after this nothing does any more
    std::optional<int> version;  // that it committed
  };
  struct Sight {  // what a load saw of one key
    int key;
    int version;
    std::uint64_t doom;
  };
  struct UnderWay {
    std::vector<Sight> sights;
    TimePoint began;
    testing::HandSource::Done done;
  };
  struct Expectation {
    ReaderPtr reader;
    std::vector<int> keys;
    std::vector<int> floors;
    std::size_t seen = 0;
  };

  explicit Simulation(std::uint64_t seed = 0) : random_{seed} {}

  void run(std::uint64_t seed, int steps, bool writing) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    random_.seed(seed);
    limit_ = 1 + pick(4);
    source_->most = 1 + pick(4);
    const LoadLimits limits{.concurrent = limit_, .waiting = pick(6), .timeout = kLoadTimeout};
    writing_ = writing;
    // A write's caller waits for as long as it takes: its timeouts have tests of their own.
    writes_ = {.concurrent = 1000, .timeout = 1000h};
    make(limits, pick(2) * 5s);
    for (int step = 0; step < steps && !HasFailure(); ++step) act();
    settle();
  }

 private:
  unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }
  int pick_key() { return static_cast<int>(pick(kKeys)); }

  void act() {
    switch (pick(writing_ ? 15 : 12)) {
      case 0:
      case 1:
      case 2:
      case 3: start_read(); break;
      case 4:
      case 5:
      case 6: end_load(); break;
      case 7: write_and_invalidate(pick_key()); break;
      case 8: ++keys_[pick(kKeys)].version; break;  // a write that larder is not told of
      case 9: timers_.advance(std::chrono::milliseconds{pick(4000)}); break;
      case 10: abandon(); break;
      case 11:
        if (pick(20) == 0) clear();
        break;
      case 12: start_write(pick_key()); break;
      case 13:
      case 14: go_on_writing(); break;
      default: FAIL();
    }
    notice_loads();
    end_unknown();
    check();
  }

  // The source gives each commit the next version, whatever was put.
  int commit(int key) { return ++model(key).version; }

  void start_write(int key) {
    const bool removal = pick(8) == 0;
    auto caller = removal ? remove(key) : put(key, "refused");
    for (auto& pending : writer_->pending) {
      for (const auto& write : pending.writes) ++model(write.key).doom;
      writes_under_way_.push_back(
          {.key = pending.writes.front().key,
           .version = {},
           .done = std::make_shared<testing::HandWriter::Done>(std::move(pending.done)),
           .caller = std::move(caller)});
    }
    writer_->pending.clear();
  }

  // One of the writes commits, or answers.
  void go_on_writing() {
    if (writes_under_way_.empty()) return;
    const std::size_t index = pick(static_cast<unsigned>(writes_under_way_.size()));
    WriteUnderWay& write = writes_under_way_[index];
    if (!write.version && pick(2) == 0) {
      write.version = commit(write.key);
      return;
    }
    WriteUnderWay ending = std::move(write);
    writes_under_way_.erase(writes_under_way_.begin() + static_cast<std::ptrdiff_t>(index));
    end_write(ending);
  }

  void end_write(const WriteUnderWay& write) {
    ++model(write.key).doom;
    if (pick(5) == 0) return end_unknown_write(write);
    if (!write.version) {
      (*write.done)(refusals(fail(Errc::kRejected, "as it happens")));
      return;
    }
    Stored<std::string> row{.value = {}, .told = pick(4) != 0};
    // What the writer tells is what its own transaction saw.
    if (row.told && *write.version % 7 != 3) row.value = std::to_string(*write.version);
    (*write.done)(refusals(std::move(row)));
    EXPECT_TRUE(write.caller->done());
    model(write.key).floor = std::max(model(write.key).floor, *write.version);
  }
  static std::vector<Result<Stored<std::string>>> refusals(Result<Stored<std::string>> result) {
    std::vector<Result<Stored<std::string>>> results;
    results.push_back(std::move(result));
    return results;
  }

  void end_unknown_write(const WriteUnderWay& write) {
    (*write.done)(refusals(fail(Errc::kOutcomeUnknown, "the line went dead")));
    EXPECT_EQ(write.caller->error().code, Errc::kOutcomeUnknown);
    unknown_.push_back(
        {.key = write.key, .until = clock_.now() + kUnknownWrite, .version = write.version});
  }

  // Commits of unknown writes land, and in the end they are known to have.
  void end_unknown() {
    for (Unknown& write : unknown_) {
      if (!write.version && clock_.now() < write.until && pick(300) == 0) {
        write.version = commit(write.key);
      }
      if (clock_.now() < write.until || !write.version) continue;
      model(write.key).floor = std::max(model(write.key).floor, *write.version);
    }
    std::erase_if(unknown_, [&](const Unknown& write) { return clock_.now() >= write.until; });
  }

  void start_read() {
    Expectation expected;
    ReadOptions options{.timeout = {}, .force = pick(6) == 0, .ttl = {}};
    if (pick(4) == 0) options.timeout = std::chrono::milliseconds{1 + pick(3000)};
    const unsigned count = 1 + pick(3);
    for (unsigned i = 0; i < count; ++i) {
      const int key = pick_key();
      expected.keys.push_back(key);
      expected.floors.push_back(options.force ? model(key).version : model(key).floor);
    }
    expected.reader = read_many(expected.keys, options);
    reads_.push_back(std::move(expected));
  }

  // Loads that have reached the source since the last step read it now.
  void notice_loads() {
    for (auto& pending : source_->pending) {
      UnderWay load{.sights = {}, .began = clock_.now(), .done = std::move(pending.done)};
      for (const int key : pending.keys) {
        load.sights.push_back({key, model(key).version, model(key).doom});
      }
      under_way_.push_back(std::move(load));
    }
    source_->pending.clear();
    EXPECT_LE(under_way_.size(), limit_);
    for (int key = 0; key < kKeys; ++key) EXPECT_LE(loads_reading(key), 1) << "key " << key;
  }

  int loads_reading(int key) {
    int count = 0;
    for (const UnderWay& load : under_way_) {
      if (clock_.now() - load.began >= kLoadTimeout) continue;  // given up by larder
      for (const Sight& sight : load.sights) {
        if (sight.key == key && sight.doom == model(key).doom) ++count;
      }
    }
    return count;
  }

  void end_load() {
    if (under_way_.empty()) return;
    const std::size_t index = pick(static_cast<unsigned>(under_way_.size()));
    UnderWay load = std::move(under_way_[index]);
    under_way_.erase(under_way_.begin() + static_cast<std::ptrdiff_t>(index));
    if (pick(10) == 0) return;  // dropped: its Done is destroyed uncalled
    std::vector<Loaded<std::string>> results;
    for (const Sight& sight : load.sights) {
      if (pick(5) == 0) {
        results.emplace_back(fail(Errc::kSourceFailed, "as it happens"));
      } else if (sight.version % 7 == 3) {  // such versions are deleted rows
        results.emplace_back(std::nullopt);
      } else {
        results.emplace_back(std::to_string(sight.version));
      }
    }
    load.done(std::move(results));
  }

  void write_and_invalidate(int key) {
    Key& model_key = model(key);
    ++model_key.version;
    core_->invalidate(key);
    model_key.floor = model_key.version;
    ++model_key.doom;
  }

  void clear() {
    core_->clear();
    for (Key& key : keys_) {
      key.floor = key.version;
      ++key.doom;
    }
  }

  void abandon() {
    if (reads_.empty()) return;
    core_->abandon(reads_[pick(static_cast<unsigned>(reads_.size()))].reader->call,
                   Error{Errc::kCancelled, "by chance"});
  }

  void check() {
    for (Expectation& read : reads_) {
      for (const auto& [index, answer] : read.reader->answers) check(read, index, answer);
      read.seen = read.reader->answers.size();
    }
    std::erase_if(reads_, [](const Expectation& read) { return read.seen == read.keys.size(); });
  }

  void check(const Expectation& read, std::size_t index, const Text& answer) {
    if (answer.failed()) return;
    EXPECT_LE(answer.age(), kTtl);
    const int key = read.keys[index];
    if (answer) {
      ASSERT_NE(*answer, "refused");
      EXPECT_GE(std::stoi(*answer), read.floors[index]) << "a stale answer for key " << key;
      EXPECT_NE(std::stoi(*answer) % 7, 3) << "a deleted row, key " << key;
    }
  }

  void settle() {
    while (!writes_under_way_.empty()) go_on_writing();
    for (int round = 0; round < 10'000 && !reads_.empty(); ++round) {
      end_load();
      notice_loads();
      check();
      if (under_way_.empty()) timers_.advance(1s);
      notice_loads();
    }
    EXPECT_TRUE(reads_.empty()) << reads_.size() << " readers wait for ever";
    while (!under_way_.empty()) {
      end_load();
      notice_loads();
    }
    for (int key = 0; key < kKeys; ++key) EXPECT_FALSE(core_->loading(key)) << "key " << key;
    EXPECT_EQ(core_->parts().gate->going(), 0U);
    EXPECT_EQ(core_->parts().gate->queued(), 0U);
    EXPECT_EQ(timers_.size(), 0U);
  }

  Key& model(int key) { return keys_[static_cast<std::size_t>(key)]; }

  std::mt19937_64 random_;
  std::array<Key, kKeys> keys_{};
  std::vector<UnderWay> under_way_;
  std::vector<Expectation> reads_;
  std::vector<WriteUnderWay> writes_under_way_;
  std::vector<Unknown> unknown_;
  unsigned limit_ = 1;
};

class SimulationTest : public Simulation, public ::testing::WithParamInterface<int> {};

TEST_P(SimulationTest, KeepsItsPromises) {
  run(static_cast<std::uint64_t>(GetParam()), 3000, false);
}
TEST_P(SimulationTest, KeepsThemWhenItWrites) {
  run(static_cast<std::uint64_t>(GetParam()), 3000, true);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SimulationTest, ::testing::Range(1, 41));

}  // namespace
}  // namespace larder
