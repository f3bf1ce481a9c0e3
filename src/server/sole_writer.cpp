#include "server/sole_writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

namespace larder {

namespace {

constexpr std::chrono::seconds kPatience{5};

std::int64_t key_of(const std::string& cache) {
  const std::string name = "larder writes behind to " + cache;
  return static_cast<std::int64_t>(XXH3_64bits(name.data(), name.size()) >> 1U);
}

Error taken(const std::string& cache, const std::string& how) {
  return {Errc::kRefused,
          "another process writes behind to the cache " + cache + " of the same database (" + how +
              "), and with two journals its writes would come in any order; stop that one, or give "
              "each its own rows, under caches of different names"};
}

// SQLite's own log is by name: under two of them the file is damaged, and the lock is evaded.
std::optional<Error> several_names(const std::string& path) {
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0 || about.st_nlink < 2) return std::nullopt;
  return Error{Errc::kRefused,
               path + " has " + std::to_string(about.st_nlink) +
                   " names (hard links), and SQLite keeps its log by the name: whoever writes by "
                   "another one damages the file; leave it one name, as find -samefile lists "
                   "them, or use a symbolic link"};
}

void tell_of_wait(const SoleWriter::Tell& tell, const std::string& cache) {
  if (!tell) return;
  tell(false, "cache " + cache + ": another process writes behind to it; waiting up to " +
                  std::to_string(kPatience.count()) + " s for its end");
}

PostgresClaim::Report report_of(const std::string& cache, const SoleWriter::Tell& tell) {
  return [tell, cache](const Error* lost) {
    if (!tell) return;
    if (lost == nullptr)
      return tell(
          true, "cache " + cache + " is flushed again: this process has its lock in the database");
    tell(false,
         "cache " + cache +
             " is not flushed until this process has its lock in the database: " + lost->message);
  };
}

}  // namespace

Result<std::shared_ptr<SoleWriter>> SoleWriter::claim(const SourceConfig& source,
                                                      const std::string& cache, Tell tell) {
  std::shared_ptr<SoleWriter> sole{new SoleWriter{cache}};
  if (source.kind != SourceKind::kPostgres) {
    if (const auto claimed = sole->claim_file(source.path, tell); !claimed) {
      return std::unexpected{claimed.error()};
    }
    return sole;
  }
  if (!source.prepared) return sole;
  auto target = PostgresTarget::parse(source.url.reveal(), {});
  if (!target) return std::unexpected{std::move(target.error())};
  auto session = PostgresClaim::take(std::move(*target), key_of(cache), kPatience,
                                     report_of(cache, tell), [&] { tell_of_wait(tell, cache); });
  if (!session) {
    if (session.error().code != Errc::kRefused) return std::unexpected{std::move(session.error())};
    return std::unexpected{taken(cache, session.error().message)};
  }
  sole->session_ = std::move(*session);
  return sole;
}

Result<std::shared_ptr<SoleWriter>> SoleWriter::claim_later(const SourceConfig& source,
                                                            const std::string& cache, Tell tell) {
  std::shared_ptr<SoleWriter> sole{new SoleWriter{cache}};
  if (source.kind != SourceKind::kPostgres || !source.prepared) return sole;
  auto target = PostgresTarget::parse(source.url.reveal(), {});
  if (!target) return std::unexpected{std::move(target.error())};
  sole->session_ =
      PostgresClaim::take_later(std::move(*target), key_of(cache), report_of(cache, tell));
  return sole;
}

// Of an open file, and not of the process: so that no other part of it that opens the file
// lets go of it.
Result<void> SoleWriter::claim_file(const std::string& database, const Tell& tell) {
  if (auto several = several_names(database)) return std::unexpected{std::move(*several)};
  // One lock for a file, by whatever symbolic links it is called.
  std::error_code unknown;
  const std::filesystem::path file = std::filesystem::canonical(database, unknown);
  const std::string path = (unknown ? database : file.string()) + "-larder";
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  struct flock byte{};
  byte.l_type = F_WRLCK;
  byte.l_whence = SEEK_SET;
  byte.l_start = key_of(cache_);
  byte.l_len = 1;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  bool told = false;
  while (file_ < 0 || ::fcntl(file_, F_OFD_SETLK, &byte) != 0) {
    const bool held = file_ >= 0 && (errno == EAGAIN || errno == EACCES);
    if (!held) {
      return fail(Errc::kRefused,
                  path + " cannot be locked: " + std::generic_category().message(errno) +
                      "; larder keeps others from writing behind to the same rows by it");
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return std::unexpected{taken(cache_, "it has locked " + path)};
    }
    if (!std::exchange(told, true)) tell_of_wait(tell, cache_);
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
  return {};
}

SoleWriter::~SoleWriter() {
  if (file_ >= 0) ::close(file_);
}

std::optional<Error> SoleWriter::lost() const {
  if (!session_ || session_->held()) return std::nullopt;
  return Error{Errc::kSourceFailed, "the cache " + cache_ +
                                        " is not flushed until this process has its lock in the "
                                        "database"};
}

}  // namespace larder
