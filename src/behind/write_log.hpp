// What write-behind needs of the journal: where its writes are kept until the source has
// them.
//
// Threads: any, concurrently; nothing here blocks its caller.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "behind/pending_writes.hpp"
#include "larder/error.hpp"

namespace larder::behind {

class WriteLog {
 public:
  using Appended = std::move_only_function<void(Result<Position>)>;

  virtual ~WriteLog() = default;

  // Keeps a write, no value: a removal. `done` is called exactly once, from any thread,
  // perhaps before this returns: once it is as durable as was asked for, in the order of the
  // positions of one key; or why it is not.
  virtual void append(std::string key, std::optional<std::string> value, Appended done) = 0;
  // The source has these writes; they are not needed any more.
  virtual void settle(std::vector<Position> positions) = 0;
  // The source refuses this one for good; it goes to the dead letters.
  virtual void bury(Position position, const Error& why) = 0;
  // Those below are settled or dead, and the disk has that too: none of them comes back.
  [[nodiscard]] virtual Position settled_below() const { return 0; }
};

}  // namespace larder::behind
