// A typed cache that writes behind, over a journal on disk and a source that a test can fail.
#include "larder/write_behind_cache.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <boost/describe.hpp>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>

#include "demo/temporary_directory.hpp"
#include "larder/sql.hpp"
#include "larder/sql_writer.hpp"
#include "larder/sqlite.hpp"

namespace larder {

struct Item {
  std::string name;
  double price = 0;

  friend bool operator==(const Item&, const Item&) = default;
};
BOOST_DESCRIBE_STRUCT(Item, (), (name, price))

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// What a program has for a database, and whether that is up.
class Shop {
 public:
  std::optional<Item> find(int id) {
    const std::lock_guard lock{mutex_};
    const auto row = rows_.find(id);
    return row == rows_.end() ? std::nullopt : std::optional{row->second};
  }
  Result<void> write(int id, const Item& item) {
    const std::lock_guard lock{mutex_};
    if (down_) return fail(Errc::kSourceFailed, "the shop is closed");
    if (item.price < 0) return fail(Errc::kRejected, "a price is not below zero");
    rows_[id] = item;
    written_.push_back(item.name);
    return {};
  }
  Result<bool> remove(int id) {
    const std::lock_guard lock{mutex_};
    if (down_) return fail(Errc::kSourceFailed, "the shop is closed");
    return rows_.erase(id) == 1;
  }
  void set_down(bool down) {
    const std::lock_guard lock{mutex_};
    down_ = down;
  }
  std::vector<std::string> written() {
    const std::lock_guard lock{mutex_};
    return written_;
  }

 private:
  std::mutex mutex_;
  std::map<int, Item> rows_;
  std::vector<std::string> written_;
  bool down_ = false;
};

struct ShopWriter {
  Shop* shop;

  Result<void> write(int id, const Item& item) const { return shop->write(id, item); }
  Result<bool> remove(int id) const { return shop->remove(id); }
};

class WriteBehindCacheTest : public testing::Test {
 protected:
  using Items = WriteBehindCache<int, Item>;

  void open() {
    runtime_ = std::make_unique<Runtime>(RuntimeOptions{.io_threads = 1});
    journal_ = Journal::open({.path = directory_.path() / "journal"}).value();
  }
  void make(WriteBehindOptions<int> behind = {}) {
    if (!journal_) open();
    items_ = std::make_unique<Items>(*runtime_, journal_, options(), std::move(behind));
  }
  CacheOptions<int, Item> options() {
    return {.name = "item",
            .source = [this](int id) { return shop_.find(id); },
            .writer = ShopWriter{&shop_}};
  }
  // As the end of the program would.
  void end() {
    items_.reset();
    runtime_.reset();
    journal_.reset();
  }
  void TearDown() override { end(); }

  test::TemporaryDirectory directory_;
  Shop shop_;
  std::unique_ptr<Runtime> runtime_;
  std::shared_ptr<Journal> journal_;
  std::unique_ptr<Items> items_;
};

TEST_F(WriteBehindCacheTest, APutIsReadAtOnceAndInTheSourceOnceItIsFlushed) {
  make();

  ASSERT_TRUE(items_->put(1, {"Kettle", 24.5}));
  EXPECT_EQ(items_->get(1).value(), (Item{"Kettle", 24.5}));
  ASSERT_TRUE(items_->flush());

  EXPECT_EQ(shop_.find(1), (Item{"Kettle", 24.5}));
  EXPECT_EQ(items_->write_behind_stats().flushed, 1U);
  EXPECT_EQ(items_->strategy(), Strategy::kWriteBehind);
}

TEST_F(WriteBehindCacheTest, WhileTheSourceIsDownWritesAreTakenAndRead) {
  make();
  shop_.set_down(true);

  const auto put = items_->put_many({{1, {"Pot", 9}}, {2, {"Pan", 12}}});
  ASSERT_THAT(put, testing::Each(testing::Property(&Result<void>::has_value, true)));
  ASSERT_TRUE(items_->put(1, {"Samovar", 99}));
  ASSERT_TRUE(items_->remove(2));

  EXPECT_EQ(items_->get(1).value(), (Item{"Samovar", 99}));
  EXPECT_TRUE(items_->get(2).absent());
  const auto late = items_->flush(1ms);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::kTimeout);
  EXPECT_THAT(late.error().message, HasSubstr("are not flushed yet"));
  shop_.set_down(false);
  ASSERT_TRUE(items_->flush());
  EXPECT_EQ(shop_.find(1), (Item{"Samovar", 99}));
  EXPECT_EQ(shop_.find(2), std::nullopt);
}

