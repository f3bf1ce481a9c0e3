// Hashes of keys that nobody outside the process can foresee.
//
// Bytes are folded by 64 × 64 → 128-bit multiplications with secret operands, as
// wyhash does. The operands are drawn from the seed, so that a client who
// chooses keys cannot choose which of them collide.
//
// Threads: immutable once made.
#pragma once

#include <array>
#include <boost/container_hash/hash.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string_view>
#include <type_traits>

namespace larder::detail {

namespace hashing {
using boost::hash_value;

template <class Key>
concept OfStd = requires(const Key& key) {
  { std::hash<Key>{}(key) } -> std::convertible_to<std::size_t>;
};
template <class Key>
concept OfBoost = requires(const Key& key) {
  { hash_value(key) } -> std::convertible_to<std::size_t>;
};
}  // namespace hashing

// What a user's type of key hashes to by its own account. Not seeded.
template <class Key>
[[nodiscard]] std::size_t hash_by_type(const Key& key) {
  static_assert(hashing::OfStd<Key> || hashing::OfBoost<Key>,
                "a key needs a hash: specialise std::hash for its type, describe it with "
                "BOOST_DESCRIBE_STRUCT, or define hash_value(const Key&) beside it");
  if constexpr (hashing::OfStd<Key>) {
    return std::hash<Key>{}(key);
  } else if constexpr (hashing::OfBoost<Key>) {
    return boost::hash<Key>{}(key);
  } else {
    return 0;
  }
}

class KeyHash {
 public:
  // The same seed gives the same hashes.
  explicit KeyHash(std::uint64_t seed);
  [[nodiscard]] static std::uint64_t random_seed();

  // A string by its bytes, a number or enum by its value, all else as its
  // type says (hash_by_type).
  template <class Key>
  [[nodiscard]] std::uint64_t operator()(const Key& key) const {
    if constexpr (std::is_convertible_v<const Key&, std::string_view>) {
      return bytes(std::string_view{key});
    } else if constexpr (std::is_integral_v<Key> || std::is_enum_v<Key>) {
      return fold(static_cast<std::uint64_t>(key) ^ secret_[0], secret_[1]);
    } else {
      return fold(hash_by_type(key) ^ secret_[0], secret_[1]);
    }
  }

 private:
  static std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  template <class Word>
  static std::uint64_t load(const char* at) {
    Word word;
    std::memcpy(&word, at, sizeof word);
    return word;
  }

  [[nodiscard]] std::uint64_t bytes(std::string_view text) const {
    const char* at = text.data();
    const std::size_t size = text.size();
    std::uint64_t state = secret_[0];
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    if (size >= 16) {
      std::size_t left = size;
      for (; left > 16; left -= 16, at += 16) {
        state = fold(load<std::uint64_t>(at) ^ secret_[1], load<std::uint64_t>(at + 8) ^ state);
      }
      // The last 16 bytes, some of which may have been folded in already.
      first = load<std::uint64_t>(at + left - 16);
      last = load<std::uint64_t>(at + left - 8);
    } else if (size >= 8) {
      first = load<std::uint64_t>(at);
      last = load<std::uint64_t>(at + size - 8);
    } else if (size >= 4) {
      first = load<std::uint32_t>(at);
      last = load<std::uint32_t>(at + size - 4);
    } else if (size > 0) {
      first = load<std::uint8_t>(at) << 16 | load<std::uint8_t>(at + size / 2) << 8 |
              load<std::uint8_t>(at + size - 1);
    }
    return fold(secret_[2] ^ size, fold(first ^ secret_[1], last ^ state));
  }

  std::array<std::uint64_t, 3> secret_;  // odd, with about half of their bits set
};

}  // namespace larder::detail
