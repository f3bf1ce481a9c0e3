// How a cache is set up, and how a single call may differ.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "larder/clock.hpp"
#include "larder/entry.hpp"
#include "larder/load_gate.hpp"
#include "larder/memory_tier.hpp"
#include "larder/shared_tier.hpp"
#include "larder/source_of.hpp"
#include "larder/writer_of.hpp"

namespace larder {

// How reads and writes travel.
enum class Strategy : std::uint8_t {
  kCacheAside,    // the caller loads, and puts what it loaded; get never asks a source
  kReadThrough,   // get loads what is missing; the caller writes to the source and invalidates
  kWriteThrough,  // get as read-through; put and remove write to the source and then keep what it
                  // holds
  kWriteBehind,   // the same, but the writer keeps what is written and the source has it later;
                  // put and remove end when it is kept
};

[[nodiscard]] constexpr std::string_view to_string(Strategy strategy) {
  switch (strategy) {
    case Strategy::kCacheAside: return "cache-aside";
    case Strategy::kReadThrough: return "read-through";
    case Strategy::kWriteThrough: return "write-through";
    case Strategy::kWriteBehind: return "write-behind";
  }
  return "unknown";
}

// Whether put and remove reach the source.
[[nodiscard]] constexpr bool writes_to_source(Strategy strategy) {
  return strategy == Strategy::kWriteThrough || strategy == Strategy::kWriteBehind;
}

// What becomes of a write when the shared tier cannot be told of it beforehand.
enum class OnSharedDown : std::uint8_t {
  kWrite,   // it is done; other processes are told when they can be
  kRefuse,  // it is not done, and its caller gets kOverloaded
};

// Of one reading call. Trivially copyable, so that it may stand in a co_await
// expression under g++ 12.
struct ReadOptions {
  // How long this call waits; then it answers kTimeout, and the load goes on for
  // the others. None: until the load ends, which LoadLimits::timeout bounds.
  std::optional<Duration> timeout{};
  // Load anew even if there is a copy: the answer was true at some time after the call began.
  bool force = false;
  // What a load that this call starts gives its entry, instead of the cache's ttl.
  std::optional<Duration> ttl{};
};
static_assert(std::is_trivially_copyable_v<ReadOptions>);

// Of one writing call.
struct WriteOptions {
  std::optional<Duration> ttl{};  // instead of the cache's
  // Write-through: how long this call waits; then it answers kTimeout, and the write goes on.
  std::optional<Duration> timeout{};
};
static_assert(std::is_trivially_copyable_v<WriteOptions>);

// How keys and values are said in a shared tier: shared_words.hpp, which shared.hpp includes.
template <class Key, class Value, class C = void>
struct SharedWords;

// A shared tier, for a cache of these types:
//
//   .shared = redis                                 // values by their type's codec
//   .shared = {redis, "2"}                          // … of a second version: others are misses
//   .shared = {redis, "2", Protobuf<Product>{}}     // values by that codec (codec.hpp)
//
// or the cache's part of one, and how keys and values are said in it. Keys that are equal must be
// said alike, others differently. Caches of the same name, over sources of the same description
// (functions have one for all) and with keys and values of the same shape, share their copies;
// another meaning of the same needs another version.
template <class Key, class Value>
struct SharedWith {
  using KeyView = typename MemoryTier<Key, Value>::KeyView;

  SharedWith() = default;
  template <std::derived_from<SharedTier> Tier>
  SharedWith(std::shared_ptr<Tier> tier)  // NOLINT: implicit, so that options read well
      : SharedWith{std::move(tier), std::string{}} {}
  SharedWith(std::shared_ptr<SharedTier> tier, std::string version)
      : SharedWith{Saying<SharedWords<Key, Value>>{}, std::move(tier), std::move(version)} {}
  template <class C>
  SharedWith(std::shared_ptr<SharedTier> tier, std::string version, C /*codec*/)
      : SharedWith{Saying<SharedWords<Key, Value, C>>{}, std::move(tier), std::move(version)} {}
  SharedWith(std::shared_ptr<SharedCopies> of_cache, std::function<std::string(KeyView)> key_text,
             std::function<std::string(const Value&)> encode_value,
             std::function<Result<Value>(std::string)> decode_value)
      : copies{std::move(of_cache)},
        key{std::move(key_text)},
        encode{std::move(encode_value)},
        decode{std::move(decode_value)} {}
  SharedWith(std::shared_ptr<SharedCopies> of_cache)  // NOLINT: implicit, so that options read well
    requires std::same_as<Key, std::string> && std::same_as<Value, std::string>
      : SharedWith{std::move(of_cache), [](KeyView bytes) { return std::string{bytes}; },
                   [](const std::string& bytes) { return bytes; },
                   [](std::string bytes) -> Result<std::string> { return bytes; }} {}

