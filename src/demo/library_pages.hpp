// Product pages through larder as a library: a Cache in this process.
//
// Threads: any, but for the page functions: each belongs to one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "demo/threaded_viewers.hpp"
#include "larder/cache.hpp"
#include "larder/runtime.hpp"

namespace larder::demo {

class LibraryPages {
 public:
  // Throws Failure when the shop cannot be read.
  explicit LibraryPages(const std::filesystem::path& shop);

  // REQUIRES: this outlives it.
  [[nodiscard]] PageFunction pages();
  // Asked of the shop since the start.
  [[nodiscard]] std::uint64_t queries() const { return cache_.stats().loads; }

 private:
  Runtime runtime_;
  Cache<std::int64_t, std::string> cache_;
};

}  // namespace larder::demo
