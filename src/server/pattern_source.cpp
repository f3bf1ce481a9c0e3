#include "server/pattern_source.hpp"

namespace larder {

void PatternSource::load(std::vector<std::string> keys, Done done) {
  std::vector<SqlParameters> parameters(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    std::string problem;
    if (pattern_.match(keys[i], &parameters[i], &problem) == KeyPattern::Match::kYes) continue;
    // Whoever routed the key here did not ask the same pattern.
    const Error error{Errc::kInternal, "key \"" + keys[i] + "\" does not fit " + pattern_.text()};
    return done(std::vector<Loaded<std::string>>(keys.size(), std::unexpected{error}));
  }
  reader_->load(std::move(parameters), std::move(done));
}

}  // namespace larder
