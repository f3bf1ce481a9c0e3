#include "behind/write_behind.hpp"

#include <gtest/gtest.h>

#include <map>

#include "cache/hand_source.hpp"

namespace larder::behind {
namespace {

using namespace std::chrono_literals;
using Keys = std::vector<std::string>;
using Text = std::optional<std::string>;

// A log that keeps what it is given, and tells so when the test says so.
class HandLog final : public WriteLog {
 public:
  void append(std::string key, Text value, Appended done) override {
    appended.push_back({std::move(key), std::move(value), std::move(done)});
  }
  void settle(std::vector<Position> positions) override {
    settled.insert(settled.end(), positions.begin(), positions.end());
  }
  void bury(Position position, const Error& why) override { buried.emplace(position, why); }

  // The write that has waited longest is on disk.
  void keep() {
    auto done = std::move(appended.front().done);
    appended.erase(appended.begin());
    done(++last);
  }
  void refuse(Error error) {
    auto done = std::move(appended.front().done);
    appended.erase(appended.begin());
    done(std::unexpected{std::move(error)});
  }

  struct Appending {
    std::string key;
    Text value;
    Appended done;
  };
  std::vector<Appending> appended;
  std::vector<Position> settled;
  std::map<Position, Error> buried;
  Position last = 0;
};

// A writer that leaves each batch to the test.
class BatchWriter final : public Writer<std::string, std::string> {
 public:
  struct Batch {
    std::vector<Write<std::string, std::string>> writes;
    Done done;

    [[nodiscard]] Keys keys() const {
      Keys keys;
      for (const auto& write : writes) keys.push_back(write.key);
      return keys;
    }
  };

  void submit(std::vector<Write<std::string, std::string>> writes, Begin begin,
              Done done) override {
    if (begin()) batches.push_back({std::move(writes), std::move(done)});
  }
  [[nodiscard]] std::string describe() const override { return "a hand"; }
  [[nodiscard]] std::size_t most_writes() const override { return 3; }

  // Ends the batch that has been out longest.
  void end(std::vector<Result<Stored<std::string>>> results) {
    Batch batch = std::move(batches.front());
    batches.erase(batches.begin());
    batch.done(std::move(results));
  }
  void end_all_with(const Result<Stored<std::string>>& result) {
    end(std::vector<Result<Stored<std::string>>>(batches.front().writes.size(), result));
  }

  std::vector<Batch> batches;
};

// A source of rows that leaves each load to the test.
class RowSource final : public Source<std::string, std::string> {
 public:
  void load(std::vector<std::string> keys, Done done) override {
    loads.emplace_back(std::move(keys), std::move(done));
  }
  [[nodiscard]] std::string describe() const override { return "a hand"; }

  void answer(Loaded<std::string> row) {
    auto load = std::move(loads.front());
    loads.erase(loads.begin());
    load.second(std::vector<Loaded<std::string>>(load.first.size(), std::move(row)));
  }

  std::vector<std::pair<std::vector<std::string>, Done>> loads;
};

class WriteBehindTest : public ::testing::Test {
 protected:
  void SetUp() override {
    behind_ = std::make_shared<WriteBehind>(WriteBehind::Parts{
        .shape = row_shape(/*coalesce=*/true, /*whole=*/false),
        .flush = {.delay = 10ms, .backoff = {.least = 100ms, .most = 1s}, .at_once = 1},
        .log = log_,
        .writer = writer_,
        .clock = &clock_,
        .timers = {std::shared_ptr<void>{}, &timers_},
        .seed = 1,
        .report = [this](const Error* failure) { reports_.push_back(failure ? "fails" : "well"); },
    });
    behind_->on_flushed([this](const std::string& key) { changed_.push_back(key); });
    reader_ = std::make_shared<BehindSource>(rows_, behind_);
    behind_->start();
  }
  // Batches that a test leaves out hold what they are of.
  void TearDown() override {
    behind_->close();
    writer_->batches.clear();
  }

  void submit(std::string key, Text value) {
    behind_->submit(
        {{std::move(key), std::move(value)}}, [] { return true; },
        [this](auto results) {
          for (auto& result : results) outcomes_.push_back(std::move(result));
        });
  }
  void put(std::string key, std::string value) {
    submit(std::move(key), std::move(value));
    log_->keep();
  }
  void read(std::string key) {
    reader_->load({std::move(key)}, [this](auto answers) { answer_ = std::move(answers.at(0)); });
  }

