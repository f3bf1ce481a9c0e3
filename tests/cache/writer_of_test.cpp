// What a user may give for a writer, on a real runtime.
#include <gtest/gtest.h>

#include <boost/asio.hpp>
#include <latch>
#include <map>
#include <mutex>
#include <thread>

#include "larder/cache.hpp"

namespace larder {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using Texts = Cache<int, std::string>;

// A table of texts, which puts a mark of its own behind what it is given.
class Table {
 public:
  std::optional<std::string> find(int key) const {
    const std::lock_guard lock{mutex_};
    const auto row = rows_.find(key);
    return row == rows_.end() ? std::nullopt : std::optional{row->second};
  }
  std::string store(int key, const std::string& value) {
    const std::lock_guard lock{mutex_};
    return rows_[key] = value + "!";
  }
  bool erase(int key) {
    const std::lock_guard lock{mutex_};
    return rows_.erase(key) == 1;
  }

 private:
  mutable std::mutex mutex_;
  std::map<int, std::string> rows_;
};

// A writer object over it.
struct TableWriter {
  Table* table;

  std::string write(int key, const std::string& value) const { return table->store(key, value); }
  bool remove(int key) const { return table->erase(key); }
  [[nodiscard]] std::string describe() const { return "the table"; }
};

class WriterOfTest : public ::testing::Test {
 protected:
  template <class W>
  CacheOptions<int, std::string> options(W writer) {
    return {.name = "text",
            .source = [this](int key) { return table_.find(key); },
            .writer = std::move(writer)};
  }

  Table table_;
  Runtime runtime_;
};

TEST_F(WriterOfTest, AFunctionIsAWriter) {
  Texts texts{runtime_,
              options([&](int key, const std::string& value) { return table_.store(key, value); })};
  EXPECT_EQ(texts.strategy(), Strategy::kWriteThrough);

  ASSERT_TRUE(texts.put(1, "kettle"));

  EXPECT_EQ(texts.get(1).value(), "kettle!");
  EXPECT_EQ(texts.get(1).origin(), Origin::kMemory);
  EXPECT_EQ(texts.stats().loads, 0U);
}

TEST_F(WriterOfTest, AFunctionThatReturnsNothingLeavesTheNextReadToAsk) {
  Texts texts{runtime_,
              options([&](int key, const std::string& value) { table_.store(key, value); })};

  ASSERT_TRUE(texts.put(1, "kettle"));

  EXPECT_EQ(texts.get(1).value(), "kettle!");
  EXPECT_EQ(texts.get(1).origin(), Origin::kMemory);
  EXPECT_EQ(texts.stats().loads, 1U);
}

TEST_F(WriterOfTest, AFunctionMayAnswerAResult) {
  Texts texts{runtime_, options([&](int, const std::string&) -> Result<std::string> {
                return fail(Errc::kRejected, "UNIQUE constraint failed: text.name");
              })};

  const auto refused = texts.put(1, "kettle");

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "UNIQUE constraint failed: text.name");
  EXPECT_TRUE(texts.get(1).absent());
}

TEST_F(WriterOfTest, AnExceptionSaysThatNothingWasWritten) {
  Texts texts{runtime_,
              options([&](int, const std::string&) { throw std::runtime_error{"out of ink"}; })};

  const auto refused = texts.put(1, "kettle");

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(),
            (Error{Errc::kSourceFailed, "cache \"text\": the writer threw: out of ink"}));
}

TEST_F(WriterOfTest, AnExceptionMaySayThatNobodyKnows) {
  Texts texts{runtime_, options([&](int, const std::string&) {
                throw Failure{{Errc::kOutcomeUnknown, "the line went dead"}};
              })};

  EXPECT_EQ(texts.put(1, "kettle").error().code, Errc::kOutcomeUnknown);
}

TEST_F(WriterOfTest, AnObjectWritesAndRemoves) {
  Texts texts{runtime_, options(TableWriter{&table_})};
  EXPECT_EQ(texts.describe_writer(), "the table");
  ASSERT_TRUE(texts.put(1, "kettle"));

  EXPECT_EQ(texts.remove(1), true);

  EXPECT_TRUE(texts.get(1).absent());
  EXPECT_FALSE(table_.find(1));
  EXPECT_EQ(texts.remove(1), false);
}

TEST_F(WriterOfTest, AFunctionRemovesNothing) {
  Texts texts{runtime_,
              options([&](int key, const std::string& value) { return table_.store(key, value); })};

  EXPECT_EQ(texts.remove(1).error().code, Errc::kRefused);
}

