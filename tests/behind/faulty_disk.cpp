#include "behind/faulty_disk.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <new>
#include <utility>

namespace larder::test {

namespace {

constexpr std::size_t kSector = 512;

std::string contents(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace

struct FaultyDisk::Vfs : sqlite3_vfs {
  FaultyDisk* disk;
};

// The real file lies behind it.
struct FaultyDisk::File : sqlite3_file {
  FaultyDisk* disk;
  std::shared_ptr<Kept>* kept;

  [[nodiscard]] sqlite3_file* real() {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(this) + sizeof(File));
  }
  static File* of(sqlite3_file* file) { return static_cast<File*>(file); }
  static const sqlite3_io_methods* methods(sqlite3_file* file) {
    return of(file)->real()->pMethods;
  }
};

// Version 1: no shared memory, which a journal does without.
const sqlite3_io_methods FaultyDisk::kMethods{
    .iVersion = 1,
    .xClose =
        [](sqlite3_file* file) {
          File* const self = File::of(file);
          delete self->kept;
          return self->real()->pMethods->xClose(self->real());
        },
    .xRead =
        [](sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
          return File::methods(file)->xRead(File::of(file)->real(), to, size, offset);
        },
    .xWrite = FaultyDisk::write,
    .xTruncate = FaultyDisk::truncate,
    .xSync = FaultyDisk::sync,
    .xFileSize =
        [](sqlite3_file* file, sqlite3_int64* size) {
          return File::methods(file)->xFileSize(File::of(file)->real(), size);
        },
    .xLock = [](sqlite3_file* file,
                int lock) { return File::methods(file)->xLock(File::of(file)->real(), lock); },
    .xUnlock = [](sqlite3_file* file,
                  int lock) { return File::methods(file)->xUnlock(File::of(file)->real(), lock); },
    .xCheckReservedLock =
        [](sqlite3_file* file, int* reserved) {
          return File::methods(file)->xCheckReservedLock(File::of(file)->real(), reserved);
        },
    // Among others the hint of a size to come, by which the real one would write by itself.
    .xFileControl = [](sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; },
    .xSectorSize = [](sqlite3_file*) { return static_cast<int>(kSector); },
    .xDeviceCharacteristics = [](sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; },
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

FaultyDisk::FaultyDisk() : real_{sqlite3_vfs_find(nullptr)}, vfs_{std::make_unique<Vfs>()} {
  static_cast<sqlite3_vfs&>(*vfs_) = *real_;
  vfs_->pNext = nullptr;
  vfs_->zName = "faulty";
  vfs_->szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
  vfs_->xOpen = FaultyDisk::open;
  vfs_->xDelete = FaultyDisk::remove;
  vfs_->disk = this;
  sqlite3_vfs_register(vfs_.get(), /*makeDflt=*/1);
}

FaultyDisk::~FaultyDisk() {
  sqlite3_vfs_unregister(vfs_.get());
  sqlite3_vfs_register(real_, /*makeDflt=*/1);
}

void FaultyDisk::leave_room(std::optional<std::uint64_t> bytes) {
  const std::lock_guard lock{mutex_};
  room_ = bytes;
}

void FaultyDisk::fail_writes(std::optional<int> after) {
  const std::lock_guard lock{mutex_};
  writes_left_ = after;
}

void FaultyDisk::fail_syncs(std::optional<int> after) {
  const std::lock_guard lock{mutex_};
  syncs_left_ = after;
}

void FaultyDisk::make_read_only(bool read_only) {
  const std::lock_guard lock{mutex_};
  read_only_ = read_only;
}

int FaultyDisk::syncs() const {
  const std::lock_guard lock{mutex_};
  return syncs_;
}

int FaultyDisk::open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags,
                     int* given) {
  FaultyDisk* const disk = static_cast<Vfs*>(vfs)->disk;
  auto* const made = new (file) File{{}, disk, nullptr};
  const std::string path = name == nullptr ? "" : name;
  {
    const std::lock_guard lock{disk->mutex_};
    if (disk->read_only_ && (flags & SQLITE_OPEN_READWRITE) != 0) {
      made->pMethods = nullptr;
      errno = EROFS;
      return SQLITE_CANTOPEN;
    }
  }
  const int code = disk->real_->xOpen(disk->real_, name, made->real(), flags, given);
  made->pMethods = made->real()->pMethods == nullptr ? nullptr : &kMethods;
  if (made->pMethods == nullptr) return code;
  const std::lock_guard lock{disk->mutex_};
  auto& kept = disk->files_[path];
  if (!kept) kept = std::make_shared<Kept>(contents(path), std::vector<Change>{});
  made->kept = new std::shared_ptr<Kept>{kept};
  return code;
}

int FaultyDisk::remove(sqlite3_vfs* vfs, const char* name, int) {
  FaultyDisk* const disk = static_cast<Vfs*>(vfs)->disk;
  {
    const std::lock_guard lock{disk->mutex_};
    disk->files_.erase(name);
  }
  return disk->real_->xDelete(disk->real_, name, /*syncDir=*/0);
}

int FaultyDisk::write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  File* const self = File::of(file);
  FaultyDisk& disk = *self->disk;
  {
    const std::lock_guard lock{disk.mutex_};
    const auto count = static_cast<std::uint64_t>(size);
    if (disk.read_only_ || (disk.writes_left_ && (*disk.writes_left_)-- <= 0)) {
      errno = disk.read_only_ ? EROFS : EIO;
      return SQLITE_IOERR_WRITE;
    }
    if (disk.room_ && *disk.room_ < count) {
      errno = ENOSPC;
      return SQLITE_FULL;
    }
    if (disk.room_) *disk.room_ -= count;
    (*self->kept)
        ->since.push_back({static_cast<std::uint64_t>(offset),
                           std::string(static_cast<const char*>(bytes), count)});
  }
  return self->real()->pMethods->xWrite(self->real(), bytes, size, offset);
}

int FaultyDisk::truncate(sqlite3_file* file, sqlite3_int64 size) {
  File* const self = File::of(file);
  {
    const std::lock_guard lock{self->disk->mutex_};
    if (self->disk->read_only_) return SQLITE_IOERR_TRUNCATE;
    (*self->kept)->since.push_back({static_cast<std::uint64_t>(size), std::nullopt});
  }
  return self->real()->pMethods->xTruncate(self->real(), size);
}

int FaultyDisk::sync(sqlite3_file* file, int) {
  File* const self = File::of(file);
  FaultyDisk& disk = *self->disk;
  const std::lock_guard lock{disk.mutex_};
  Kept& kept = **self->kept;
  ++disk.syncs_;
  const auto changes = std::exchange(kept.since, {});
  if (disk.syncs_left_ && (*disk.syncs_left_)-- <= 0) {
    errno = EIO;
    return SQLITE_IOERR_FSYNC;
  }
  for (const Change& change : changes) apply(kept.durable, change);
  return SQLITE_OK;
}

void FaultyDisk::apply(std::string& bytes, const Change& change) {
  if (!change.bytes) return bytes.resize(change.offset);
  const std::size_t end = change.offset + change.bytes->size();
  if (bytes.size() < end) bytes.resize(end);
  std::ranges::copy(*change.bytes, bytes.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

void FaultyDisk::lose_power(const std::filesystem::path& from, const std::filesystem::path& to,
                            std::mt19937_64& random) const {
  const std::lock_guard lock{mutex_};
  std::filesystem::create_directories(to);
  for (const auto& [name, kept] : files_) {
    const std::filesystem::path path{name};
    if (path.parent_path() != from) continue;
    std::string left = kept->durable;
    const auto luck = random() % 3;  // nothing of what was not synced, all of it, or some
    for (const Change& change : kept->since) {
      if (luck == 0) continue;
      if (!change.bytes) {
        if (luck == 1 || random() % 2 == 0) apply(left, change);
        continue;
      }
      // Sectors are written whole or not at all, in any order.
      for (std::size_t at = 0; at < change.bytes->size();) {
        const std::size_t sector_end = ((change.offset + at) / kSector + 1) * kSector;
        const std::size_t part =
            std::min(sector_end - (change.offset + at), change.bytes->size() - at);
        if (luck == 1 || random() % 2 == 0) {
          apply(left, {change.offset + at, change.bytes->substr(at, part)});
        }
        at += part;
      }
    }
    std::ofstream{to / path.filename(), std::ios::binary} << left;
  }
}

}  // namespace larder::test