  ManualClock clock_;
  larder::testing::HandTimers timers_{clock_};
  std::shared_ptr<HandLog> log_ = std::make_shared<HandLog>();
  std::shared_ptr<BatchWriter> writer_ = std::make_shared<BatchWriter>();
  std::shared_ptr<RowSource> rows_ = std::make_shared<RowSource>();
  std::shared_ptr<WriteBehind> behind_;
  std::shared_ptr<BehindSource> reader_;
  std::vector<Result<Stored<std::string>>> outcomes_;
  Keys changed_;
  std::optional<Loaded<std::string>> answer_;
  std::vector<std::string> reports_;
};

TEST_F(WriteBehindTest, IsAcknowledgedWhenTheLogHasIt) {
  submit("k", R"({"a":1})");
  EXPECT_TRUE(outcomes_.empty());

  log_->keep();

  ASSERT_EQ(outcomes_.size(), 1U);
  EXPECT_TRUE(outcomes_[0]);
  EXPECT_TRUE(writer_->batches.empty());
}

TEST_F(WriteBehindTest, WhatTheLogRefusesIsRefusedAndNotSeen) {
  submit("k", R"({"a":1})");
  log_->refuse({Errc::kOverloaded, "journal full"});

  EXPECT_EQ(outcomes_[0].error().code, Errc::kOverloaded);
  EXPECT_EQ(behind_->stats().backlog, 0U);
}

TEST_F(WriteBehindTest, GoesToTheSourceAfterTheDelayAndIsSettled) {
  put("k", R"({"a":1})");
  put("l", R"({"a":2})");
  timers_.advance(10ms);
  ASSERT_EQ(writer_->batches.size(), 1U);
  EXPECT_EQ(writer_->batches[0].keys(), (Keys{"k", "l"}));

  writer_->end_all_with(Stored<std::string>{});

  EXPECT_EQ(log_->settled, (std::vector<Position>{1, 2}));
  EXPECT_EQ(changed_, (Keys{"k", "l"}));
  EXPECT_EQ(behind_->stats().backlog, 0U);
  EXPECT_EQ(behind_->stats().flushed, 2U);
}

TEST_F(WriteBehindTest, AFullBatchGoesAtOnceAndIsNoLargerThanTheWriterTakes) {
  for (const char* key : {"a", "b", "c", "d"}) put(key, R"({"a":1})");

  ASSERT_EQ(writer_->batches.size(), 1U);
  EXPECT_EQ(writer_->batches[0].keys(), (Keys{"a", "b", "c"}));
}

TEST_F(WriteBehindTest, AReadShowsWhatIsPending) {
  put("k", R"({"a":1})");
  read("k");
  rows_->answer(R"({"a":0,"b":0})");

  EXPECT_EQ(**answer_, R"({"a":1,"b":0})");
}

TEST_F(WriteBehindTest, AReadThatBeganBeforeTheFlushShowsItToo) {
  put("k", R"({"a":1})");
  read("k");
  timers_.advance(10ms);
  writer_->end_all_with(Stored<std::string>{});

  rows_->answer(R"({"a":0})");

  EXPECT_EQ(**answer_, R"({"a":1})");
}

TEST_F(WriteBehindTest, WhileTheSourceFailsWhatIsKnownIsAnsweredAndElseTheError) {
  put("k", R"({"a":1})");
  read("k");
  rows_->answer(fail(Errc::kSourceFailed, "down"));
  EXPECT_EQ(answer_->error().message, "down");

  submit("k", std::nullopt);
  log_->keep();
  read("k");

  EXPECT_TRUE(rows_->loads.empty());
  EXPECT_EQ(**answer_, std::nullopt);
}

TEST_F(WriteBehindTest, ARefusalIsBuriedAndTheOthersGoOn) {
  put("k", R"({"a":1})");
  put("l", R"({"a":-1})");
  timers_.advance(10ms);

  writer_->end({Stored<std::string>{}, fail(Errc::kRejected, "CHECK a > 0")});

  EXPECT_EQ(log_->settled, std::vector<Position>{1});
  EXPECT_EQ(log_->buried.at(2).message, "CHECK a > 0");
  EXPECT_EQ(changed_, (Keys{"k", "l"}));
  EXPECT_EQ(behind_->stats().dead, 1U);
}

TEST_F(WriteBehindTest, WhatWasNotDoneOrIsUnknownIsSentAgainAfterARest) {
  put("k", R"({"a":1})");
  timers_.advance(10ms);
  writer_->end_all_with(fail(Errc::kOutcomeUnknown, "the line went dead"));
  EXPECT_TRUE(writer_->batches.empty());
  EXPECT_EQ(reports_, Keys{"fails"});

  timers_.advance(100ms);

  ASSERT_EQ(writer_->batches.size(), 1U);
  writer_->end_all_with(Stored<std::string>{});
  EXPECT_EQ(reports_, (Keys{"fails", "well"}));
  EXPECT_EQ(behind_->stats().retries, 1U);
}

TEST_F(WriteBehindTest, AStatementThatIsAtFaultBuriesNoWrites) {
  put("k", R"({"a":1})");
  timers_.advance(10ms);

  writer_->end_all_with(
      std::unexpected{Error{Errc::kRejected, "relation \"products\" does not exist", "42P01"}});

  EXPECT_TRUE(log_->buried.empty());
  EXPECT_EQ(behind_->stats().backlog, 1U);
}

TEST_F(WriteBehindTest, ABatchThatTheWriterDropsIsSentAgain) {
  put("k", R"({"a":1})");
  timers_.advance(10ms);
  writer_->batches.clear();

  timers_.advance(100ms);

  EXPECT_EQ(writer_->batches.size(), 1U);
}

TEST_F(WriteBehindTest, AFlushWaitsUntilNothingIsPending) {
  bool flushed = false;
  put("k", R"({"a":1})");
  behind_->flush([&] { flushed = true; });
  ASSERT_EQ(writer_->batches.size(), 1U);
  EXPECT_FALSE(flushed);

  writer_->end_all_with(Stored<std::string>{});

  EXPECT_TRUE(flushed);
}

TEST_F(WriteBehindTest, WhatIsRecoveredIsSeenAndFlushed) {
  behind_->recover("k", 7, R"({"a":7})");
  read("k");
  rows_->answer(R"({"a":0})");
  EXPECT_EQ(**answer_, R"({"a":7})");

  behind_->flush([] {});
  writer_->end_all_with(Stored<std::string>{});

  EXPECT_EQ(log_->settled, std::vector<Position>{7});
}

TEST_F(WriteBehindTest, OnceClosedNothingIsSent) {
  put("k", R"({"a":1})");
  behind_->close();
  timers_.advance(1s);

  EXPECT_TRUE(writer_->batches.empty());
  EXPECT_EQ(behind_->stats().backlog, 1U);
}

TEST_F(WriteBehindTest, TellsHowOldTheOldestIs) {
  put("k", R"({"a":1})");
  timers_.advance(5s);

  EXPECT_EQ(behind_->stats().lag, 5s);
}

}  // namespace
}  // namespace larder::behind
