// A disk that fails when it is told to, between SQLite and the real one; while it lives, all
// files that SQLite opens are on it.
//
// It knows what of each file a loss of power would leave: what was synced, and of what was
// written since, whatever it likes. A sync that fails drops what it was to keep, as Linux
// does: what is read afterwards is what was written, and a second sync finds nothing to do.
//
// Threads: any, concurrently.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace larder::test {

class FaultyDisk {
 public:
  FaultyDisk();
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  // Only so many bytes more can be written; none: there is room.
  void leave_room(std::optional<std::uint64_t> bytes);
  // Writes, or syncs, fail from the one after the next so many on; none: they do not.
  void fail_writes(std::optional<int> after);
  void fail_syncs(std::optional<int> after);
  // No file can be written or made, as after `mount -o remount,ro`.
  void make_read_only(bool read_only);

  [[nodiscard]] int syncs() const;

  // Writes to `to` what the files of `from` are after a loss of power now.
  void lose_power(const std::filesystem::path& from, const std::filesystem::path& to,
                  std::mt19937_64& random) const;

 private:
  struct Vfs;
  struct File;
  struct Change {
    std::uint64_t offset;
    std::optional<std::string> bytes;  // none: the file ends there
  };
  struct Kept {
    std::string durable;
    std::vector<Change> since;
  };
  static void apply(std::string& bytes, const Change& change);
  static const sqlite3_io_methods kMethods;

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* given);
  static int remove(sqlite3_vfs* vfs, const char* name, int);
  static int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset);
  static int truncate(sqlite3_file* file, sqlite3_int64 size);
  static int sync(sqlite3_file* file, int flags);

  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Kept>> files_;  // by path
  std::optional<std::uint64_t> room_;
  std::optional<int> writes_left_;
  std::optional<int> syncs_left_;
  bool read_only_ = false;
  int syncs_ = 0;
  sqlite3_vfs* const real_;
  const std::unique_ptr<Vfs> vfs_;
};

}  // namespace larder::test
