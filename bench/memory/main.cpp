// What the memory tier costs, beside others, in one run: `./dev bench memory`.
//
// bench_memory [QUESTION…] [--short|--long]
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
    Question{"residency", "does resident memory stay near the capacity?", &answer_residency},
    Question{"overhead", "what does an entry take beside its key and value?", &answer_overhead},
    Question{"expiry", "do readers notice when a million entries expire?", &answer_expiry},
};

int usage() {
  std::fprintf(stderr, "usage: bench_memory [QUESTION…] [--short|--long]\n\n");
  for (const Question& question : kQuestions) {
    std::fprintf(stderr, "  %-10s %s\n", question.name.data(), question.asks.data());
  }
  std::fprintf(stderr,
               "\n  --short    little work, to see that it runs\n"
               "  --long     residency over ten minutes of the tier's clock\n");
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
      effort = {.keys = 20'000,
                .rounds = 3,
                .slice = std::chrono::milliseconds{5},
                .churn = std::chrono::seconds{1}};
    } else if (argument == "--long") {
      effort.churn = std::chrono::minutes{10};
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
