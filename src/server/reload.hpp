// What came of loading the configuration file anew while the server runs, and how a
// session asks for it.
//
// Threads: plain values.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace larder {

// What became of the caches, by name.
struct CachesChange {
  std::vector<std::string> added{};
  std::vector<std::string> removed{};
  std::vector<std::string> emptied{};   // changed so that their copies are of no use any more
  std::vector<std::string> adjusted{};  // changed, and go on with their copies
  std::size_t unchanged = 0;
};

struct ReloadOutcome {
  std::string file{};
  std::vector<std::string> mistakes{};  // each with its place; empty unless nothing was changed
  std::vector<std::string> warnings{};  // likewise
  bool busy = false;                    // another reload is under way: nothing was tried
  CachesChange caches{};

  [[nodiscard]] bool loaded() const { return mistakes.empty() && !busy; }
};

// Begins a reload on a thread that may wait, and calls `done` once, from any thread,
// or never when the server ends first.
using StartReload = std::function<void(std::function<void(const ReloadOutcome&)> done)>;

// One line that says all of it: "shop.toml is loaded; caches: 1 added (cart), 3 unchanged".
// At most some KiB of mistakes and names.
[[nodiscard]] std::string to_string(const ReloadOutcome& outcome);

}  // namespace larder
