#include "shared/envelope.hpp"

#include <xxhash.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <utility>

namespace larder::shared {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kAbsent = 1;
constexpr std::uint8_t kCompressed = 2;
constexpr std::size_t kMostTags = 1024;
constexpr std::size_t kLongestTag = 4096;
// docs/decisions/shared-values.md has what it costs, beside lz4.
constexpr int kLevel = 1;

constexpr std::size_t kNumber = 8;  // bytes

void put(std::string& bytes, std::uint64_t number) {
  std::array<char, kNumber> digits{};
  for (std::size_t i = 0; i < kNumber; ++i) digits[i] = static_cast<char>(number >> (8 * i));
  bytes.append(digits.data(), digits.size());
}

// REQUIRES: there are as many bytes.
std::uint64_t number_at(const char* bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kNumber; ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return value;
}

void put_count(std::string& bytes, std::uint64_t number) {
  for (; number >= 128; number >>= 7) bytes += static_cast<char>(number | 128);
  bytes += static_cast<char>(number);
}

// Takes pieces off the front; once one is not there, nothing is.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_{bytes} {}

  std::uint8_t byte() { return static_cast<std::uint8_t>(bytes(1).empty() ? 0 : last_.front()); }
  std::uint64_t number() {
    const std::string_view taken = bytes(kNumber);
    return taken.empty() ? 0 : number_at(taken.data());
  }
  std::uint64_t count() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
      const std::uint8_t next = byte();
      value |= std::uint64_t{next & 127U} << shift;
      if (next < 128) return value;
    }
    good_ = false;
    return 0;
  }
  std::string_view bytes(std::uint64_t size) {
    good_ = good_ && size <= rest_.size();
    last_ = good_ ? rest_.substr(0, static_cast<std::size_t>(size)) : std::string_view{};
    rest_.remove_prefix(last_.size());
    return last_;
  }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool done() const { return good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  std::string_view last_;
  bool good_ = true;
};

// None: it does not get smaller.
std::optional<std::string> compressed(std::string_view plain) {
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  const std::size_t size =
      ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), kLevel);
  if (ZSTD_isError(size) != 0 || size >= plain.size()) return std::nullopt;
  packed.resize(size);
  return packed;
}

// None: it is damaged, or larger than `most`.
std::optional<std::string> decompressed(std::string_view packed, std::uint64_t most) {
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > most) return {};
  std::string plain(static_cast<std::size_t>(size), '\0');
  const std::size_t got = ZSTD_decompress(plain.data(), plain.size(), packed.data(), packed.size());
  if (ZSTD_isError(got) != 0 || got != plain.size()) return std::nullopt;
  return plain;
}

template <class Unit>
std::uint64_t whole(Duration duration) {
  const auto count = std::chrono::floor<Unit>(duration).count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0));
}

// A time that was written as a count of Unit; none: longer than any that larder writes.
template <class Unit>
std::optional<Duration> duration(std::uint64_t count) {
  constexpr Duration kLongest = std::chrono::hours{24 * 365 * 200};
  if (count > static_cast<std::uint64_t>(kLongest / Duration{Unit{1}})) return std::nullopt;
  return Duration{Unit{static_cast<std::int64_t>(count)}};
}

}  // namespace

std::string fingerprint_bytes(std::uint64_t fingerprint) {
  std::string bytes;
  put(bytes, fingerprint);
  return bytes;
}

std::uint64_t fingerprint_in(std::string_view bytes) {
  assert(bytes.size() >= kFingerprintSize);
  return number_at(bytes.data());
}

bool Stamp::stands_in(std::string_view bytes) const {
  return bytes.size() == kStampSize && number_at(bytes.data()) == run &&
         number_at(bytes.data() + kNumber) == fingerprint &&
         number_at(bytes.data() + 2 * kNumber) == generation;
}

std::string Stamp::bytes() const {
  std::string bytes;
  bytes.reserve(kStampSize);
  for (const std::uint64_t number : {run, fingerprint, generation}) put(bytes, number);
  return bytes;
}

std::string seal(const Stamp& stamp, const Envelope& envelope, const EnvelopeOptions& options) {
  const std::string_view plain = envelope.body ? std::string_view{*envelope.body} : "";
  std::optional<std::string> packed;
  if (plain.size() >= options.compress_from.bytes) packed = compressed(plain);
  const std::string_view body = packed ? std::string_view{*packed} : plain;

  std::string bytes{"V"};
  bytes.reserve(kEnvelopeAt + 64 + body.size());
  bytes += stamp.bytes();
  bytes.append(kTokenSize, '\0');
  bytes += static_cast<char>(kFormat);
  bytes += static_cast<char>((envelope.body ? 0 : kAbsent) | (packed ? kCompressed : 0));
  put(bytes, whole<std::chrono::milliseconds>(envelope.lifetime));
  put(bytes, whole<std::chrono::microseconds>(envelope.load_cost));
  put(bytes, envelope.position.time);
  put(bytes, envelope.position.sequence);
  put_count(bytes, envelope.tags.size());
  for (const std::string& tag : envelope.tags) {
    put_count(bytes, tag.size());
    bytes += tag;
  }
  put_count(bytes, body.size());
  bytes += body;
  put(bytes, XXH3_64bits(bytes.data() + kEnvelopeAt, bytes.size() - kEnvelopeAt));
  return bytes;
}

std::expected<Envelope, Disbelief> open(std::string_view value, const Stamp& stamp,
                                        const EnvelopeOptions& options) {
  constexpr std::size_t kChecksum = 8;
  if (value.size() <= kEnvelopeAt + kChecksum || value.front() != 'V') {
    return std::unexpected{Disbelief::kForeign};
  }
  if (!stamp.stands_in(value.substr(1, kStampSize))) return std::unexpected{Disbelief::kStale};
  if (static_cast<std::uint8_t>(value[kEnvelopeAt]) != kFormat) {
    return std::unexpected{Disbelief::kForeign};
  }
  const std::string_view checked =
      value.substr(kEnvelopeAt, value.size() - kEnvelopeAt - kChecksum);
  if (Reader{value.substr(value.size() - kChecksum)}.number() !=
      XXH3_64bits(checked.data(), checked.size())) {
    return std::unexpected{Disbelief::kCorrupt};
  }

  Reader reader{checked.substr(1)};
  Envelope envelope;
  const std::uint8_t flags = reader.byte();
  const auto lifetime = duration<std::chrono::milliseconds>(reader.number());
  const auto cost = duration<std::chrono::microseconds>(reader.number());
  envelope.position.time = reader.number();
  envelope.position.sequence = reader.number();
  const std::uint64_t tags = reader.count();
  if (!lifetime || !cost || tags > kMostTags) return std::unexpected{Disbelief::kCorrupt};
  for (std::uint64_t i = 0; i < tags && reader.good(); ++i) {
    const std::uint64_t size = reader.count();
    if (size > kLongestTag) return std::unexpected{Disbelief::kCorrupt};
    envelope.tags.emplace_back(reader.bytes(size));
  }
  const std::string_view body = reader.bytes(reader.count());
  if (!reader.done() || body.size() > options.most_body.bytes) {
    return std::unexpected{Disbelief::kCorrupt};
  }
  envelope.lifetime = *lifetime;
  envelope.load_cost = *cost;
  if ((flags & kAbsent) != 0) return envelope;
  envelope.body = (flags & kCompressed) != 0 ? decompressed(body, options.most_body.bytes)
                                             : std::optional{std::string{body}};
  if (!envelope.body) return std::unexpected{Disbelief::kCorrupt};
  return envelope;
}

}  // namespace larder::shared
