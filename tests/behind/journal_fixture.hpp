// A journal in a folder of its own.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "behind/sqlite_journal.hpp"

namespace larder::behind {

class JournalTest : public ::testing::Test {
 protected:
  using Text = std::optional<std::string>;

  explicit JournalTest(const std::filesystem::path& in = std::filesystem::temp_directory_path()) {
    std::string name = (in / "larder_journal_XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~JournalTest() override {
    if (journal_) (void)journal_->close();
    journal_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] std::filesystem::path place() const { return folder_ / "j"; }
  void open(ByteCount limit = {1ULL << 20}) { open_at(place(), limit); }
  void open_at(const std::filesystem::path& place, ByteCount limit = {1ULL << 20}) {
    auto opened = SqliteJournal::open({.folder = place.string(), .limit = limit});
    ASSERT_TRUE(opened) << opened.error().message;
    journal_ = std::move(*opened);
    log_ = journal_->of("product", Durability::kSync);
  }
  void close() {
    log_.reset();
    ASSERT_TRUE(journal_->close());
    journal_.reset();
  }
  // As after a kill: nothing more is written.
  void leave() {
    log_.reset();
    (void)journal_->close();
    journal_.reset();
  }
  // Waits until it is told.
  static Result<Position> keep(WriteLog& log, std::string key, Text value) {
    std::promise<Result<Position>> told;
    log.append(std::move(key), std::move(value),
               [&told](Result<Position> position) { told.set_value(std::move(position)); });
    return told.get_future().get();
  }
  Position keep(std::string key, Text value) {
    const auto position = keep(*log_, std::move(key), std::move(value));
    EXPECT_TRUE(position) << position.error().message;
    return position.value_or(0);
  }
  // What a journal keeps, as "1 key=value".
  static std::vector<std::string> kept(SqliteJournal& journal) {
    std::vector<std::string> kept;
    for (const KeptWrite& write : journal.take_recovered()) {
      kept.push_back(std::to_string(write.position) + " " + write.key + "=" +
                     write.value.value_or("(gone)"));
    }
    return kept;
  }

  std::filesystem::path folder_;
  std::shared_ptr<SqliteJournal> journal_;
  std::shared_ptr<WriteLog> log_;
};

}  // namespace larder::behind