TEST_F(WriteBehindCacheTest, WhatIsPendingWhenTheProgramEndsIsFlushedByTheNext) {
  make();
  shop_.set_down(true);
  ASSERT_TRUE(items_->put(1, {"Kettle", 24.5}));
  end();

  open();
  EXPECT_THAT(journal_->unclaimed(), ElementsAre("item"));
  make();
  EXPECT_THAT(journal_->unclaimed(), IsEmpty());
  EXPECT_EQ(items_->get(1).value(), (Item{"Kettle", 24.5}));  // the shop does not have it
  shop_.set_down(false);
  ASSERT_TRUE(items_->flush());

  EXPECT_EQ(shop_.find(1), (Item{"Kettle", 24.5}));
}

TEST_F(WriteBehindCacheTest, ARefusedWriteIsToldAndReadsShowTheTruthAgain) {
  std::mutex mutex;
  std::vector<std::string> told;
  make({.refused = [&](int key, const Error& why) {
    const std::lock_guard lock{mutex};
    told.push_back(std::to_string(key) + ": " + why.message);
  }});
  ASSERT_TRUE(items_->put(1, {"Kettle", 24.5}));
  ASSERT_TRUE(items_->flush());

  ASSERT_TRUE(items_->put(1, {"Kettle", -1}));
  ASSERT_TRUE(items_->flush());

  EXPECT_EQ(items_->get(1).value(), (Item{"Kettle", 24.5}));
  const std::lock_guard lock{mutex};
  EXPECT_THAT(told, ElementsAre("1: a price is not below zero"));
  EXPECT_EQ(items_->write_behind_stats().dead, 1U);
}

TEST_F(WriteBehindCacheTest, WhatTheSourceMadeOfItIsReadOnceItIsFlushed) {
  open();
  auto options = this->options();
  options.writer = [this](int id, const Item& item) {
    return shop_.write(id, {item.name + " (new)", item.price});
  };
  items_ = std::make_unique<Items>(*runtime_, journal_, std::move(options));

  ASSERT_TRUE(items_->put(1, {"Kettle", 24.5}));
  ASSERT_TRUE(items_->flush());

  EXPECT_EQ(items_->get(1).value().name, "Kettle (new)");
}

TEST_F(WriteBehindCacheTest, TheAsyncFormsCompleteAsTheBlockingOnes) {
  make();
  const auto all = [](Items& items) -> boost::asio::awaitable<Result<void>> {
    const auto put = co_await items.async_put(1, Item{"Pot", 9}, boost::asio::use_awaitable);
    if (!put) co_return put;
    co_return co_await items.async_flush(boost::asio::use_awaitable);
  };

  const Result<void> done =
      boost::asio::co_spawn(runtime_->executor(), all(*items_), boost::asio::use_future).get();

  EXPECT_TRUE(done);
  EXPECT_THAT(shop_.written(), ElementsAre("Pot"));
}

TEST_F(WriteBehindCacheTest, AFlushEndsWhenTheRuntimeStopsOrItsCallerCancels) {
  make();
  shop_.set_down(true);
  ASSERT_TRUE(items_->put(1, {"Pot", 9}));
  boost::asio::cancellation_signal cancel;
  std::promise<Result<void>> cancelled;
  auto stopped = items_->async_flush(boost::asio::use_future);
  items_->async_flush(boost::asio::bind_cancellation_slot(
      cancel.slot(), [&](Result<void> outcome) { cancelled.set_value(std::move(outcome)); }));

  cancel.emit(boost::asio::cancellation_type::terminal);
  EXPECT_EQ(cancelled.get_future().get().error().code, Errc::kCancelled);
  runtime_->stop();

  EXPECT_EQ(stopped.get().error().code, Errc::kCancelled);
  EXPECT_EQ(items_->flush().error().code, Errc::kCancelled);
}

