// An entry as it lies in the arena, byte by byte.
//
//    0  block   arena's header; its owner flags say in which eviction queue
//    4  older   ┐ eviction queue
//    8  newer   ┘
//   12  next    ┐ expiry wheel
//   16  before  ┘
//   20  uses    reads since last looked at for eviction, at most 3
//   21  space   its low byte
//   22  generation of the space
//   23  life    filled_at to usable_until, as a Span
//   27  form    what else there is, whether the entry is an absence; 2 low bits of usable_until
//   28  usable_until, milliseconds, high 40 of 42 bits
//   33  key size, 1 byte; value size, 2 bytes
//   36  kWide: 3 and 2 bytes more of the sizes, and the space's high byte
//       key, value
//       kStale: fresh life, as a Span, 4 bytes
//       kCost: load cost, microseconds, 4 bytes
//
// So an entry of bytes costs 36 bytes of header; a stale window and a load cost
// take room only where there are any. What a read needs lies together, from
// `uses` to the value, and at places that hardly depend on what is there.
// Everything from `space` on never changes once readers can see the entry; `uses`
// is atomic; the rest is for who holds the shard's mutex.
//
// Times are whole milliseconds since the clock's zero, rounded down; a
// usable_until from year 139 on means never.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>

#include "larder/detail/memory/arena.hpp"
#include "larder/entry.hpp"
#include "larder/weight.hpp"

namespace larder {

// A counted reference to an immutable value; null where there is none.
template <class T>
using Handle = std::shared_ptr<const T>;

namespace detail {

// The part of an entry that is the same for all types.
struct EntryHead {
  enum Form : std::uint8_t { kAbsent = 1, kWide = 2, kStale = 4, kCost = 8 };

  static constexpr std::size_t kSize = 36;
  static constexpr std::size_t kForm = 27;
  static constexpr unsigned kFormBits = 6;  // of form; then come those of usable_until
  static constexpr unsigned kUsableBits = 42;
  static constexpr std::uint64_t kNever = (std::uint64_t{1} << kUsableBits) - 1;

  std::uint32_t block;
  Ref older;
  Ref newer;
  Ref wheel_next;
  Ref wheel_before;
  std::uint8_t uses;
  std::uint8_t space;
  std::uint8_t generation;
  unsigned char life[4];
  std::uint8_t form;
  unsigned char usable_until[5];
  std::uint8_t key_size;
  std::uint16_t value_size;

  // Whole milliseconds since the clock's zero, within 42 bits.
  [[nodiscard]] static std::uint64_t to_ms(TimePoint time) {
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
    return ms <= 0 ? 0 : std::min(static_cast<std::uint64_t>(ms), kNever);
  }

  [[nodiscard]] bool is(Form what) const { return (form & what) != 0; }
  [[nodiscard]] std::uint64_t usable_until_ms() const {
    return form_and_times() >> kFormBits & kNever;
  }
  // Whether usable_until is later than `now`; in few instructions behind the load.
  [[nodiscard]] bool usable(TimePoint now) const {
    constexpr unsigned kAbove = 64 - kUsableBits - kFormBits;
    constexpr unsigned kBelow = 64 - kUsableBits;
    const std::uint64_t ms = std::min(to_ms(now), kNever - 1);  // never is later than all
    return form_and_times() << kAbove > (ms << kBelow | ((std::uint64_t{1} << kBelow) - 1));
  }

  [[nodiscard]] std::uint8_t used() {
    return std::atomic_ref{uses}.load(std::memory_order_relaxed);
  }
  void set_used(std::uint8_t times) {
    std::atomic_ref{uses}.store(times, std::memory_order_relaxed);
  }
  // A hot entry is no longer written to. Two readers may count as one.
  void count_use() {
    constexpr std::uint8_t kMost = 3;
    const std::uint8_t times = used();
    if (times < kMost) set_used(times + 1);
  }

 private:
  // From the lowest bit: form's own, those of usable_until, and what lies behind.
  // Little-endian, as all of larder's hosts.
  [[nodiscard]] std::uint64_t form_and_times() const {
    std::uint64_t word = 0;
    std::memcpy(&word, reinterpret_cast<const char*>(this) + kForm, sizeof word);
    return word;
  }
};

static_assert(offsetof(EntryHead, form) == EntryHead::kForm);
static_assert(sizeof(EntryHead) == EntryHead::kSize);

// Durations of up to years in 32 bits: 27 bits of milliseconds, exact up to 37
// hours, and an exponent.
class Span {
 public:
  static std::uint32_t pack(std::uint64_t ms);
  static std::uint64_t unpack(std::uint32_t span) {
    return static_cast<std::uint64_t>(span & kMantissa) << (span >> kBits);
  }

