#include "behind/kept_log.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "behind/durable_folder.hpp"
#include "behind/log_scan.hpp"

namespace larder::behind {

namespace {

namespace fs = std::filesystem;

bool are_the_same(const fs::path& one, const fs::path& other) {
  std::error_code unknown;
  if (fs::file_size(one, unknown) != fs::file_size(other, unknown) || unknown) return false;
  std::ifstream a{one, std::ios::binary};
  std::ifstream b{other, std::ios::binary};
  using Bytes = std::istreambuf_iterator<char>;
  return a && b && std::equal(Bytes{a}, Bytes{}, Bytes{b}, Bytes{});
}

// Under its name only when all of it is on the disk.
std::error_code copy_durably(const fs::path& from, const fs::path& to) {
  const fs::path part = to.string() + ".part";
  std::error_code failed;
  fs::copy_file(from, part, fs::copy_options::overwrite_existing, failed);
  if (!failed) failed = sync_path(part);
  if (!failed) fs::rename(part, to, failed);
  if (!failed) failed = sync_path(to.parent_path());
  std::error_code ignored;
  if (failed) fs::remove(part, ignored);
  return failed;
}

}  // namespace

Result<std::optional<std::string>> keep_broken_log(const std::string& path) {
  const std::string log = path + "-wal";
  const auto scan = scan_log(log);
  if (!scan) {
    return fail(Errc::kRefused, scan.error().message +
                                    ", so nobody knows whether acknowledged writes stand behind a "
                                    "break in it, and it is not written over; see to the disk");
  }
  if (!scan->broken() && !scan->torn()) return std::nullopt;
  std::string what = describe_break(*scan, log);
  std::error_code unknown;
  for (int i = 1; i <= kMostKeptLogs; ++i) {
    const std::string copy = log + ".broken" + std::to_string(i);
    const bool there = fs::exists(copy, unknown);
    if (there && !are_the_same(log, copy)) continue;
    if (!there) {
      if (const auto failed = copy_durably(log, copy)) {
        if (scan->torn()) return what + "; it is not kept: " + failed.message();
        return fail(Errc::kRefused, what + "; larder copies it before it goes on, and cannot, to " +
                                        copy + ": " + failed.message());
      }
    }
    return what + "; the log as it was is kept in " + copy;
  }
  if (scan->torn()) return what;  // which is no reason to stay down
  return fail(Errc::kRefused, what + "; larder copies it before it goes on, and has " +
                                  std::to_string(kMostKeptLogs) + " such copies, " + log +
                                  ".broken1 and on: see to the disk, and move them away");
}

}  // namespace larder::behind
