// An entry as it lies in the arena, byte by byte.
//
//    0  block   arena's header; its owner flags say in which eviction queue
//    4  older   ┐ eviction queue
//    8  newer   ┘
//   12  next    ┐ expiry wheel
//   16  before  ┘
//   20  uses    reads since last looked at for eviction, at most 3
//   21  form    what follows, whether the entry is an absence, high bits of usable_until
//   22  space   its low byte
//   23  generation of the space
//   24  life    filled_at to usable_until, as a Span
//   28  usable_until, milliseconds, low 40 of 42 bits
//   33  key size, 1 byte; value size, 2 bytes   (kWide: 4 and 4 bytes, and the space's high byte)
//       kStale: fresh life, as a Span, 4 bytes
//       kCost: load cost, microseconds, 4 bytes
//       key, value
//
// So an entry of bytes costs 36 bytes of header; a stale window and a load cost
// take room only where there are any. Everything from `form` on never changes
// once readers can see the entry; `uses` is atomic; the rest is for who holds
// the shard's mutex.
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

  static constexpr std::size_t kSize = 33;
  static constexpr std::size_t kUsableUntil = 28;
  static constexpr unsigned kFormBits = 6;  // of form; the rest are the high ones of usable_until
  static constexpr unsigned kUsableBits = 40;
  static constexpr std::uint64_t kLowBits = (std::uint64_t{1} << kUsableBits) - 1;
  static constexpr std::uint64_t kNever = (std::uint64_t{1} << (kUsableBits + 2)) - 1;

  std::uint32_t block;
  Ref older;
  Ref newer;
  Ref wheel_next;
  Ref wheel_before;
  std::uint8_t uses;
  std::uint8_t form;
  std::uint8_t space;
  std::uint8_t generation;
  std::uint32_t life;
  unsigned char usable_until[5];

  [[nodiscard]] std::uint64_t usable_until_ms() const {
    // The three bytes behind belong to the entry too. Little-endian, as all of larder's hosts.
    std::uint64_t word = 0;
    std::memcpy(&word, reinterpret_cast<const char*>(this) + kUsableUntil, sizeof word);
    return (word & kLowBits) | static_cast<std::uint64_t>(form >> kFormBits) << kUsableBits;
  }
  [[nodiscard]] bool usable(TimePoint now) const {
    const std::uint64_t until = usable_until_ms();
    return now.time_since_epoch().count() <
               static_cast<std::int64_t>(until) * std::int64_t{1'000'000} ||
           until == kNever;
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
};

static_assert(offsetof(EntryHead, usable_until) == EntryHead::kUsableUntil);

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

// Whole milliseconds since the clock's zero, within 42 bits.
[[nodiscard]] std::uint64_t to_ms(TimePoint time);
[[nodiscard]] inline TimePoint from_ms(std::uint64_t ms) {
  if (ms == EntryHead::kNever) return TimePoint::max();
  return TimePoint{std::chrono::milliseconds{ms}};
}

// Writes and reads what lies between the head and the key.
class EntryFields {
 public:
  // How many bytes the head and these fields take.
  static std::size_t size(std::size_t key_size, std::size_t value_size, const EntryInfo& info);
  // Fills in head and fields; returns where the key begins.
  static char* write(char* block, std::size_t key_size, std::size_t value_size,
                     const EntryInfo& info, std::uint8_t generation);

  explicit EntryFields(const char* block) : head_{reinterpret_cast<const EntryHead*>(block)} {
    const char* at = block + EntryHead::kSize;
    if ((head_->form & EntryHead::kWide) == 0) [[likely]] {
      key_size_ = static_cast<unsigned char>(*at);
      std::uint16_t value_size = 0;
      std::memcpy(&value_size, at + 1, sizeof value_size);
      value_size_ = value_size;
      at += kNarrow;
    } else {
      std::memcpy(&key_size_, at, sizeof key_size_);
      std::memcpy(&value_size_, at + 4, sizeof value_size_);
      space_high_ = static_cast<unsigned char>(at[8]);
      at += kWide;
    }
    optional_ = at;
    if ((head_->form & EntryHead::kStale) != 0) at += sizeof(std::uint32_t);
    if ((head_->form & EntryHead::kCost) != 0) at += sizeof(std::uint32_t);
    end_ = at;
  }

