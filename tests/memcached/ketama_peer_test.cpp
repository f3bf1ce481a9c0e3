// Keys are where libmemcached puts them.
#include <gmock/gmock.h>
#include <libmemcached/memcached.h>

#include <memory>
#include <string>
#include <vector>

#include "memcached/ketama.hpp"
#include "memcached/memcached_url.hpp"

namespace larder::memcached {
namespace {

struct Free {
  void operator()(memcached_st* peer) const { memcached_free(peer); }
};

TEST(KetamaPeer, LibmemcachedPutsEachKeyOnTheSameServer) {
  for (const std::size_t size : {1UL, 2UL, 3UL, 7UL, 40UL}) {
    const std::unique_ptr<memcached_st, Free> peer{memcached_create(nullptr)};
    ASSERT_EQ(memcached_behavior_set(peer.get(), MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1),
              MEMCACHED_SUCCESS);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < size; ++i) {
      const Place place{.host = "10.0.0." + std::to_string(i + 1),
                        .port = static_cast<std::uint16_t>(i % 2 == 0 ? kPort : 11'300 + i)};
      ASSERT_EQ(memcached_server_add(peer.get(), place.host.c_str(), place.port),
                MEMCACHED_SUCCESS);
      names.push_back(ketama_name(place));
    }
    const Ketama ring{names};

    for (int i = 0; i < 10'000; ++i) {
      const std::string key = "larder:product:" + std::to_string(i);
      const std::uint32_t theirs = memcached_generate_hash(peer.get(), key.data(), key.size());
      ASSERT_EQ(ring.server_of(key), theirs) << key << " of " << size;
    }
  }
}

}  // namespace
}  // namespace larder::memcached
