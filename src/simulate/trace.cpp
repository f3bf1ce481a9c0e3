#include "simulate/trace.hpp"

#include <zstd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <numeric>
#include <optional>
#include <system_error>
#include <vector>

namespace larder::simulate {

namespace {

constexpr std::size_t kChunk = std::size_t{1} << 16;
constexpr std::size_t kLongestLine = std::size_t{64} << 10;
constexpr Duration kLongest = std::chrono::years{30};  // from first to last access

template <class Number>
std::optional<Number> parse(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 33)) * 0xFF51AFD7ED558CCDULL;
  x = (x ^ (x >> 33)) * 0xC4CEB9FE1A85EC53ULL;
  return x ^ (x >> 33);
}

// Decompresses as it is fed.
class Zstd {
 public:
  Zstd() : stream_{ZSTD_createDStream(), &ZSTD_freeDStream} {}

  // Whether the bytes given so far end at the end of a frame.
  [[nodiscard]] bool complete() const { return complete_; }

  Result<void> feed(std::string_view bytes, TraceReader& reader) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    std::string out(ZSTD_DStreamOutSize(), '\0');
    // A full buffer may not be all that the input so far holds, unless a frame has ended.
    for (bool more = true; more;) {
      ZSTD_outBuffer buffer{out.data(), out.size(), 0};
      const std::size_t left = ZSTD_decompressStream(stream_.get(), &buffer, &in);
      if (ZSTD_isError(left) != 0) {
        return fail(Errc::kBadValue,
                    std::string{"the zstd data is damaged: "} + ZSTD_getErrorName(left));
      }
      complete_ = left == 0;
      more = in.pos < in.size || (left != 0 && buffer.pos == buffer.size);
      if (auto taken = reader.feed({out.data(), buffer.pos}); !taken) return taken;
    }
    return {};
  }

 private:
  std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream_;
  bool complete_ = false;
};

Result<Trace> read(std::istream& in, Duration spacing) {
  constexpr std::string_view kMagic{"\x28\xB5\x2F\xFD", 4};
  constexpr std::string_view kGzip{"\x1F\x8B", 2};
  TraceReader reader{spacing};
  std::optional<Zstd> zstd;
  std::string chunk(kChunk, '\0');
  for (bool first = true;; first = false) {
    in.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    const std::string_view got{chunk.data(), static_cast<std::size_t>(in.gcount())};
    if (got.empty()) break;
    if (first && got.starts_with(kMagic)) zstd.emplace();
    if (first && got.starts_with(kGzip)) {
      return fail(Errc::kBadValue, "this is gzip: try zcat FILE | larder simulate -");
    }
    auto taken = zstd ? zstd->feed(got, reader) : reader.feed(got);
    if (!taken) return std::unexpected{taken.error()};
  }
  if (in.bad()) return fail(Errc::kSourceFailed, "reading stopped with an error");
  if (zstd && !zstd->complete()) {
    return fail(Errc::kBadValue, "the zstd data ends in the middle; was the file copied whole?");
  }
  return reader.finish();
}

}  // namespace

std::unexpected<Error> TraceReader::refuse(const std::string& what) const {
  return fail(Errc::kBadValue, "line " + std::to_string(line_) + " " + what);
}

Result<void> TraceReader::feed(std::string_view text) {
  for (;;) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (rest_.size() + line.size() > kLongestLine) {
      ++line_;
      return refuse("is longer than 64 KiB; is this a trace, a key a line?");
    }
    rest_.append(line);
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
    if (auto taken = take(rest_); !taken) return taken;
    rest_.clear();
  }
}

Result<Trace> TraceReader::finish() {
  if (auto taken = take(rest_); !taken) return std::unexpected{taken.error()};
  if (trace_.accesses.empty()) return fail(Errc::kBadValue, "there is no access in it");
  return std::move(trace_);
}

Result<void> TraceReader::take(std::string_view line) {
  ++line_;
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) return {};
  if (line.contains('\0')) return refuse("holds a zero byte; is this a text, a key a line?");
  // The first line decides: three columns, or keys, which may hold commas themselves.
  if (trace_.accesses.empty()) {
    if (line == "time,key,bytes") return {};
    const std::size_t first = line.find(',');
    const std::size_t last = line.rfind(',');
    // What is nearly a size is taken for one, and refused as such.
    trace_.has_bytes = trace_.has_times = first != last && parse<double>(line.substr(0, first)) &&
                                          parse<double>(line.substr(last + 1));
  }
  if (trace_.has_bytes) return take_columns(line);
  const auto index = static_cast<Duration::rep>(trace_.accesses.size());
  if (index > kLongest / spacing_) return refuse("comes after 30 years; is --rate right?");
  return add(line, 1, spacing_ * index);
}

