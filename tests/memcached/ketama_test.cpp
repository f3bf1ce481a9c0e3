#include "memcached/ketama.hpp"

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <vector>

namespace larder::memcached {
namespace {

const std::vector<std::string> kThree{"10.0.0.1", "10.0.0.2", "10.0.0.3:11212"};

// Places that libmemcached 1.1.4 gives, with MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED.
TEST(Ketama, PutsKeysWhereOthersDo) {
  const Ketama ring{kThree};

  std::string places;
  for (int i = 0; i < 32; ++i) {
    places += std::to_string(ring.server_of("product:" + std::to_string(i)));
  }

  EXPECT_EQ(places, "12112211022012021200111012111100");
}

TEST(Ketama, SpreadsKeysEvenly) {
  const Ketama ring{kThree};

  std::vector<int> count(3);
  for (int i = 0; i < 30'000; ++i) ++count[ring.server_of("key" + std::to_string(i))];

  for (const int each : count) EXPECT_NEAR(each, 10'000, 2'000);
}

TEST(Ketama, AServerMoreMovesItsOwnShareAlone) {
  const Ketama before{kThree};
  std::vector<std::string> four = kThree;
  four.emplace_back("10.0.0.4");
  const Ketama after{four};

  int moved = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string key = "key" + std::to_string(i);
    if (before.server_of(key) == after.server_of(key)) continue;
    ++moved;
    EXPECT_EQ(after.server_of(key), 3U) << "a key moved between servers that stayed";
  }

  EXPECT_NEAR(moved, 2'500, 700);
}

TEST(Ketama, TheOrderOfTheServersDoesNotMatter) {
  const Ketama one{kThree};
  const std::vector<std::string> turned{kThree[2], kThree[0], kThree[1]};
  const Ketama other{turned};

  for (int i = 0; i < 1'000; ++i) {
    const std::string key = "key" + std::to_string(i);
    EXPECT_EQ(kThree[one.server_of(key)], turned[other.server_of(key)]);
  }
}

TEST(Ketama, OneServerHasEverything) {
  const std::vector<std::string> alone{"cache"};
  const Ketama ring{alone};

  EXPECT_EQ(ring.server_of("a"), 0U);
  EXPECT_EQ(ring.server_of(""), 0U);
}

}  // namespace
}  // namespace larder::memcached
