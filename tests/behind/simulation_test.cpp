// Random interleavings of writes, reads, flushes, refusals and lost outcomes over both parts
// of the logic, against a plain model of a table.
//
// The model keeps every state that a key's row has gone through as its writes were
// acknowledged, in order. It demands:
//   - a read shows exactly the state after the last write acknowledged before it ended;
//   - at the end the row is the one that all writes in their order make, without those that
//     were refused, however often they were sent;
//   - one key is never out twice, no batch is too large, no more are out than may be;
//   - nothing is left pending, and nothing is remembered.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "behind/flush_plan.hpp"
#include "behind/pending_writes.hpp"
#include "codec/row_merge.hpp"

namespace larder::behind {
namespace {

using namespace std::chrono_literals;
using Row = std::optional<std::string>;

constexpr FlushOptions kOptions{
    .delay = 10ms, .backoff = {.least = 50ms, .most = 1s}, .batch = 3, .at_once = 2};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : random_{seed}, coalesce_{seed % 4 != 0} {
    for (const std::string& key : keys_) table_[key] = R"({"a":0,"b":0})";
  }

  void run(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) act();
    down_ = false;
    while (writes_.size() > 0 && !testing::Test::HasFailure()) {
      now_ += 1s;
      send();
      land();
    }
    while (!reads_.empty()) end_read();
    for (const std::string& key : keys_) EXPECT_EQ(table_[key], truth(key)) << key;
  }

 private:
  struct Write {
    Row value{};
    bool poisonous = false;
  };
  struct Out {
    std::string key;
    PendingWrites::Step step;
  };
  struct Read {
    std::string key;
    PendingWrites::Read read;
    std::optional<Row> loaded{};
  };

  std::size_t pick(std::size_t below) { return random_() % below; }
  bool chance(unsigned percent) { return pick(100) < percent; }

  void act() {
    now_ += 1ms * pick(8);
    switch (pick(10)) {
      case 0:
      case 1:
      case 2: return write();
      case 3: return begin_read();
      case 4: return load();
      case 5: return end_read();
      case 6: return send();
      case 7:
      case 8: return land();
      default: down_ = chance(20);
    }
  }

  // As the statement would do it: INSERT … ON CONFLICT DO UPDATE.
  static Row laid_over(const Row& row, const Row& value) {
    if (!value) return value;
    return written_over(row ? *row : R"({"a":null,"b":null})", *value);
  }
  // Of a row that is not there yet, a read shows only what was written.
  static Row with_all_columns(const Row& seen) { return laid_over(std::nullopt, seen); }
  // What the key's row is once all its writes but the refused are there.
  Row truth(const std::string& key) {
    Row row = R"({"a":0,"b":0})";
    for (const auto& [position, write] : log_[key]) row = laid_over(row, write.value);
    return row;
  }

  void write() {
    const std::string& key = keys_[pick(keys_.size())];
    const std::string number = std::to_string(++position_);
    Write write{.poisonous = chance(5)};
    switch (pick(8)) {
      case 0: break;
      case 1: write.value = R"({"a":)" + number + "}"; break;
      case 2: write.value = R"({"b":null})"; break;
      default: write.value = R"({"a":)" + number + R"(,"b":)" + number + "}";
    }
    log_[key][position_] = write;
    if (writes_.add(key, position_, write.value, now_)) plan_.add(key, now_);
  }

  void begin_read() {
    const std::string& key = keys_[pick(keys_.size())];
    reads_.push_back({key, writes_.begin_read(key)});
  }
  void load() {
    if (reads_.empty()) return;
    Read& read = reads_[pick(reads_.size())];
    if (!read.loaded) read.loaded = table_[read.key];
  }
  void end_read() {
    if (reads_.empty()) return;
    const auto read = reads_.begin() + static_cast<std::ptrdiff_t>(pick(reads_.size()));
    const Row loaded = read->loaded ? *read->loaded : table_[read->key];
    EXPECT_EQ(with_all_columns(writes_.seen(read->key, read->read, loaded)), truth(read->key));
    if (const auto known = writes_.known(read->key, read->read)) {
      EXPECT_EQ(with_all_columns(*known), truth(read->key));
    }
    writes_.end_read(read->key, read->read);
    reads_.erase(read);
  }

  void send() {
    for (auto keys = plan_.take(now_); !keys.empty(); keys = plan_.take(now_)) {
      EXPECT_LE(keys.size(), kOptions.batch);
      std::vector<Out> batch;
      for (const std::string& key : keys) {
        EXPECT_TRUE(out_.insert(key).second) << key << " is out twice";
        batch.push_back({key, writes_.send(key)});
      }
      batches_.push_back(std::move(batch));
      EXPECT_LE(batches_.size(), kOptions.at_once);
    }
  }

  // A batch comes back: each write by itself was done, refused, failed, or done unknown.
  void land() {
    if (batches_.empty()) return;
    const auto at = batches_.begin() + static_cast<std::ptrdiff_t>(pick(batches_.size()));
    const std::vector<Out> batch = std::move(*at);
    batches_.erase(at);
    std::vector<FlushPlan::Ended> ended;
    for (const Out& out : batch) {
      out_.erase(out.key);
      ended.push_back({out.key, land(out)});
      ended.back().more = writes_.pending(out.key);
    }
    plan_.ended(std::move(ended), now_, static_cast<double>(pick(1000)) / 1000);
  }

  FlushPlan::Verdict land(const Out& out) {
    const auto logged = log_[out.key].find(out.step.position);
    if (down_ || chance(10)) {
      writes_.returned(out.key);
      // Its outcome is lost, and it may have been done all the same.
      if (chance(50) && !logged->second.poisonous) apply(out);
      return FlushPlan::Verdict::kAgain;
    }
    if (logged->second.poisonous) {
      writes_.refused(out.key);
      log_[out.key].erase(logged);
    } else {
      apply(out);
      (void)writes_.applied(out.key);
    }
    return FlushPlan::Verdict::kSettled;
  }
  void apply(const Out& out) { table_[out.key] = laid_over(table_[out.key], out.step.value); }

  std::mt19937_64 random_;
  const bool coalesce_;
  const std::vector<std::string> keys_{"k", "l", "m", "n", "o"};
  std::map<std::string, Row> table_;
  std::map<std::string, std::map<Position, Write>> log_;
  PendingWrites writes_{row_shape(coalesce_, /*whole=*/false)};
  FlushPlan plan_{kOptions};
  std::vector<std::vector<Out>> batches_;
  std::set<std::string> out_;
  std::vector<Read> reads_;
  Position position_ = 0;
  bool down_ = false;
  TimePoint now_{1h};
};

TEST(WriteBehindSimulation, ReadsSeeEveryWriteAndTheSourceGetsAllInOrder) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation{seed}.run(300);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace larder::behind
