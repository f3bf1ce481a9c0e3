#include "larder/detail/memory/expiry_wheel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace larder::detail {
namespace {

using namespace std::chrono_literals;
using Layout = EntryLayout<std::string, std::string>;

constexpr std::size_t kMany = 1'000'000'000;  // steps

class ExpiryWheelTest : public testing::Test {
 protected:
  Ref make(TimePoint until) {
    const EntryInfo info{.filled_at = {}, .fresh_until = until, .usable_until = until};
    const Ref entry = arena_.allocate(Layout::block_size("k", "v", info));
    Layout::construct(arena_.at(entry), "k", "v", info, 0);
    return entry;
  }
  Ref add(TimePoint until) {
    const Ref entry = make(until);
    wheel_.add(entry);
    return entry;
  }
  std::set<Ref> due(TimePoint now) {
    std::set<Ref> all;
    std::size_t steps = kMany;
    while (const Ref entry = wheel_.pop_due(now, steps)) all.insert(entry);
    return all;
  }

  TimePoint now_{1h};
  Arena arena_{8 << 20};
  ExpiryWheel wheel_{arena_};
};

TEST_F(ExpiryWheelTest, FindsAnEntryFromItsMillisecondOn) {
  const Ref entry = add(now_ + 1234ms);

  EXPECT_TRUE(due(now_ + 1233ms).empty());
  EXPECT_EQ(due(now_ + 1234ms), std::set{entry});
  EXPECT_TRUE(due(now_ + 1h).empty());
}

TEST_F(ExpiryWheelTest, LeavesOutWhatNeverExpiresAndWhatWasRemoved) {
  add(TimePoint::max());
  const Ref removed = add(now_ + 1s);
  const Ref stays = add(now_ + 1s);

  wheel_.remove(removed);
  wheel_.remove(removed);  // once more does nothing

  EXPECT_EQ(due(now_ + 24h * 365 * 100), std::set{stays});
}

TEST_F(ExpiryWheelTest, FindsACopyWhereItsOriginalWas) {
  std::vector<Ref> originals;
  for (int i = 0; i < 100; ++i) originals.push_back(add(now_ + i / 10 * 700ms));  // ten a slot
  std::set<Ref> copies;

  for (const Ref original : originals) {
    const Ref copy = make(Layout{arena_.at(original)}.info().usable_until);
    wheel_.replace(original, copy);
    copies.insert(copy);
  }

  EXPECT_EQ(due(now_ + 699ms).size(), 10U);
  const std::set<Ref> later = due(now_ + 1h);
  EXPECT_EQ(later.size(), 90U);
  EXPECT_TRUE(std::ranges::includes(copies, later));
}

TEST_F(ExpiryWheelTest, ACopyOfWhatIsNotInItIsNotEither) {
  const Ref never = add(TimePoint::max());
  const Ref copy = make(TimePoint::max());

  wheel_.replace(never, copy);

  EXPECT_TRUE(due(now_ + 24h * 365 * 100).empty());
}

TEST_F(ExpiryWheelTest, FindsAtOnceWhatWasDueWhenItCame) {
  (void)due(now_);

  const Ref late = add(now_ - 10min);

  EXPECT_EQ(due(now_), std::set{late});
}

TEST_F(ExpiryWheelTest, ATimeBeforeTheLastFindsNothingAndHarmsNothing) {
  (void)due(now_);
  const Ref entry = add(now_ + 1s);

  EXPECT_TRUE(due(now_ - 1min).empty());
  EXPECT_EQ(due(now_ + 1s), std::set{entry});
}

TEST_F(ExpiryWheelTest, LooksAtNoMoreEntriesThanItIsTold) {
  for (int i = 0; i < 1000; ++i) add(now_ + 1h);  // all pass several levels on their way
  std::size_t found = 0;

  for (int call = 0; call < 1000 && found < 1000; ++call) {
    std::size_t steps = 50;
    while (wheel_.pop_due(now_ + 1h, steps) != 0) ++found;
    ASSERT_EQ(steps == 0 || found == 1000, true);
  }

  EXPECT_EQ(found, 1000U);
}

class ExpiryWheelModel : public ExpiryWheelTest, public testing::WithParamInterface<unsigned> {};

TEST_P(ExpiryWheelModel, FindsWhatASortedListFinds) {
  std::mt19937_64 random{GetParam()};
  std::map<Ref, TimePoint> model;
  const auto some = [&] {
    // From milliseconds to years, so that all levels are used.
    return std::chrono::milliseconds{random() % (std::uint64_t{1} << random() % 36)};
  };

  for (int step = 0; step < 5000; ++step) {
    const auto choice = random() % 10;
    if (choice < 6) {
      const TimePoint until = now_ + some();
      model[add(until)] = until;
    } else if (choice < 8 && !model.empty()) {
      auto chosen = model.lower_bound(static_cast<Ref>(random() % (1 << 20)));
      if (chosen == model.end()) chosen = model.begin();
      wheel_.remove(chosen->first);
      arena_.release(chosen->first);
      model.erase(chosen);
    } else {
      now_ += some() / 64;
      std::set<Ref> expected;
      for (const auto& [entry, until] : model) {
        if (until <= now_) expected.insert(entry);
      }
      ASSERT_EQ(due(now_), expected) << "at step " << step;
      for (const Ref entry : expected) {
        model.erase(entry);
        arena_.release(entry);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ExpiryWheelModel, testing::Range(1U, 6U));

}  // namespace
}  // namespace larder::detail
