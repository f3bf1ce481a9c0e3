#include "simulate/policy.hpp"

#include <algorithm>
#include <array>

namespace larder::simulate {

namespace {

constexpr std::array kPolicies{
    PolicyKind{"larder", "this cache's own memory tier", make_larder},
    PolicyKind{"lru", "least recently used", make_lru},
    PolicyKind{"s3-fifo", "three FIFO queues (SOSP 2023)", make_s3fifo},
    PolicyKind{"sieve", "a queue with a hand (NSDI 2024)", make_sieve},
    PolicyKind{"w-tinylfu", "adaptive window and frequency filter (Caffeine)", make_wtinylfu},
    PolicyKind{"arc", "adaptive replacement (FAST 2003)", make_arc},
    PolicyKind{"lirs", "reuse distance, 5 % for newcomers (SIGMETRICS 2002)", make_lirs},
    PolicyKind{"belady", "the optimum, which knows the future", make_belady},
};

}  // namespace

std::span<const PolicyKind> policies() { return kPolicies; }

const PolicyKind* find_policy(std::string_view name) {
  const auto* const found = std::ranges::find(kPolicies, name, &PolicyKind::name);
  return found == kPolicies.end() ? nullptr : found;
}

}  // namespace larder::simulate
