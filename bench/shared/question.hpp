// One question that this benchmark answers, and how much work may go into it.
#pragma once

#include <chrono>
#include <string_view>

namespace larder::bench {

struct Effort {
  unsigned rounds = 9;                   // alternating; medians are taken over them
  std::chrono::milliseconds slice{200};  // of one contender in one round
  unsigned invalidations = 2'000;
};

struct Question {
  std::string_view name;
  std::string_view asks;
  void (*answer)(const Effort&);
};

void answer_hit(const Effort& effort);
void answer_memcached(const Effort& effort);
void answer_invalidation(const Effort& effort);

}  // namespace larder::bench
