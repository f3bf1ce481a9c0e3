#include "behind/log_scan.hpp"

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <system_error>

#include "base/counted.hpp"

namespace larder::behind {

namespace {

// https://www.sqlite.org/fileformat2.html#walformat
constexpr std::size_t kHeader = 32;
constexpr std::size_t kFrameHeader = 24;
constexpr std::uint32_t kMagic = 0x377f0682;  // of words in little endian; + 1: in big
constexpr std::size_t kUsualPage = 4096;

using Bytes = std::span<const char>;

std::uint32_t word(Bytes bytes, std::size_t at, bool big = true) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[at + (big ? i : 3 - i)]);
    value = value << 8U | byte;
  }
  return value;
}

struct Checksum {
  std::uint32_t first = 0;
  std::uint32_t second = 0;

  void add(Bytes bytes, bool big) {
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      first += word(bytes, at, big) + second;
      second += word(bytes, at + 4, big) + first;
    }
  }
  friend bool operator==(const Checksum&, const Checksum&) = default;
};

Checksum checksum_in(Bytes bytes, std::size_t at) {
  return {.first = word(bytes, at), .second = word(bytes, at + 4)};
}

struct Header {
  bool big = false;
  std::size_t page = kUsualPage;
  std::uint64_t salt = 0;
  std::optional<Checksum> sum{};  // none: the header is damaged, and SQLite passes all over
};

std::uint64_t salt_in(Bytes bytes, std::size_t at) {
  return std::uint64_t{word(bytes, at)} << 32U | word(bytes, at + 4);
}

// Of one that is damaged what the first frame says is taken.
Header header_of(Bytes bytes, Bytes first_frame) {
  Header header;
  header.big = word(bytes, 0) == kMagic + 1;
  Checksum sum;
  sum.add(bytes.first(kFrameHeader), header.big);
  const std::size_t page = word(bytes, 8);
  const bool known = word(bytes, 0) == kMagic || header.big;
  const bool fits = page >= 512 && page <= 65536 && (page & (page - 1)) == 0;
  if (known && fits && sum == checksum_in(bytes, kFrameHeader)) {
    header.page = page;
    header.salt = salt_in(bytes, 16);
    header.sum = sum;
  } else {
    header.big = false;
    header.salt = salt_in(first_frame, 8);
  }
  return header;
}

}  // namespace

Result<LogScan> scan_log(const std::string& path) {
  LogScan scan;
  std::error_code none;
  if (!std::filesystem::exists(path, none)) return scan;
  std::ifstream file{path, std::ios::binary};
  if (!file) return fail(Errc::kSourceFailed, path + " cannot be read");
  std::array<char, kHeader + kFrameHeader> begin{};
  if (!file.read(begin.data(), begin.size())) {
    if (file.bad()) return fail(Errc::kSourceFailed, path + " cannot be read");
    return scan;
  }
  const Bytes bytes{begin};
  const Header header = header_of(bytes.first(kHeader), bytes.subspan(kHeader));

  std::string frame(kFrameHeader + header.page, '\0');
  file.seekg(kHeader);
  bool counts = header.sum.has_value();
  scan.header_changed = !counts;
  Checksum before = header.sum.value_or(Checksum{});
  while (file.read(frame.data(), static_cast<std::streamsize>(frame.size()))) {
    const Bytes whole{frame};
    Checksum sum = before;
    sum.add(whole.first(8), header.big);
    sum.add(whole.subspan(kFrameHeader), header.big);
    before = checksum_in(whole, 16);
    const bool of_this_time = salt_in(whole, 8) == header.salt;
    const bool commits = word(whole, 4) != 0;
    const bool fits = of_this_time && sum == before;
    counts = counts && fits;
    if (!fits) {
      if (of_this_time && commits) ++scan.commits_changed;
      continue;
    }
    ++(counts ? scan.frames : scan.frames_behind);
    if (commits) ++(counts ? scan.commits : scan.commits_behind);
  }
  if (file.bad()) return fail(Errc::kSourceFailed, path + " cannot be read to its end");
  return scan;
}

std::optional<std::size_t> page_size_of_log(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::array<char, kHeader + kFrameHeader> begin{};
  if (!file.read(begin.data(), begin.size())) return std::nullopt;
  const Bytes bytes{begin};
  const Header header = header_of(bytes.first(kHeader), bytes.subspan(kHeader));
  return header.sum ? std::optional{header.page} : std::nullopt;
}

std::string describe_break(const LogScan& scan, const std::string& path) {
  const std::string where = "the log " + path;
  if (scan.torn()) {
    return where + " ends within a commit, after its frame " + std::to_string(scan.frames) +
           ", with " + counted(scan.frames_behind, "whole frame") +
           " of it behind the break: the power went while it was written, before anybody was told "
           "of it, or the disk changed it since";
  }
  return where + " has a break after its frame " + std::to_string(scan.frames) +
         ", and behind it " + counted(scan.frames_behind, "whole frame") + " with " +
         counted(scan.commits_lost(), "commit") +
         ", which SQLite passes over: the disk changed the log, and acknowledged writes are lost; "
         "or, where durability is not \"sync\", the power went before they were on the disk";
}

}  // namespace larder::behind
