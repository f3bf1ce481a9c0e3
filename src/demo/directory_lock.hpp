// One demo a directory: two would pull the shop from under each other.
//
// Threads: any.
#pragma once

#include <filesystem>
#include <utility>

#include "larder/error.hpp"

namespace larder::demo {

class DirectoryLock {
 public:
  // Makes the directory if need be. kRefused when another holds it or nothing can
  // be written there. The lock ends with the object, or with the process.
  [[nodiscard]] static Result<DirectoryLock> take(const std::filesystem::path& directory);

  DirectoryLock(DirectoryLock&& other) noexcept
      : descriptor_{std::exchange(other.descriptor_, -1)} {}
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int descriptor) : descriptor_{descriptor} {}

  int descriptor_;  // -1: moved away
};

}  // namespace larder::demo