  [[nodiscard]] std::size_t key_size() const { return key_size_; }
  [[nodiscard]] std::size_t value_size() const { return value_size_; }
  [[nodiscard]] Space space() const { return static_cast<Space>(head_->space | space_high_ << 8); }
  [[nodiscard]] const char* end() const { return end_; }

  [[nodiscard]] EntryInfo info() const {
    const std::uint64_t usable = head_->usable_until_ms();
    const std::uint64_t life = Span::unpack(head_->life);
    const std::uint64_t filled = usable > life ? usable - life : 0;
    EntryInfo info{.filled_at = from_ms(filled),
                   .fresh_until = from_ms(usable),
                   .usable_until = from_ms(usable),
                   .load_cost = {},
                   .absent = (head_->form & EntryHead::kAbsent) != 0,
                   .space = space()};
    const char* at = optional_;
    if ((head_->form & EntryHead::kStale) != 0) {
      info.fresh_until = from_ms(filled + Span::unpack(load(at)));
      at += sizeof(std::uint32_t);
    }
    if ((head_->form & EntryHead::kCost) != 0) info.load_cost = std::chrono::microseconds{load(at)};
    return info;
  }

 private:
  static std::uint32_t load(const char* at) {
    std::uint32_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
  }

  static constexpr std::size_t kNarrow = 3;
  static constexpr std::size_t kWide = 9;

  const EntryHead* head_;
  const char* optional_;
  const char* end_;
  std::uint32_t key_size_ = 0;
  std::uint32_t value_size_ = 0;
  unsigned space_high_ = 0;
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
    std::size_t end = key_end(EntryFields::size(key_bytes, value_bytes, info), key_bytes);
    if constexpr (kByteValue) {
      end += value_bytes;
    } else {
      end = aligned<Handle<Value>>(end) + sizeof(Handle<Value>);
    }
    return end;
  }

  // Makes the entry in a block that is large enough.
  static void construct(char* block, KeyView key, ValueView value, const EntryInfo& info,
                        std::uint8_t generation) {
    const std::size_t key_bytes = key_size(key);
    const std::size_t value_bytes = value_size(value);
    const auto fields = static_cast<std::size_t>(
        EntryFields::write(block, key_bytes, value_bytes, info, generation) - block);
    if constexpr (kByteKey) {
      if (key_bytes > 0) std::memcpy(block + fields, key.data(), key_bytes);
    } else {
      new (block + aligned<Key>(fields)) Key{key};
    }
    const std::size_t end = key_end(fields, key_bytes);
    if constexpr (kByteValue) {
      if (value_bytes > 0) std::memcpy(block + end, value.data(), value_bytes);
    } else {
      new (block + aligned<Handle<Value>>(end)) Handle<Value>{value};
    }
  }
  static void destroy(char* block) {
    const EntryLayout entry{block};
    if constexpr (!kByteValue) std::destroy_at(entry.handle());
    if constexpr (!kByteKey) std::destroy_at(entry.typed_key());
  }

  explicit EntryLayout(const char* block) : block_{block}, fields_{block} {}

  [[nodiscard]] KeyView key() const {
    if constexpr (kByteKey) {
      return {fields_.end(), fields_.key_size()};
    } else {
      return *typed_key();
    }
  }
  [[nodiscard]] bool has_key(KeyView wanted) const {
    if constexpr (kByteKey) {
      return fields_.key_size() == wanted.size() &&
             same_bytes(fields_.end(), wanted.data(), wanted.size());
    } else {
      return *typed_key() == wanted;
    }
  }
  [[nodiscard]] ValueView value() const {
    if constexpr (kByteValue) {
      return {block_ + key_end(), fields_.value_size()};
    } else {
      return *handle();
    }
  }
  [[nodiscard]] EntryInfo info() const { return fields_.info(); }
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
  static std::size_t key_end(std::size_t fields, std::size_t key_bytes) {
    if constexpr (kByteKey) {
      return fields + key_bytes;
    } else {
      return aligned<Key>(fields) + sizeof(Key);
    }
  }
  [[nodiscard]] std::size_t key_end() const {
    return key_end(static_cast<std::size_t>(fields_.end() - block_), fields_.key_size());
  }
  [[nodiscard]] const Key* typed_key() const {
    const auto fields = static_cast<std::size_t>(fields_.end() - block_);
    return std::launder(reinterpret_cast<const Key*>(block_ + aligned<Key>(fields)));
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