 private:
  static constexpr unsigned kBits = 27;
  static constexpr std::uint32_t kMantissa = (1U << kBits) - 1;
};

[[nodiscard]] inline std::uint64_t to_ms(TimePoint time) { return EntryHead::to_ms(time); }
[[nodiscard]] inline TimePoint from_ms(std::uint64_t ms) {
  if (ms == EntryHead::kNever) return TimePoint::max();
  return TimePoint{std::chrono::milliseconds{ms}};
}

// The entry but for key and value: how much it takes, and how it is written and
// read. Sizes are the layout's (EntryLayout).
class EntryFields {
 public:
  // Bytes in front of the key, and behind the value.
  static std::size_t before(std::size_t key_size, std::size_t value_size, Space space);
  static std::size_t behind(const EntryInfo& info);
  // Fills in what lies in front of the key.
  static void write(char* block, std::size_t key_size, std::size_t value_size,
                    const EntryInfo& info, std::uint8_t generation);
  // Fills in what lies behind the value.
  static void write_behind(char* end, const EntryInfo& info);

  explicit EntryFields(const char* block) : block_{block}, wide_{head().is(EntryHead::kWide)} {}

  [[nodiscard]] const EntryHead& head() const {
    return *reinterpret_cast<const EntryHead*>(block_);
  }
  [[nodiscard]] bool wide() const { return wide_; }
  [[nodiscard]] std::size_t before() const {
    return wide() ? EntryHead::kSize + kWide : EntryHead::kSize;
  }
  [[nodiscard]] std::size_t key_size() const {
    if (wide()) [[unlikely]]
      return head().key_size | (load(EntryHead::kSize) & kThreeBytes) << 8;
    return head().key_size;
  }
  [[nodiscard]] std::size_t value_size() const {
    if (wide()) [[unlikely]] {
      return head().value_size | (load(EntryHead::kSize + 3) & kTwoBytes) << 16;
    }
    return head().value_size;
  }
  [[nodiscard]] Space space() const {
    const unsigned high = wide() ? static_cast<unsigned char>(block_[EntryHead::kSize + 5]) : 0;
    return static_cast<Space>(head().space | high << 8);
  }
  // `end` is where the value ends.
  [[nodiscard]] EntryInfo info(std::size_t end) const {
    const std::uint64_t usable = head().usable_until_ms();
    std::uint32_t span = 0;
    std::memcpy(&span, head().life, sizeof span);
    const std::uint64_t life = Span::unpack(span);
    const std::uint64_t filled = usable > life ? usable - life : 0;
    EntryInfo info{.filled_at = from_ms(filled),
                   .fresh_until = from_ms(usable),
                   .usable_until = from_ms(usable),
                   .load_cost = {},
                   .absent = head().is(EntryHead::kAbsent),
                   .space = space()};
    if (head().is(EntryHead::kStale)) {
      info.fresh_until = from_ms(filled + Span::unpack(load(end)));
      end += sizeof(std::uint32_t);
    }
    if (head().is(EntryHead::kCost)) info.load_cost = std::chrono::microseconds{load(end)};
    return info;
  }

 private:
  [[nodiscard]] std::uint32_t load(std::size_t at) const {
    std::uint32_t word = 0;
    std::memcpy(&word, block_ + at, sizeof word);
    return word;
  }

  static constexpr std::size_t kWide = 6;
  static constexpr std::uint32_t kThreeBytes = 0xFF'FFFF;
  static constexpr std::uint32_t kTwoBytes = 0xFFFF;

  const char* block_;
  bool wide_;  // read once, so that the compiler sees that it stays
};

// Whether two runs of bytes are equal: without a call for short ones, as keys are.
[[nodiscard]] inline bool same_bytes(const char* a, const char* b, std::size_t size) {
  const auto differ = [a, b]<class Word>(std::size_t at, Word) {
    Word left;
    Word right;
    std::memcpy(&left, a + at, sizeof left);
    std::memcpy(&right, b + at, sizeof right);
    return left != right;
  };
  constexpr std::size_t kShort = 64;
  if (size > kShort) return std::memcmp(a, b, size) == 0;
  if (size >= 8) {
    for (std::size_t at = 0; at < size - 8; at += 8) {
      if (differ(at, std::uint64_t{})) return false;
    }
    return !differ(size - 8, std::uint64_t{});
  }
  if (size >= 4) return !differ(0, std::uint32_t{}) && !differ(size - 4, std::uint32_t{});
  for (std::size_t at = 0; at < size; ++at) {
    if (a[at] != b[at]) return false;
  }
  return true;
}

// The whole entry. A std::string is kept as bytes; of another type, the key
// itself, or a Handle to the value, lies in the block, and the value's size
// field says what it weighs.
template <class Key, class Value>
class EntryLayout {
 public:
  static constexpr bool kByteKey = std::is_same_v<Key, std::string>;
  static constexpr bool kByteValue = std::is_same_v<Value, std::string>;
  using KeyView = std::conditional_t<kByteKey, std::string_view, const Key&>;
  using ValueView = std::conditional_t<kByteValue, std::string_view, const Handle<Value>&>;

  static_assert(kByteKey || alignof(Key) <= 8, "a key in the memory tier is aligned to 8 bytes");

