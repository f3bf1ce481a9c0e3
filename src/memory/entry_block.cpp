#include "larder/detail/memory/entry_block.hpp"

#include <bit>
#include <limits>

namespace larder::detail {

static_assert(std::endian::native == std::endian::little);

namespace {

using Microseconds = std::chrono::duration<std::int64_t, std::micro>;

std::uint64_t fresh_ms(const EntryInfo& info) {
  const std::uint64_t filled = to_ms(info.filled_at);
  const std::uint64_t fresh = to_ms(info.fresh_until);
  return fresh > filled ? fresh - filled : 0;
}

bool has_stale_window(const EntryInfo& info) {
  return to_ms(info.fresh_until) != to_ms(info.usable_until);
}

bool is_wide(std::size_t key_size, std::size_t value_size, Space space) {
  return key_size > std::numeric_limits<std::uint8_t>::max() ||
         value_size > std::numeric_limits<std::uint16_t>::max() ||
         space > std::numeric_limits<std::uint8_t>::max();
}

template <class T>
char* put(char* at, T value) {
  std::memcpy(at, &value, sizeof value);
  return at + sizeof value;
}

std::uint32_t clamp32(std::uint64_t value) {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(value, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

std::uint32_t Span::pack(std::uint64_t ms) {
  const auto width = static_cast<unsigned>(std::bit_width(ms));
  const unsigned exponent = width > kBits ? width - kBits : 0;
  return exponent << kBits | static_cast<std::uint32_t>(ms >> exponent);
}

std::uint64_t to_ms(TimePoint time) {
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  if (ms <= 0) return 0;
  return std::min(static_cast<std::uint64_t>(ms), EntryHead::kNever);
}

std::size_t EntryFields::size(std::size_t key_size, std::size_t value_size, const EntryInfo& info) {
  return EntryHead::kSize + (is_wide(key_size, value_size, info.space) ? kWide : kNarrow) +
         (has_stale_window(info) ? sizeof(std::uint32_t) : 0) +
         (info.load_cost > Duration{} ? sizeof(std::uint32_t) : 0);
}

char* EntryFields::write(char* block, std::size_t key_size, std::size_t value_size,
                         const EntryInfo& info, std::uint8_t generation) {
  auto& head = *reinterpret_cast<EntryHead*>(block);
  const std::uint64_t usable = to_ms(info.usable_until);
  const std::uint64_t filled = to_ms(info.filled_at);
  const bool wide = is_wide(key_size, value_size, info.space);
  const bool stale = has_stale_window(info);
  const bool cost = info.load_cost > Duration{};

  head.older = head.newer = head.wheel_next = head.wheel_before = 0;
  head.uses = 0;
  head.form = static_cast<std::uint8_t>(
      (info.absent ? EntryHead::kAbsent : 0) | (wide ? EntryHead::kWide : 0) |
      (stale ? EntryHead::kStale : 0) | (cost ? EntryHead::kCost : 0) |
      usable >> EntryHead::kUsableBits << EntryHead::kFormBits);
  head.space = static_cast<std::uint8_t>(info.space);
  head.generation = generation;
  head.life = Span::pack(usable > filled ? usable - filled : 0);
  std::memcpy(head.usable_until, &usable, sizeof head.usable_until);

  char* at = block + EntryHead::kSize;
  if (wide) {
    at = put(at, static_cast<std::uint32_t>(key_size));
    at = put(at, clamp32(value_size));
    at = put(at, static_cast<std::uint8_t>(info.space >> 8));
  } else {
    at = put(at, static_cast<std::uint8_t>(key_size));
    at = put(at, static_cast<std::uint16_t>(value_size));
  }
  if (stale) at = put(at, Span::pack(fresh_ms(info)));
  if (cost) {
    const auto us = std::chrono::duration_cast<Microseconds>(info.load_cost).count();
    at = put(at, clamp32(static_cast<std::uint64_t>(us)));
  }
  return at;
}

}  // namespace larder::detail
