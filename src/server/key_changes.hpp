// Passes on what the memory tier tells of keys that change to all in the server who have to
// know.
//
// Threads: as MemoryListener. Those whom it tells outlive it.
#pragma once

#include <optional>
#include <string_view>

#include "larder/memory_listener.hpp"
#include "server/leases.hpp"
#include "server/tracking.hpp"

namespace larder {

class KeyChanges final : public MemoryListener<std::string_view> {
 public:
  KeyChanges(Tracking& tracking, Leases& leases) : tracking_{tracking}, leases_{leases} {}

  // Hot: guarded by bench/server's SET.
  void changed(std::string_view key) override {
    tracking_.changed(key);
    leases_.changed(key);
  }
  void cleared(std::optional<Space> space) override {
    tracking_.cleared(space);
    leases_.cleared(space);
  }

 private:
  Tracking& tracking_;
  Leases& leases_;
};

}  // namespace larder
