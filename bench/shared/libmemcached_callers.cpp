#include <libmemcached/memcached.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "callers.hpp"

namespace larder::bench {

struct LibmemcachedCallers::Context {
  memcached_st* client = memcached_create(nullptr);
};

LibmemcachedCallers::LibmemcachedCallers(const test::MemcachedServer& server,
                                         const std::string& name_space, const std::string& cache)
    : context_{std::make_unique<Context>()}, prefix_{name_space + ":" + cache + ":"} {
  memcached_behavior_set(context_->client, MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
  if (memcached_server_add(context_->client, "127.0.0.1", server.port()) != MEMCACHED_SUCCESS) {
    throw std::runtime_error{"libmemcached does not take the server"};
  }
}

LibmemcachedCallers::~LibmemcachedCallers() { memcached_free(context_->client); }

Cost LibmemcachedCallers::read(const std::vector<std::string>& keys, std::size_t together,
                               std::chrono::milliseconds slice) {
  std::size_t next = 0;
  return measure(1, slice, [&](unsigned) {
    if (together == 1) {
      get(prefix_ + keys[next++ % keys.size()]);
      return std::uint64_t{1};
    }
    std::vector<std::string> wanted;
    for (std::size_t i = 0; i < together; ++i) {
      wanted.push_back(prefix_ + keys[next++ % keys.size()]);
    }
    get_all(wanted);
    return std::uint64_t{together};
  });
}

void LibmemcachedCallers::get(const std::string& key) {
  std::size_t size = 0;
  std::uint32_t flags = 0;
  memcached_return_t outcome = MEMCACHED_SUCCESS;
  char* const value =
      memcached_get(context_->client, key.data(), key.size(), &size, &flags, &outcome);
  if (value == nullptr) std::fprintf(stderr, "bench_shared: a hit was none\n");
  std::free(value);
}

void LibmemcachedCallers::get_all(const std::vector<std::string>& keys) {
  std::vector<const char*> words;
  std::vector<std::size_t> sizes;
  for (const std::string& key : keys) {
    words.push_back(key.data());
    sizes.push_back(key.size());
  }
  if (memcached_mget(context_->client, words.data(), sizes.data(), words.size()) !=
      MEMCACHED_SUCCESS) {
    throw std::runtime_error{"libmemcached lost its connection"};
  }
  std::size_t found = 0;
  memcached_result_st result;
  memcached_result_create(context_->client, &result);
  memcached_return_t outcome = MEMCACHED_SUCCESS;
  while (memcached_fetch_result(context_->client, &result, &outcome) != nullptr) ++found;
  memcached_result_free(&result);
  if (found != keys.size()) std::fprintf(stderr, "bench_shared: a hit was none\n");
}

}  // namespace larder::bench
