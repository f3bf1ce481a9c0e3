// What a trace is replayed through: larder's own memory tier, and the policies
// that others use, for comparison.
//
// Threads: none. One policy replays one trace once.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "simulate/trace.hpp"

namespace larder::simulate {

class Policy {
 public:
  virtual ~Policy() = default;

  // Looks a key up, and loads it on a miss; whether it was there. An object
  // larger than the capacity is never kept.
  virtual bool access(const Access& access) = 0;
};

// What a policy is made for.
struct PolicyInput {
  std::uint64_t capacity = 0;  // in the unit of Access::bytes
  const Trace* trace = nullptr;
  Duration ttl{};  // 0: none. Only the tier heeds it
};

struct PolicyKind {
  std::string_view name;
  std::string_view meaning;
  std::unique_ptr<Policy> (*make)(const PolicyInput&);
};

// All there are; larder's comes first, the optimum last.
[[nodiscard]] std::span<const PolicyKind> policies();
// Null if there is none of that name.
[[nodiscard]] const PolicyKind* find_policy(std::string_view name);

std::unique_ptr<Policy> make_larder(const PolicyInput& input);
std::unique_ptr<Policy> make_lru(const PolicyInput& input);
std::unique_ptr<Policy> make_s3fifo(const PolicyInput& input);
std::unique_ptr<Policy> make_sieve(const PolicyInput& input);
std::unique_ptr<Policy> make_wtinylfu(const PolicyInput& input);
std::unique_ptr<Policy> make_arc(const PolicyInput& input);
std::unique_ptr<Policy> make_lirs(const PolicyInput& input);
std::unique_ptr<Policy> make_belady(const PolicyInput& input);

}  // namespace larder::simulate
