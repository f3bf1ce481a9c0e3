#include "behind/journal_place.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace larder::behind {

namespace {

namespace fs = std::filesystem;

// Why this process may not; 0: it may, or there is no such file.
int refusal(const fs::path& path, int rights) {
  if (::faccessat(AT_FDCWD, path.c_str(), rights, AT_EACCESS) == 0) return 0;
  return errno == ENOENT ? 0 : errno;
}

Result<void> cannot_write(const fs::path& path, int why) {
  std::string message =
      path.string() + " cannot be written: " + std::generic_category().message(why) + "; ";
  if (why == EROFS) {
    message += "mount its file system to be written, or name a folder on another one";
  } else {
    message += "larder runs as the user " + std::to_string(::geteuid()) +
               ", who has to read and write the journal's folder and what is in it";
  }
  return fail(Errc::kRefused, std::move(message));
}

}  // namespace

Result<void> check_journal_place(const std::string& folder) {
  const fs::path place{folder};
  std::error_code none;
  if (fs::exists(place, none) && !fs::is_directory(place, none)) {
    const bool inside = place.filename() == "journal.db";
    return fail(Errc::kRefused, folder + " is a file, and a journal is a folder; name " +
                                    (inside ? "the folder that it is in" : "a folder"));
  }
  const fs::path file = place / "journal.db";
  if (fs::is_directory(file, none)) {
    return fail(Errc::kRefused, file.string() +
                                    " is a folder, and should be the journal's file; name "
                                    "a folder for larder alone");
  }
  if (const int why = refusal(place, W_OK | X_OK)) return cannot_write(place, why);
  for (const std::string& each : {file.string(), file.string() + "-wal"}) {
    if (const int why = refusal(each, R_OK | W_OK)) return cannot_write(each, why);
  }
  return {};
}

bool is_in_memory(const std::string& folder) {
  std::error_code none;
  fs::path place = fs::absolute(folder, none);
  while (!fs::exists(place, none) && place.has_relative_path()) place = place.parent_path();
  struct statfs about{};
  if (::statfs(place.c_str(), &about) != 0) return false;
  return about.f_type == TMPFS_MAGIC || about.f_type == RAMFS_MAGIC;
}

}  // namespace larder::behind