  static std::size_t key_size(KeyView key) {
    if constexpr (kByteKey) {
      return key.size();
    } else {
      return weigh(key) - sizeof(Key);  // what it owns elsewhere
    }
  }
  static std::size_t value_size(ValueView value) {
    if constexpr (kByteValue) {
      return value.size();
    } else {
      return value ? weigh(*value) : 0;
    }
  }

  static std::size_t block_size(KeyView key, ValueView value, const EntryInfo& info) {
    const std::size_t key_bytes = key_size(key);
    const std::size_t value_bytes = value_size(value);
    const std::size_t before = EntryFields::before(key_bytes, value_bytes, info.space);
    return value_end(key_end(before, key_bytes), value_bytes) + EntryFields::behind(info);
  }

  // Makes the entry in a block that is large enough.
  static void construct(char* block, KeyView key, ValueView value, const EntryInfo& info,
                        std::uint8_t generation) {
    const std::size_t key_bytes = key_size(key);
    const std::size_t value_bytes = value_size(value);
    EntryFields::write(block, key_bytes, value_bytes, info, generation);
    const std::size_t before = EntryFields::before(key_bytes, value_bytes, info.space);
    if constexpr (kByteKey) {
      if (key_bytes > 0) std::memcpy(block + before, key.data(), key_bytes);
    } else {
      new (block + aligned<Key>(before)) Key{key};
    }
    const std::size_t end = key_end(before, key_bytes);
    if constexpr (kByteValue) {
      if (value_bytes > 0) std::memcpy(block + end, value.data(), value_bytes);
    } else {
      new (block + aligned<Handle<Value>>(end)) Handle<Value>{value};
    }
    EntryFields::write_behind(block + value_end(end, value_bytes), info);
  }
  static void destroy(char* block) {
    const EntryLayout entry{block};
    if constexpr (!kByteValue) std::destroy_at(entry.handle());
    if constexpr (!kByteKey) std::destroy_at(entry.typed_key());
  }

  explicit EntryLayout(const char* block) : block_{block}, fields_{block} {}

  [[nodiscard]] KeyView key() const {
    if constexpr (kByteKey) {
      return {block_ + fields_.before(), fields_.key_size()};
    } else {
      return *typed_key();
    }
  }
  [[nodiscard]] bool has_key(KeyView wanted) const {
    if constexpr (kByteKey) {
      return fields_.key_size() == wanted.size() &&
             same_bytes(block_ + fields_.before(), wanted.data(), wanted.size());
    } else {
      return *typed_key() == wanted;
    }
  }
  // False of wide ones too. Behind it the compiler knows where key and value are, and the
  // processor asks for them together with the header instead of after it.
  [[nodiscard, gnu::always_inline]] bool is_plain_and_has(KeyView wanted) const {
    return !fields_.wide() && has_key(wanted);
  }
  [[nodiscard]] ValueView value() const {
    if constexpr (kByteValue) {
      return {block_ + key_end(), fields_.value_size()};
    } else {
      return *handle();
    }
  }
  [[nodiscard]] EntryInfo info() const {
    return fields_.info(value_end(key_end(), fields_.value_size()));
  }
  [[nodiscard]] Space space() const { return fields_.space(); }
  [[nodiscard]] std::size_t value_weight() const { return fields_.value_size(); }
  // Bytes that belong to the entry and lie elsewhere.
  [[nodiscard]] std::size_t elsewhere() const {
    return elsewhere(fields_.key_size(), fields_.value_size());
  }
  static std::size_t elsewhere(std::size_t key_size, std::size_t value_size) {
    constexpr std::size_t kControlBlock = 32;
    std::size_t bytes = 0;
    if constexpr (!kByteKey) bytes += key_size;
    if constexpr (!kByteValue) bytes += value_size == 0 ? 0 : value_size + kControlBlock;
    return bytes;
  }

 private:
  template <class T>
  static std::size_t aligned(std::size_t offset) {
    return (offset + alignof(T) - 1) / alignof(T) * alignof(T);
  }
  static std::size_t key_end(std::size_t before, std::size_t key_bytes) {
    if constexpr (kByteKey) {
      return before + key_bytes;
    } else {
      return aligned<Key>(before) + sizeof(Key);
    }
  }
  static std::size_t value_end(std::size_t key_end, std::size_t value_bytes) {
    if constexpr (kByteValue) {
      return key_end + value_bytes;
    } else {
      return aligned<Handle<Value>>(key_end) + sizeof(Handle<Value>);
    }
  }
  [[nodiscard]] std::size_t key_end() const {
    if constexpr (kByteKey) {
      return fields_.before() + fields_.key_size();
    } else {
      return key_end(fields_.before(), 0);
    }
  }
  [[nodiscard]] const Key* typed_key() const {
    return std::launder(reinterpret_cast<const Key*>(block_ + aligned<Key>(fields_.before())));
  }
  [[nodiscard]] const Handle<Value>* handle() const {
    return std::launder(
        reinterpret_cast<const Handle<Value>*>(block_ + aligned<Handle<Value>>(key_end())));
  }

  const char* block_;
  EntryFields fields_;
};

}  // namespace detail
}  // namespace larder
