#include "behind/journal_snapshot.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <system_error>

namespace larder::behind {

namespace {

namespace fs = std::filesystem;

constexpr int kTries = 10;
// https://www.sqlite.org/fileformat2.html#walformat: it has a number that grows each time.
constexpr std::size_t kLogHeader = 32;

// Empty: there is none, or it is empty.
std::string header_of(const fs::path& log) {
  std::array<char, kLogHeader> header{};
  std::ifstream file{log, std::ios::binary};
  file.read(header.data(), header.size());
  return {header.data(), static_cast<std::size_t>(file.gcount())};
}

std::error_code copy_if_there(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, failed);
  return failed == std::errc::no_such_file_or_directory ? std::error_code{} : failed;
}

}  // namespace

Result<std::unique_ptr<JournalSnapshot>> JournalSnapshot::take(const fs::path& path) {
  std::error_code failed;
  std::string name = (fs::temp_directory_path(failed) / "larder-journal-XXXXXX").string();
  const auto cannot = [&](const std::error_code& why) {
    return fail(Errc::kSourceFailed, "the journal " + path.string() + " cannot be copied to " +
                                         name + " to be looked at: " + why.message());
  };
  if (failed) return cannot(failed);
  if (::mkdtemp(name.data()) == nullptr) return cannot({errno, std::generic_category()});
  std::unique_ptr<JournalSnapshot> taken{new JournalSnapshot{name}};
  const fs::path log = path.string() + "-wal";
  const fs::path log_copy = taken->path().string() + "-wal";
  for (int i = 0; i < kTries; ++i) {
    const std::string before = header_of(log);
    fs::remove(log_copy, failed);
    failed = copy_if_there(path, taken->path());
    if (!failed) failed = copy_if_there(log, log_copy);
    if (failed) return cannot(failed);
    if (header_of(log) == before) return taken;
  }
  return fail(Errc::kOverloaded, "the journal " + path.string() +
                                     " changes faster than it can be copied to be looked at; try "
                                     "again, or stop the server first");
}

JournalSnapshot::~JournalSnapshot() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

}  // namespace larder::behind
