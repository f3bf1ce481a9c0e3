#include "demo/directory_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace larder::demo {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> refused(const fs::path& directory, const std::error_code& why) {
  return fail(Errc::kRefused, "writing into " + directory.string() + " failed: " + why.message() +
                                  ". Name another with --directory");
}

}  // namespace

Result<DirectoryLock> DirectoryLock::take(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return refused(directory, error);

  const fs::path file = directory / ".lock";
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return refused(directory, {errno, std::generic_category()});
  DirectoryLock lock{descriptor};
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return lock;
  return fail(Errc::kRefused, "another `larder demo` is using " + directory.string() +
                                  ": end it, or name another with --directory");
}

DirectoryLock::~DirectoryLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace larder::demo