Result<void> TraceReader::take_columns(std::string_view line) {
  constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 40;  // so that sums do not overflow
  const auto shown = [line] { return ": \"" + std::string{line.substr(0, 60)} + "\""; };
  const std::size_t first = line.find(',');
  const std::size_t last = line.rfind(',');
  if (first == last) return refuse("is not `time,key,bytes` as the first one is" + shown());
  const auto time = parse<double>(line.substr(0, first));
  if (!time || !std::isfinite(*time)) {
    return refuse("is not `time,key,bytes` with a time in seconds" + shown());
  }
  const auto bytes = parse<std::uint64_t>(line.substr(last + 1));
  if (!bytes || *bytes > kMostBytes) {
    return refuse("is not `time,key,bytes` with whole bytes from 0 to 2^40" + shown());
  }
  if (trace_.accesses.empty()) first_time_ = *time;
  const double since = *time - first_time_;
  if (std::abs(since) > std::chrono::duration<double>{kLongest}.count()) {
    return refuse("is 30 years from the first one; are its times in seconds?" + shown());
  }
  return add(line.substr(first + 1, last - first - 1), *bytes,
             std::chrono::duration_cast<Duration>(std::chrono::duration<double>{since}));
}

Result<void> TraceReader::add(std::string_view key, std::uint64_t bytes, Duration at) {
  constexpr std::uint64_t kMostKeys = ~KeyId{0};
  bytes = bytes == 0 ? 1 : bytes;
  const auto [found, fresh] = ids_.try_emplace(hash_(key), static_cast<KeyId>(trace_.keys));
  if (fresh) {
    if (++trace_.keys == kMostKeys) return refuse("holds one key more than 4 billion, the most");
    trace_.total_bytes += bytes;
  }
  trace_.accesses.push_back({found->second, bytes, at});
  return {};
}

Result<Trace> read_trace(const std::string& file, std::istream& standard_input, Duration spacing) {
  if (file == "-") {
    auto trace = read(standard_input, spacing);
    if (!trace) return fail(trace.error().code, "standard input: " + trace.error().message);
    return trace;
  }
  std::ifstream in{file, std::ios::binary};
  if (!in) {
    const std::error_code reason{errno, std::generic_category()};
    return fail(Errc::kInvalidArgument, file + ": cannot be read: " + reason.message());
  }
  if (std::filesystem::is_directory(file)) {
    return fail(Errc::kInvalidArgument, file + ": is a folder; name the files in it");
  }
  auto trace = read(in, spacing);
  if (!trace) return fail(trace.error().code, file + ": " + trace.error().message);
  return trace;
}

namespace {

// Which keys a share of them is: of keys equally popular, as many as the share.
// A sample by hash alone has too many or too few of the few most popular keys,
// which make most of the accesses.
std::vector<bool> choose(const Trace& trace, double share) {
  std::vector<std::uint32_t> counts(trace.keys);
  for (const Access& access : trace.accesses) ++counts[access.key];
  std::vector<KeyId> keys(trace.keys);
  std::iota(keys.begin(), keys.end(), KeyId{0});
  std::ranges::sort(keys, [&](KeyId a, KeyId b) {
    if (counts[a] != counts[b]) return counts[a] > counts[b];
    return mixed(a + std::uint64_t{1}) < mixed(b + std::uint64_t{1});
  });

  std::vector<bool> chosen(trace.keys);
  std::size_t begin = 0;
  for (std::size_t stratum = 1; begin < keys.size(); ++stratum) {
    const auto end = std::min(
        static_cast<std::size_t>(std::llround(static_cast<double>(stratum) / share)), keys.size());
    double sum = 0;
    for (std::size_t i = begin; i < end; ++i) sum += counts[keys[i]];
    // Of each stratum, the key nearest to its mean; of those, any.
    const double mean = sum / static_cast<double>(end - begin);
    const auto far = [&](KeyId key) { return std::abs(counts[key] - mean); };
    const auto first = keys.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = keys.begin() + static_cast<std::ptrdiff_t>(end);
    chosen[*std::ranges::min_element(first, last, {}, far)] = true;
    begin = end;
  }
  return chosen;
}

}  // namespace

Trace sample(const Trace& trace, double share) {
  if (share >= 1) return trace;
  const std::vector<bool> chosen = choose(trace, share);
  constexpr KeyId kNone = ~KeyId{0};
  std::vector<KeyId> ids(trace.keys, kNone);
  Trace sampled{.accesses = {}, .has_bytes = trace.has_bytes, .has_times = trace.has_times};
  for (Access access : trace.accesses) {
    if (!chosen[access.key]) continue;
    KeyId& id = ids[access.key];
    if (id == kNone) {
      id = static_cast<KeyId>(sampled.keys++);
      sampled.total_bytes += access.bytes;
    }
    access.key = id;
    sampled.accesses.push_back(access);
  }
  return sampled;
}

}  // namespace larder::simulate
