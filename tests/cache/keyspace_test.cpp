#include "cache/keyspace.hpp"

#include <gmock/gmock.h>

#include <string>
#include <thread>
#include <vector>

namespace larder {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

KeyPattern pattern(std::string_view text) { return KeyPattern::parse(text).value(); }

std::vector<KeyspaceCache> caches() {
  std::vector<KeyspaceCache> all;
  all.push_back({pattern("product:{id:int}"), {.name = "product"}});
  all.push_back({pattern("tag:{name}"), {.name = "tag"}});
  return all;
}

class KeyspaceTest : public testing::Test {
 protected:
  void put(std::string_view key) { view_.route(key).value()->cache->put(key, "value"); }
  bool visit(std::string_view key) {
    return view_.visit(key, clock_.now(), [](std::string_view, const EntryInfo&) {});
  }
  [[nodiscard]] const BytesCache& cache(std::size_t index) const {
    return *view_.members()[index].cache;
  }

  ManualClock clock_;
  Runtime runtime_{{.io_threads = 1, .blocking_threads = 1, .clock = &clock_}};
  Keyspace keyspace_{runtime_, {.capacity = {4 << 20}}, caches()};
  KeyspaceView view_{keyspace_};
};

TEST_F(KeyspaceTest, AKeyBelongsToTheCacheWhosePatternItFits) {
  EXPECT_EQ(view_.route("product:42").value()->cache->name(), "product");
  EXPECT_EQ(view_.route("tag:42").value()->cache->name(), "tag");
}

TEST_F(KeyspaceTest, AKeyThatFitsNoPatternIsToldThePatterns) {
  const auto member = view_.route("user:1");

  ASSERT_FALSE(member);
  EXPECT_EQ(member.error().code, Errc::kInvalidArgument);
  EXPECT_THAT(member.error().message, AllOf(HasSubstr("\"user:1\""), HasSubstr("product:{id:int}"),
                                            HasSubstr("tag:{name}")));
}

TEST_F(KeyspaceTest, APartThatDoesNotFitItsTypeIsNamed) {
  EXPECT_THAT(view_.route("product:x").error().message,
              AllOf(HasSubstr("{id"), HasSubstr("product:{id:int}")));
}

TEST_F(KeyspaceTest, AMessageShowsNoMoreThanTheBeginningOfALongKey) {
  EXPECT_LT(view_.route(std::string(100'000, 'x')).error().message.size(), 500U);
}

TEST_F(KeyspaceTest, HitsCountForTheCacheOfTheEntry) {
  put("product:1");
  put("tag:a");

  visit("product:1");
  visit("product:1");
  visit("tag:a");
  visit("tag:b");

  EXPECT_EQ(cache(0).stats().hits, 2U);
  EXPECT_EQ(cache(1).stats().hits, 1U);
}

TEST_F(KeyspaceTest, ClearDropsEveryCachesCopies) {
  put("product:1");
  put("tag:a");

  keyspace_.clear();

  EXPECT_FALSE(visit("product:1"));
  EXPECT_FALSE(visit("tag:a"));
}

TEST_F(KeyspaceTest, TheMemoryOfExpiredEntriesComesBackByItself) {
  put("tag:a");
  ASSERT_EQ(keyspace_.tier().stats().entries, 1U);

  clock_.advance(1h);

  // Nobody touches the key: the timer, which counts real time, does.
  while (keyspace_.tier().stats().entries > 0) std::this_thread::yield();
  EXPECT_EQ(keyspace_.tier().stats().expirations, 1U);
}

}  // namespace
}  // namespace larder
