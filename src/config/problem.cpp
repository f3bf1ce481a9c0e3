#include "config/problem.hpp"

#include <algorithm>

namespace larder {

std::string to_string(const Problem& problem, std::string_view file) {
  std::string out{file};
  if (problem.position.line > 0) {
    out += ":" + std::to_string(problem.position.line);
    out += ":" + std::to_string(problem.position.column);
  }
  out += problem.severity == Problem::Severity::kWarning ? ": warning: " : ": ";
  return out + problem.message;
}

bool has_mistake(const std::vector<Problem>& problems) {
  return std::ranges::any_of(problems, [](const Problem& problem) {
    return problem.severity == Problem::Severity::kMistake;
  });
}

}  // namespace larder
