#include "cache/keyspace.hpp"

#include <gmock/gmock.h>

#include <memory>
#include <span>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "hand_copies.hpp"
#include "hand_vouch.hpp"
#include "server/hand_source.hpp"

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

class KeyspaceTest : public ::testing::Test {
 protected:
  void put(std::string_view key) { (void)view_.route(key).value()->cache->put(key, "value"); }
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

// ---- What memory holds is served while somebody vouches for it. ----

TEST(KeyspaceVouch, ABatchThatBeginsBehindItFindsNothing) {
  using testing::HandCopies;
  using testing::HandVouch;
  ManualClock clock;
  Runtime runtime{{.io_threads = 1, .blocking_threads = 1, .clock = &clock}};
  const auto copies = std::make_shared<HandCopies>();
  const auto vouch = std::make_shared<HandVouch>();
  copies->vouch_ = vouch;
  auto source = std::make_shared<test::HandSource>();
  std::vector<KeyspaceCache> all;
  for (const char* text : {"product:{id:int}", "review:{id:int}"}) {
    all.push_back(
        {pattern(text), {.source = source, .shared = std::shared_ptr<SharedCopies>{copies}}});
  }
  all.push_back({pattern("tag:{name}"), {.name = "tag"}});
  Keyspace keyspace{runtime, {.capacity = {4 << 20}}, std::move(all)};
  KeyspaceView view{keyspace};
  vouch->drop = [&] {
    for (std::size_t i = 0; i < 2; ++i) keyspace.tier().clear(view.members()[i].cache->space());
  };
  for (const char* key : {"product:1", "tag:a"}) {
    const auto& cache = *view.route(key).value()->cache;
    EntryInfo info{.filled_at = clock.now(),
                   .fresh_until = clock.now() + 1h,
                   .usable_until = clock.now() + 1h};
    info.space = cache.space();
    keyspace.tier().put(key, "value", info, clock.now());
  }
  const auto has = [&](std::string_view key) {
    return view.visit(key, clock.now(), [](std::string_view, const EntryInfo&) {});
  };
  vouch->until(clock.now() + 2s);

  clock.advance(2s);
  view.refresh(clock.now());
  EXPECT_TRUE(has("product:1"));
  clock.advance(1ms);
  view.refresh(clock.now());

  EXPECT_FALSE(has("product:1"));
  EXPECT_TRUE(has("tag:a")) << "a cache that is not shared";
  EXPECT_EQ(vouch->lapses, 1) << "one for all caches of a tier";
  source->forget();
}

// ---- Replacing the caches. ----

class KeyspaceReplaceTest : public KeyspaceTest {
 public:
  KeyspaceReplaceTest() {
    put("product:1");
    put("tag:a");
  }
  ~KeyspaceReplaceTest() override { source_->forget(); }

  KeyspaceCache loading() {
    return {pattern("product:{id:int}"), {.name = "product", .source = source_, .jitter = 0}};
  }
  void replace(std::vector<Keyspace::Member> members) {
    std::ignore = keyspace_.replace(std::move(members));
    view_.refresh();
  }
  [[nodiscard]] Keyspace::Member member(std::size_t index) const {
    return keyspace_.members()->at(index);
  }

  std::shared_ptr<test::HandSource> source_ = std::make_shared<test::HandSource>();
};

TEST_F(KeyspaceReplaceTest, ACacheThatStaysKeepsItsCopiesAndItsCounts) {
  visit("tag:a");

  replace({member(1)});

  EXPECT_TRUE(visit("tag:a"));
  EXPECT_EQ(cache(0).stats().hits, 2U);
}

TEST_F(KeyspaceReplaceTest, ACacheThatGoesTakesItsCopiesAlong) {
  replace({member(1)});

  EXPECT_FALSE(visit("product:1"));
  EXPECT_FALSE(view_.route("product:1"));
  EXPECT_EQ(keyspace_.tier().stats().entries, 1U);
}

TEST_F(KeyspaceReplaceTest, ACacheThatComesBackStartsEmpty) {
  replace({member(1)});
  replace({member(0), keyspace_.make(std::move(caches()[0]))});

  EXPECT_FALSE(visit("product:1"));
  put("product:1");
  EXPECT_TRUE(visit("product:1"));
  EXPECT_EQ(cache(1).stats().hits, 1U);
}

TEST_F(KeyspaceReplaceTest, ASuccessorGoesOnWithTheCopies) {
  const Keyspace::Member before = member(0);

  replace({keyspace_.make({pattern("product:{id:int}"), {.name = "product", .ttl = 7s}},
                          before.cache.get()),
           member(1)});

  EXPECT_TRUE(visit("product:1"));
  EXPECT_EQ(cache(0).freshness().ttl, Duration{7s});
  EXPECT_EQ(cache(0).stats().hits, 1U);
}

TEST_F(KeyspaceReplaceTest, ALoadUnderWayAnswersAndFillsNothing) {
  replace({keyspace_.make(loading()), member(1)});
  std::string got;
  const std::string key = "product:7";
  member(0).cache->fetch(
      std::span{&key, 1}, {},
      [&got](std::size_t, const Answer<std::string>& answer) { got = answer.value(); });

  replace({keyspace_.make(loading(), member(0).cache.get()), member(1)});
  source_->succeed(0);

  EXPECT_EQ(got, "<product:7>");
  EXPECT_FALSE(visit("product:7"));
  EXPECT_EQ(keyspace_.tier().stats().entries, 1U);
}

TEST_F(KeyspaceReplaceTest, AReaderWithAnOldTableIsAnsweredByIt) {
  KeyspaceView slow{keyspace_};
  const Keyspace::Member* const gone = slow.route("product:1").value();

  replace({member(1)});

  EXPECT_EQ(gone->cache->name(), "product");
  EXPECT_FALSE(slow.visit("product:1", clock_.now(), [](std::string_view, const EntryInfo&) {}));
}

TEST_F(KeyspaceReplaceTest, ATableThatIsOlderThanAnEntryDoesNotShowIt) {
  KeyspaceView slow{keyspace_};
  replace({member(0), member(1), keyspace_.make({pattern("user:{id}"), {.name = "user"}})});

  put("user:1");

  EXPECT_TRUE(visit("user:1"));
  EXPECT_FALSE(slow.visit("user:1", clock_.now(), [](std::string_view, const EntryInfo&) {}));
}

TEST_F(KeyspaceReplaceTest, SpacesAreNeverUsedTwice) {
  replace({member(0)});

  const Keyspace::Member after = keyspace_.make(std::move(caches()[1]));

  EXPECT_EQ(after.cache->space(), 2);
}

}  // namespace
}  // namespace larder
