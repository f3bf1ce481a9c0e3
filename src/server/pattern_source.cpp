#include "server/pattern_source.hpp"

namespace larder {

namespace {

// One answered key is enough: the others' rows may be what is wrong.
void note(SourceState& state, const std::vector<Loaded<std::string>>& results) {
  const Error* failure = nullptr;
  for (const Loaded<std::string>& result : results) {
    if (result || result.error().code == Errc::kBadValue) return state.answered();
    if (result.error().code == Errc::kSourceFailed) failure = &result.error();
  }
  if (failure != nullptr) state.failed(failure->message);
}

}  // namespace

void PatternSource::submit(std::vector<std::string> keys, Begin begin, Done done) {
  std::vector<SqlParameters> parameters(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    std::string problem;
    if (pattern_.match(keys[i], &parameters[i], &problem) == KeyPattern::Match::kYes) continue;
    // Whoever routed the key here did not ask the same pattern.
    const Error error{Errc::kInternal, "key \"" + keys[i] + "\" does not fit " + pattern_.text()};
    return done(std::vector<Loaded<std::string>>(keys.size(), std::unexpected{error}));
  }
  reader_->submit(
      std::move(parameters), std::move(begin),
      [state = state_, done = std::move(done)](std::vector<Loaded<std::string>> results) mutable {
        note(*state, results);
        done(std::move(results));
      });
}

}  // namespace larder
