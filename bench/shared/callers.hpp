// Callers who read keys of the shared tier, each one key after the other.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bed.hpp"
#include "memory/rounds.hpp"

namespace larder::bench {

// So many at once through larder, all on its one I/O thread. `cpu_ns` is the process's.
[[nodiscard]] Cost read_through_tier(Sight& sight, const std::vector<std::string>& keys,
                                     std::size_t callers, std::chrono::milliseconds slice);

// What hiredis asks for one hit.
enum class Asks : std::uint8_t {
  kValue,  // GET of the value: no age, no generation
  kAll,    // what larder asks as well: GET of the generation, PTTL and GET of the value
};

// hiredis: so many hits are asked for together, then all the answers are taken. One is
// its plain use, one call at a time.
class HiredisCallers {
 public:
  HiredisCallers(const test::RedisServer& server, std::string name_space, std::string cache);
  ~HiredisCallers();
  HiredisCallers(const HiredisCallers&) = delete;
  HiredisCallers& operator=(const HiredisCallers&) = delete;

  [[nodiscard]] Cost read(const std::vector<std::string>& keys, std::size_t together, Asks asks,
                          std::chrono::milliseconds slice);

 private:
  struct Context;
  void append(std::string_view command, const std::string& key);
  void take_reply();

  std::unique_ptr<Context> context_;
  std::string generation_key_;
  std::string prefix_;
};

// libmemcached: the values of so many keys together, by its get of several; one is its plain
// get. No age, no generation.
class LibmemcachedCallers {
 public:
  LibmemcachedCallers(const test::MemcachedServer& server, const std::string& name_space,
                      const std::string& cache);
  ~LibmemcachedCallers();
  LibmemcachedCallers(const LibmemcachedCallers&) = delete;
  LibmemcachedCallers& operator=(const LibmemcachedCallers&) = delete;

  [[nodiscard]] Cost read(const std::vector<std::string>& keys, std::size_t together,
                          std::chrono::milliseconds slice);

 private:
  struct Context;
  void get(const std::string& key);
  void get_all(const std::vector<std::string>& keys);

  std::unique_ptr<Context> context_;
  std::string prefix_;
};

}  // namespace larder::bench
