// What the memory tier costs, beside others, in one run: `./dev bench memory`.
//
// bench_memory [QUESTION…] [--short]
#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "question.hpp"

namespace larder::bench {
namespace {

constexpr std::array kQuestions{
    Question{"hit", "what does a hit cost?", &answer_hit},
    Question{"churn", "what does read-through cost when a tenth fits?", &answer_churn},
    Question{"hot", "do writes to hot keys hold their readers up?", &answer_hot_keys},
};

int usage() {
  std::fprintf(stderr, "usage: bench_memory [QUESTION…] [--short]\n\n");
  for (const Question& question : kQuestions) {
    std::fprintf(stderr, "  %-10s %s\n", question.name.data(), question.asks.data());
  }
  std::fprintf(stderr, "\n  --short    little work, to see that it runs\n");
  return 2;
}

int run(const std::vector<std::string_view>& arguments) {
  Effort effort;
  std::vector<const Question*> asked;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    const auto* const question = std::ranges::find(kQuestions, argument, &Question::name);
    if (question != kQuestions.end()) {
      asked.push_back(question);
    } else if (argument == "--short") {
      effort = {.keys = 20'000, .rounds = 3, .slice = std::chrono::milliseconds{5}};
    } else {
      return usage();
    }
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
