// One question that this benchmark answers, and how much work may go into it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace larder::bench {

struct Effort {
  std::uint64_t keys = 1'000'000;
  unsigned rounds = 25;                 // alternating; medians are taken over them
  std::chrono::milliseconds slice{60};  // of one contender in one round
  std::chrono::nanoseconds churn{std::chrono::seconds{30}};  // of one tier that fills and evicts
};

struct Question {
  std::string_view name;
  std::string_view asks;
  void (*answer)(const Effort&);
};

void answer_hit(const Effort& effort);
void answer_churn(const Effort& effort);
void answer_hot_keys(const Effort& effort);
void answer_residency(const Effort& effort);
void answer_overhead(const Effort& effort);
void answer_expiry(const Effort& effort);

}  // namespace larder::bench
