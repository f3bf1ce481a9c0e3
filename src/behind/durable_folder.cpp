#include "behind/durable_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace larder::behind {

namespace {

namespace fs = std::filesystem;

std::error_code make(const fs::path& folder) {
  std::error_code problem;
  if (folder.empty() || fs::is_directory(folder, problem)) return {};
  const fs::path above = folder.parent_path();
  if (above != folder) {
    if (auto failed = make(above)) return failed;
  }
  problem.clear();
  if (!fs::create_directory(folder, problem)) return problem;
  return sync_path(above);
}

}  // namespace

std::error_code sync_path(const fs::path& path) {
  const int file = ::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {errno, std::generic_category()};
  // Some file systems cannot, and need not.
  const bool synced = ::fsync(file) == 0 || errno == EINVAL || errno == EROFS;
  const std::error_code problem{synced ? 0 : errno, std::generic_category()};
  ::close(file);
  return problem;
}

Result<void> make_durable_folder(const std::string& folder) {
  fs::path path{folder};
  if (!path.has_filename()) path = path.parent_path();  // "journal/"
  if (const auto problem = make(path)) {
    return fail(Errc::kRefused, "the folder " + folder + " cannot be made: " + problem.message());
  }
  return {};
}

}  // namespace larder::behind
