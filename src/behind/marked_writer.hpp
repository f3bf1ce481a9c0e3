// A writer of the source that is told of each write where it stands in the journal, so that
// the source may keep that, and not do a write twice that is sent twice.
//
// Threads: as Writer.
#pragma once

#include <string>
#include <vector>

#include "behind/pending_writes.hpp"
#include "larder/writer.hpp"

namespace larder::behind {

class MarkedWriter {
 public:
  using Source = Writer<std::string, std::string>;

  virtual ~MarkedWriter() = default;
  // Whether the source keeps that, as far as is known now.
  [[nodiscard]] virtual bool keeps_marks() const = 0;
  // As Writer::submit. positions[i] is that of writes[i]; none below `settled_below` will be
  // sent again.
  virtual void submit(std::vector<Write<std::string, std::string>> writes,
                      std::vector<Position> positions, Position settled_below, Source::Begin begin,
                      Source::Done done) = 0;
};

}  // namespace larder::behind