TEST_F(WriteBehindCacheTest, ABlockingFlushOnAnIoThreadIsRefused) {
  make();

  const auto outcome = boost::asio::post(runtime_->executor(),
                                         boost::asio::use_future([&] { return items_->flush(); }))
                           .get();

  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::kInvalidArgument);
}

TEST_F(WriteBehindCacheTest, WhatCannotWorkIsRefusedAtOnce) {
  open();
  const auto refusal = [&](CacheOptions<int, Item> options, WriteBehindOptions<int> behind = {}) {
    try {
      const Items items{*runtime_, journal_, std::move(options), std::move(behind)};
    } catch (const std::invalid_argument& wrong) {
      return std::string{wrong.what()};
    }
    return std::string{"it works"};
  };

  EXPECT_THAT(refusal({.name = "a"}), HasSubstr("needs a source and a writer"));
  EXPECT_THAT(refusal(options(), {.flush_batch = 0}), HasSubstr("flush_batch"));
  EXPECT_EQ(refusal(options()), "it works");
  EXPECT_THAT(refusal(options()), HasSubstr("cache \"item\": the journal keeps the writes"));
  const auto second = Journal::open({.path = directory_.path() / "journal"});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kRefused);
}

// A shop that keeps the mark of each write together with the row.
struct MarkingWriter {
  Shop* shop;
  std::vector<WriteMark>* marks;

  Result<void> write(int id, const Item& item, const WriteMark& mark) const {
    if (is_done(mark)) return {};
    auto written = shop->write(id, item);
    if (written) marks->push_back(mark);
    return written;
  }
  Result<bool> remove(int id, const WriteMark& mark) const {
    if (is_done(mark)) return true;
    auto removed = shop->remove(id);
    if (removed) marks->push_back(mark);
    return removed;
  }
  [[nodiscard]] bool is_done(const WriteMark& mark) const {
    return std::ranges::any_of(*marks, [&](const WriteMark& each) {
      return each.journal == mark.journal && each.position == mark.position;
    });
  }
};

// A crash between the shop's commit and the journal's settlement, by a copy of the journal.
TEST_F(WriteBehindCacheTest, AWriterThatKeepsMarksDoesAWriteThatIsSentTwiceOnce) {
  std::vector<WriteMark> marks;
  const auto make_marking = [&] {
    open();
    auto options = this->options();
    options.writer = MarkingWriter{&shop_, &marks};
    items_ = std::make_unique<Items>(*runtime_, journal_, std::move(options));
  };
  const auto journal = directory_.path() / "journal";
  const auto before = directory_.path() / "before";
  make_marking();
  shop_.set_down(true);
  ASSERT_TRUE(items_->put(1, {"Pot", 9}));
  ASSERT_TRUE(items_->put(2, {"Pan", 12}));
  ASSERT_TRUE(items_->remove(2));
  std::filesystem::copy(journal, before);
  shop_.set_down(false);
  ASSERT_TRUE(items_->flush());
  ASSERT_THAT(shop_.written(), ElementsAre("Pot"));
  end();
  std::filesystem::remove_all(journal);
  std::filesystem::rename(before, journal);

  make_marking();
  ASSERT_TRUE(items_->flush());

  EXPECT_EQ(items_->write_behind_stats().flushed, 3U);
  EXPECT_THAT(shop_.written(), ElementsAre("Pot"));
  ASSERT_EQ(marks.size(), 2U);
  EXPECT_FALSE(marks[0].journal.empty());
  EXPECT_EQ(marks[0].journal, marks[1].journal);
  ASSERT_TRUE(items_->put(3, {"Cup", 2}));
  ASSERT_TRUE(items_->flush());
  EXPECT_GT(marks.back().position, std::max(marks[0].position, marks[1].position));
}