TEST_F(WriterOfTest, ManyArePutEachForItself) {
  Texts texts{runtime_, options([&](int key, const std::string& value) -> Result<std::string> {
                if (value.empty()) return fail(Errc::kRejected, "it is empty");
                return table_.store(key, value);
              })};

  const auto results = texts.put_many({{1, "a"}, {2, ""}, {3, "c"}});

  ASSERT_EQ(results.size(), 3U);
  EXPECT_TRUE(results[0]);
  EXPECT_EQ(results[1].error().message, "it is empty");
  EXPECT_EQ(texts.peek(3).value(), "c!");
  EXPECT_TRUE(texts.put_many({}).empty());
}

TEST_F(WriterOfTest, EveryWriteTakesACompletionToken) {
  Texts texts{runtime_, options(TableWriter{&table_})};

  EXPECT_TRUE(texts.async_put(1, "a", asio::use_future).get());
  EXPECT_TRUE(texts.async_put(1, "b", WriteOptions{.ttl = 1min}, asio::use_future).get());
  EXPECT_EQ(texts.async_put_many({{2, "c"}, {3, "d"}}, asio::use_future).get().size(), 2U);
  EXPECT_EQ(texts.async_remove(2, asio::use_future).get(), true);
  EXPECT_EQ(texts.peek(1).value(), "b!");
  auto awaited = asio::co_spawn(
      runtime_.executor(),
      [&]() -> asio::awaitable<bool> {
        const auto put = co_await texts.async_put(4, "e");
        co_return put.has_value();
      },
      asio::use_future);
  EXPECT_TRUE(awaited.get());
}

TEST_F(WriterOfTest, ABlockingPutOnAnIoThreadIsRefused) {
  Texts texts{runtime_, options(TableWriter{&table_})};
  std::promise<Result<void>> result;

  asio::post(runtime_.executor(), [&] { result.set_value(texts.put(1, "a")); });

  EXPECT_EQ(result.get_future().get().error().code, Errc::kInvalidArgument);
  EXPECT_FALSE(table_.find(1)) << "nothing was written";
}

TEST_F(WriterOfTest, ACallersTimeoutDoesNotEndTheWrite) {
  std::latch go_on{1};
  Texts texts{runtime_, options([&](int key, const std::string& value) {
                go_on.wait();
                return table_.store(key, value);
              })};

  const auto hasty = texts.put(1, "kettle", {.timeout = 1ms});
  go_on.count_down();

  EXPECT_EQ(hasty.error().code, Errc::kTimeout);
  EXPECT_EQ(texts.async_put(2, "pot", asio::use_future).get().has_value(), true);
  runtime_.stop();
  EXPECT_EQ(table_.find(1), "kettle!");
}

TEST_F(WriterOfTest, OptionsThatCannotWorkAreRefused) {
  const auto refused = [&](CacheOptions<int, std::string> options) {
    EXPECT_THROW((Texts{runtime_, std::move(options)}), std::invalid_argument);
  };

  refused({.writer = TableWriter{&table_}});  // no source
  auto no_writer = options(TableWriter{&table_});
  no_writer.writer = {};
  no_writer.strategy = Strategy::kWriteThrough;
  refused(std::move(no_writer));
  auto other_strategy = options(TableWriter{&table_});
  other_strategy.strategy = Strategy::kReadThrough;
  refused(std::move(other_strategy));
  auto no_time = options(TableWriter{&table_});
  no_time.unknown_write = 0s;
  refused(std::move(no_time));
}

// Each thread owns a key, writes it and reads it back: it never sees an older value than the
// one that it wrote last, whatever the others read and invalidate meanwhile.
TEST_F(WriterOfTest, EachWriterReadsItsOwnWritesAmongOthers) {
  constexpr int kWriters = 4;
  constexpr int kRounds = 300;
  Texts texts{runtime_, options(TableWriter{&table_})};
  std::atomic<bool> over{false};
  std::jthread disturber{[&] {
    for (int i = 0; !over.load(); ++i) {
      (void)texts.get(i % kWriters, {.force = i % 3 == 0});
      if (i % 7 == 0) texts.invalidate(i % kWriters);
    }
  }};

  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> writers;
    for (int key = 0; key < kWriters; ++key) {
      writers.emplace_back([&, key] {
        for (int round = 0; round < kRounds; ++round) {
          const std::string value = std::to_string(round);
          if (!texts.put(key, value)) ++wrong;
          if (texts.get(key).value() != value + "!") ++wrong;
        }
      });
    }
  }
  over = true;

  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace larder
