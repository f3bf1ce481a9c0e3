#include "server/reload.hpp"

#include <string_view>

namespace larder {

namespace {

constexpr std::size_t kMostBytes = 4096;  // of a list in one line

// "a, b", each after `separator`, as many as fit.
std::string joined(const std::vector<std::string>& texts, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0 && out.size() + texts[i].size() > kMostBytes) {
      return out + " and " + std::to_string(texts.size() - i) + " more";
    }
    if (i > 0) out += separator;
    out += texts[i];
  }
  return out;
}

std::string sentence_of(const CachesChange& caches) {
  std::string out;
  const auto add = [&](const std::vector<std::string>& names, std::string_view what) {
    if (names.empty()) return;
    out +=
        std::to_string(names.size()) + " " + std::string{what} + " (" + joined(names, ", ") + "), ";
  };
  add(caches.added, "added");
  add(caches.removed, "removed");
  add(caches.emptied, "changed and empty");
  add(caches.adjusted, "changed with their copies kept");
  return out + std::to_string(caches.unchanged) + " unchanged";
}

}  // namespace

std::string to_string(const ReloadOutcome& outcome) {
  if (outcome.busy) return "another reload is under way; try again";
  if (outcome.loaded()) return outcome.file + " is loaded; caches: " + sentence_of(outcome.caches);
  return "nothing was changed; mend " + outcome.file + ": " + joined(outcome.mistakes, " | ");
}

}  // namespace larder
