// Writes that are acknowledged when they are in a journal on disk, and go to the database a
// moment later, with others.
#include <boost/describe.hpp>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "larder/larder.hpp"
#include "larder/write_behind_cache.hpp"

struct Counter {
  int visits = 0;
};
BOOST_DESCRIBE_STRUCT(Counter, (), (visits))

// What the program has for a database.
class Database {
 public:
  std::optional<Counter> find(const std::string& page) {
    const std::lock_guard lock{mutex_};
    const auto row = rows_.find(page);
    return row == rows_.end() ? std::nullopt : std::optional{row->second};
  }
  larder::Result<void> write(const std::string& page, const Counter& counter,
                             const larder::WriteMark& mark) {
    const std::lock_guard transaction{mutex_};
    if (down_) return larder::fail(larder::Errc::kSourceFailed, "the database is down");
    if (!marks_.insert({mark.journal, mark.position}).second) return {};  // it was done before
    rows_[page] = counter;
    return {};
  }
  void set_down(bool down) {
    const std::lock_guard lock{mutex_};
    down_ = down;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Counter> rows_;
  std::set<std::pair<std::string, std::int64_t>> marks_;  // of the writes that it has
  bool down_ = false;
};

int main() {
  std::string folder = std::filesystem::temp_directory_path() / "larder-example-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  Database database;
  {
    larder::Runtime runtime;
    const auto journal = larder::Journal::open({.path = folder}).value();
    larder::WriteBehindCache<std::string, Counter> counters{
        runtime,
        journal,
        {.name = "counter",
         .source = [&](const std::string& page) { return database.find(page); },
         .writer =
             [&](const std::string& page, const Counter& counter, const larder::WriteMark& mark) {
               return database.write(page, counter, mark);
             }}};

    database.set_down(true);
    for (int visits = 1; visits <= 1000; ++visits) {
      if (auto put = counters.put("/home", {visits}); !put)
        std::cout << put.error().message << '\n';
    }
    std::cout << counters.get("/home").value().visits << " visits, all on disk\n";
    std::cout << "the database has " << (database.find("/home") ? "some" : "none") << " of them\n";

    database.set_down(false);
    if (auto flushed = counters.flush(); !flushed) std::cout << flushed.error().message << '\n';
    std::cout << "the database has " << database.find("/home")->visits << '\n';
  }
  std::filesystem::remove_all(folder);
}