  explicit operator bool() const { return copies != nullptr; }

  // The value's bytes; none: it cannot be said in the codec's format. Whatever a codec throws ends
  // here.
  [[nodiscard]] std::optional<std::string> encoded(const Value& value) const {
    try {
      return encode(value);
    } catch (...) {
      return std::nullopt;
    }
  }
  // The value of the bytes; none: there is none.
  [[nodiscard]] std::optional<Value> decoded(std::string bytes) const {
    try {
      Result<Value> value = decode(std::move(bytes));
      if (value) return std::optional<Value>{std::in_place, std::move(*value)};
    } catch (...) {
      return std::nullopt;
    }
    return std::nullopt;
  }

  // Gives `copies` for the cache of that name over that source, as it is described; null: they
  // are there, or there is no tier.
  std::function<std::shared_ptr<SharedCopies>(const std::string& cache, const std::string& source)>
      part{};
  std::shared_ptr<SharedCopies> copies{};                    // null: none
  std::function<std::string(KeyView)> key{};                 // must not throw
  std::function<std::string(const Value&)> encode{};         // may throw
  std::function<Result<Value>(std::string bytes)> decode{};  // of any bytes; may throw
  // The key that `key` says so; null: what another process invalidates drops all copies
  // here. A cache of strings needs none.
  std::function<std::optional<Key>(std::string_view text)> parse_key{};

 private:
  template <class Words>
  struct Saying {};
  template <class Words>
  SharedWith(Saying<Words> /*words*/, std::shared_ptr<SharedTier> tier, std::string version)
      : key{[](KeyView said) { return Words::key(said); }},
        encode{[](const Value& value) { return Words::encode(value); }},
        decode{[](std::string bytes) { return Words::decode(std::move(bytes)); }},
        parse_key{[](std::string_view text) { return Words::parse_key(text); }} {
    if (!tier) return;
    part = [tier = std::move(tier), version = std::move(version)](const std::string& cache,
                                                                  const std::string& source) {
      return Words::part(*tier, cache, source, version);
    };
  }
};

template <class Key, class Value>
struct CacheOptions {
  // Behaviour.
  std::string name = "cache";     // in metrics and messages
  SourceOf<Key, Value> source{};  // a function, an object with load(), a Source; or none
  // Takes what is put and removed to the source: a function, an object with write(), a Writer.
  WriterOf<Key, Value> writer{};
  // None: write-through with a writer, else read-through with a source, else cache-aside.
  std::optional<Strategy> strategy{};
  MemoryOptions memory{};                          // of a memory tier of its own …
  std::shared_ptr<MemoryTier<Key, Value>> tier{};  // … or one shared by several caches,
  Space space = 0;                                 // in which each has a number
  Duration ttl = std::chrono::minutes{5};          // see Freshness for these three
  double jitter = 0.1;
  Duration negative_ttl = std::chrono::seconds{5};
  // A write whose outcome nobody knows may land for so long: until then nothing is kept of its
  // key. To be longer than the source's timeouts for a statement and a commit.
  Duration unknown_write = std::chrono::seconds{30};
  // Copies that many processes share; read-through and write-through only. What another process
  // invalidates is gone from there at once, and from this process's memory after memory_ttl at the
  // latest.
  SharedWith<Key, Value> shared{};
  OnSharedDown on_shared_down = OnSharedDown::kWrite;  // write-through
  // The longest that memory keeps a copy. None: its ttl; over a shared tier that tells nobody what
  // others invalidate, a second.
  std::optional<Duration> memory_ttl{};
  LoadLimits loads{};                   // of a gate of its own …
  std::shared_ptr<LoadGate> gate{};     // … or the one that caches on the same source share
  LoadLimits writes{.concurrent = 64};  // likewise, of writes through the writer
  std::shared_ptr<LoadGate> write_gate{};
};

}  // namespace larder
