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
  if (info.fresh_until == info.usable_until) return false;  // nearly always: no division
  return to_ms(info.fresh_until) != to_ms(info.usable_until);
}

// Whether the head's fields do not suffice.
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

std::size_t EntryFields::before(std::size_t key_size, std::size_t value_size, Space space) {
  return EntryHead::kSize + (is_wide(key_size, value_size, space) ? kWide : 0);
}

std::size_t EntryFields::behind(const EntryInfo& info) {
  return (has_stale_window(info) ? sizeof(std::uint32_t) : 0) +
         (info.load_cost > Duration{} ? sizeof(std::uint32_t) : 0);
}

void EntryFields::write(char* block, std::size_t key_size, std::size_t value_size,
                        const EntryInfo& info, std::uint8_t generation) {
  auto& head = *reinterpret_cast<EntryHead*>(block);
  const std::uint64_t usable = to_ms(info.usable_until);
  const std::uint64_t filled = to_ms(info.filled_at);
  const bool wide = is_wide(key_size, value_size, info.space);
  const std::uint32_t weight = clamp32(value_size);

  head.older = head.newer = head.wheel_next = head.wheel_before = 0;
  head.uses = 0;
  head.space = static_cast<std::uint8_t>(info.space);
  head.generation = generation;
  put(reinterpret_cast<char*>(head.life), Span::pack(usable > filled ? usable - filled : 0));
  head.form = static_cast<std::uint8_t>(
      (info.absent ? EntryHead::kAbsent : 0) | (wide ? EntryHead::kWide : 0) |
      (has_stale_window(info) ? EntryHead::kStale : 0) |
      (info.load_cost > Duration{} ? EntryHead::kCost : 0) | usable << EntryHead::kFormBits);
  constexpr unsigned kInForm = 8 - EntryHead::kFormBits;
  const std::uint64_t high = usable >> kInForm;
  std::memcpy(head.usable_until, &high, sizeof head.usable_until);
  head.key_size = static_cast<std::uint8_t>(key_size);
  head.value_size = static_cast<std::uint16_t>(weight);
  if (!wide) return;

  char* const more = block + EntryHead::kSize;
  put(more, static_cast<std::uint32_t>(key_size >> 8));  // the fourth byte is written over
  put(more + 3, static_cast<std::uint16_t>(weight >> 16));
  put(more + 5, static_cast<std::uint8_t>(info.space >> 8));
}

void EntryFields::write_behind(char* end, const EntryInfo& info) {
  if (has_stale_window(info)) end = put(end, Span::pack(fresh_ms(info)));
  if (info.load_cost > Duration{}) {
    const auto us = std::chrono::duration_cast<Microseconds>(info.load_cost).count();
    put(end, clamp32(static_cast<std::uint64_t>(us)));
  }
}

}  // namespace larder::detail
