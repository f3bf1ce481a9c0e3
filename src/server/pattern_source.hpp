// A prepared SQL statement as the source of a cache of bytes: each key's parts,
// by the cache's pattern, are the statement's parameters. What its loads tell of
// the database is noted.
//
// Threads: any, as every source.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/key_pattern.hpp"
#include "larder/source.hpp"
#include "larder/sql_database.hpp"
#include "server/source_state.hpp"

namespace larder {

class PatternSource final : public Source<std::string, std::string> {
 public:
  PatternSource(KeyPattern pattern, std::shared_ptr<SqlReader> reader,
                std::shared_ptr<SourceState> state)
      : pattern_{std::move(pattern)}, reader_{std::move(reader)}, state_{std::move(state)} {}

  // REQUIRES: every key fits the pattern.
  void load(std::vector<std::string> keys, Done done) override {
    submit(std::move(keys), [] { return true; }, std::move(done));
  }
  void submit(std::vector<std::string> keys, Begin begin, Done done) override;
  [[nodiscard]] std::string describe() const override { return reader_->describe(); }
  [[nodiscard]] std::size_t most_keys() const override { return reader_->most_keys(); }
  [[nodiscard]] bool answers_in_parts() const override { return true; }

 private:
  const KeyPattern pattern_;
  const std::shared_ptr<SqlReader> reader_;
  const std::shared_ptr<SourceState> state_;
};

}  // namespace larder
