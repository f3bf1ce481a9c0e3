#include "behind/log_pairing.hpp"

#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "behind/journal_file.hpp"
#include "behind/log_scan.hpp"

namespace larder::behind {

namespace {

// https://www.sqlite.org/fileformat2.html#the_database_header
constexpr std::string_view kMagic{"SQLite format 3\0", 16};
constexpr std::size_t kHeader = 100;
constexpr std::size_t kPageSize = 16;
constexpr std::size_t kWriteVersion = 18;
constexpr std::size_t kReadVersion = 19;
constexpr std::size_t kApplication = 68;
constexpr char kWal = 2;

using Header = std::array<char, kHeader>;

bool has_log(const std::string& path) {
  std::error_code missing;
  const auto bytes = std::filesystem::file_size(path + "-wal", missing);
  return !missing && bytes > 0;
}

std::unexpected<Error> alone(const std::string& path) {
  return fail(Errc::kRefused,
              "the journal " + path + " is gone or empty, but its log, " + path +
                  "-wal, is not: put the file back, for the log alone says nothing; "
                  "or move the folder away, and with it what was acknowledged");
}

std::uint32_t number(const Header& header, std::size_t at, std::size_t bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    value = value << 8U | static_cast<unsigned char>(header[at + i]);
  }
  return value;
}

// Whose it is stands in the file before there is a log (JournalFile::lock()), and stays there.
bool is_journal(const Header& header, const std::string& path) {
  if (!std::string_view{header.data(), header.size()}.starts_with(kMagic)) return false;
  if (header[kWriteVersion] != kWal || header[kReadVersion] != kWal) return false;
  if (number(header, kApplication, 4) != JournalFile::kApplication) return false;
  const std::uint32_t page = number(header, kPageSize, 2);
  const auto of_log = page_size_of_log(path + "-wal");
  return !of_log || *of_log == (page == 1 ? 65536 : page);
}

}  // namespace

Result<void> check_log_has_a_database(const std::string& path) {
  std::error_code missing;
  const auto bytes = std::filesystem::file_size(path, missing);
  if (!has_log(path) || (!missing && bytes > 0)) return {};
  return alone(path);
}

Result<void> check_log_is_its_own(sqlite3* database, const std::string& path) {
  if (!has_log(path)) return {};
  sqlite3_file* file = nullptr;
  sqlite3_file_control(database, nullptr, SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file));
  sqlite3_int64 size = 0;
  Header header{};
  if (file == nullptr || file->pMethods == nullptr ||
      file->pMethods->xFileSize(file, &size) != SQLITE_OK) {
    return fail(Errc::kSourceFailed, "the journal " + path + " cannot be read");
  }
  if (size == 0) return alone(path);  // SQLite takes one byte for none
  const int code = file->pMethods->xRead(file, header.data(), header.size(), 0);
  if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) {
    return fail(Errc::kSourceFailed, "the journal " + path + " cannot be read");
  }
  if (is_journal(header, path)) return {};
  return fail(Errc::kRefused, path + " is no journal that this larder knows, but a log, " + path +
                                  "-wal, stands beside it, and may be another file's: put the "
                                  "journal's own file back, or move the log to where that is");
}

}  // namespace larder::behind