TEST_F(WriteBehindCacheTest, AFunctionMayTakeMarksTooAndWithoutAJournalThereIsNone) {
  open();
  std::vector<std::string> journals;
  const auto keep = [&](int, const Item&, const WriteMark& mark) {
    journals.push_back(mark.journal);
  };
  auto options = this->options();
  options.writer = keep;
  {
    Cache<int, Item> through{*runtime_, options};
    ASSERT_TRUE(through.put(1, {"Pot", 9}));
  }
  items_ = std::make_unique<Items>(*runtime_, journal_, std::move(options));
  ASSERT_TRUE(items_->put(1, {"Pot", 9}));
  ASSERT_TRUE(items_->flush());

  ASSERT_EQ(journals.size(), 2U);
  EXPECT_EQ(journals[0], "");
  EXPECT_NE(journals[1], "");
}

TEST_F(WriteBehindCacheTest, ADatabaseWithATableOfMarksKeepsThoseOfAProgramToo) {
  open();
  const std::string file = directory_.path() / "shop.db";
  sqlite3* database = nullptr;
  sqlite3_open(file.c_str(), &database);
  sqlite3_exec(database,
               "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL);"
               "CREATE TABLE larder_applied (journal TEXT, position BIGINT, "
               "PRIMARY KEY (journal, position))",
               nullptr, nullptr, nullptr);
  const auto shop = sqlite(*runtime_, file);
  const SqlRead read{.one = "SELECT name, price FROM items WHERE id = :id"};
  const auto writer = sql_writer<std::int64_t, Item>(
      shop,
      {.write = "INSERT INTO items VALUES (:id, :name, :price)", .read = read, .keep_value = true});
  EXPECT_TRUE(writer->keeps_marks());
  {
    WriteBehindCache<std::int64_t, Item> items{
        *runtime_,
        journal_,
        {.name = "row", .source = sql<std::int64_t, Item>(shop, read), .writer = writer}};
    ASSERT_TRUE(items.put(1, {"Pot", 9}));
    ASSERT_TRUE(items.flush());
  }
  int marks = 0;
  const auto count = [](void* to, int, char** columns, char**) {
    *static_cast<int*>(to) = std::atoi(columns[0]);
    return 0;
  };
  sqlite3_exec(database, "SELECT count(*) FROM larder_applied", count, &marks, nullptr);
  sqlite3_close(database);
  EXPECT_EQ(marks, 1);
}

TEST_F(WriteBehindCacheTest, WhatWaitsGoesToADatabaseInOneTransaction) {
  open();
  const std::string file = directory_.path() / "shop.db";
  sqlite3* database = nullptr;
  sqlite3_open(file.c_str(), &database);
  sqlite3_exec(database, "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL)",
               nullptr, nullptr, nullptr);
  sqlite3_close(database);
  const auto shop = sqlite(*runtime_, file);
  const SqlRead read{.one = "SELECT name, price FROM items WHERE id = :id"};
  {
    WriteBehindCache<std::int64_t, Item> items{
        *runtime_,
        journal_,
        {.name = "row",
         .source = sql<std::int64_t, Item>(shop, read),
         .writer = sql_writer<std::int64_t, Item>(
             shop, {.write = "INSERT INTO items VALUES (:id, :name, :price)",
                    .read = read,
                    .keep_value = true})},
        {.flush_delay = 1h}};
    std::vector<std::pair<std::int64_t, Item>> many;
    for (int id = 1; id <= 100; ++id) many.push_back({id, {"Item " + std::to_string(id), 1.5}});
    for (const auto& put : items.put_many(std::move(many))) ASSERT_TRUE(put) << put.error().message;

    ASSERT_TRUE(items.flush());

    EXPECT_EQ(items.write_behind_stats().flushed, 100U);
    EXPECT_EQ(items.write_behind_stats().batches, 1U);
    EXPECT_EQ(items.get(42).origin(), Origin::kSource);
  }
  Cache<std::int64_t, Item> fresh{*runtime_, {.source = sql<std::int64_t, Item>(shop, read)}};
  EXPECT_EQ(fresh.get(100).value(), (Item{"Item 100", 1.5}));
}

}  // namespace
}  // namespace larder
