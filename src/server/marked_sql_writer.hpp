// The writer of a write-behind cache in a SQL database: each write has its mark, which the
// database keeps where it has the table for it.
//
// Threads: any, as every writer.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/key_pattern.hpp"
#include "behind/marked_writer.hpp"
#include "larder/sql_database.hpp"

namespace larder {

class MarkedSqlWriter final : public behind::MarkedWriter {
 public:
  // `journal` names the one that counts the positions, in all the world.
  MarkedSqlWriter(std::shared_ptr<SqlWriter> writer, KeyPattern pattern, std::string journal)
      : writer_{std::move(writer)}, pattern_{std::move(pattern)}, journal_{std::move(journal)} {}

  void submit(std::vector<Write<std::string, std::string>> writes,
              std::vector<behind::Position> positions, behind::Position settled_below,
              Source::Begin begin, Source::Done done) override;

 private:
  const std::shared_ptr<SqlWriter> writer_;
  const KeyPattern pattern_;
  const std::string journal_;
};

}  // namespace larder
