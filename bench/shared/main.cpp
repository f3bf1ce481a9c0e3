// What the shared tier costs, beside hiredis and libmemcached, in one run: `./dev bench shared`.
//
// bench_shared [QUESTION…] [--short]
#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <vector>

#include "question.hpp"
#include "redis/redis_server.hpp"

namespace larder::bench {
namespace {

constexpr std::array kQuestions{
    Question{"hit", "what does a hit in the shared tier cost?", &answer_hit},
    Question{"memcached", "what does a hit in Memcached cost?", &answer_memcached},
    Question{"invalidation", "when has the last of 8 processes heard?", &answer_invalidation},
};

int usage() {
  std::fprintf(stderr, "usage: bench_shared [QUESTION…] [--short]\n\n");
  for (const Question& question : kQuestions) {
    std::fprintf(stderr, "  %-14s %s\n", question.name.data(), question.asks.data());
  }
  std::fprintf(stderr, "\n  --short        little work, to see that it runs\n");
  return 2;
}

int run(const std::vector<std::string_view>& arguments) {
  Effort effort;
  std::vector<const Question*> asked;
  for (const std::string_view argument : arguments) {
    const auto* const question = std::ranges::find(kQuestions, argument, &Question::name);
    if (question != kQuestions.end()) {
      asked.push_back(question);
    } else if (argument == "--short") {
      effort = {.rounds = 1, .slice = std::chrono::milliseconds{20}, .invalidations = 50};
    } else {
      return usage();
    }
  }
  if (!test::RedisServer::installed()) {
    std::fprintf(stderr, "bench_shared: redis-server is not installed; nothing was measured\n");
    return 0;
  }
  if (asked.empty()) {
    for (const Question& question : kQuestions) asked.push_back(&question);
  }
  for (const Question* question : asked) question->answer(effort);
  return 0;
}

}  // namespace
}  // namespace larder::bench

int main(int count, char** arguments) {
  return larder::bench::run({arguments + 1, arguments + count});
}
