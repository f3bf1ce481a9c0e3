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
#include "server/sole_writer.hpp"

namespace larder {

class MarkedSqlWriter final : public behind::MarkedWriter {
 public:
  // `journal` names the one that counts the positions, in all the world. Nothing is written
  // while `sole` is lost.
  MarkedSqlWriter(std::shared_ptr<SqlWriter> writer, KeyPattern pattern, std::string journal,
                  std::shared_ptr<const SoleWriter> sole)
      : writer_{std::move(writer)},
        pattern_{std::move(pattern)},
        journal_{std::move(journal)},
        sole_{std::move(sole)} {}

  [[nodiscard]] bool keeps_marks() const override { return writer_->keeps_marks(); }
  void submit(std::vector<Write<std::string, std::string>> writes,
              std::vector<behind::Position> positions, behind::Position settled_below,
              Source::Begin begin, Source::Done done) override;

 private:
  const std::shared_ptr<SqlWriter> writer_;
  const KeyPattern pattern_;
  const std::string journal_;
  const std::shared_ptr<const SoleWriter> sole_;
};

}  // namespace larder
