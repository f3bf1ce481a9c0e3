// What the shared tier's keys and channels are called.
//
//   one server      NS:CACHE:KEY            a value          NS/CACHE/generation
//   a cluster       NS:{7f}:CACHE:KEY                        NS/{7f}/CACHE/generation
//
// In a cluster each key belongs to one of 256 buckets, whose number is the hash tag, so that
// a bucket is in one slot with all that its keys' steps need: their cache's generation there,
// and the channel on which its invalidations are announced. Names of caches and the
// namespace have neither ':' nor '/' nor braces, so no two keys are one.
//
// Threads: pure functions and plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace larder::shared {

class KeyNames {
 public:
  using Bucket = std::uint8_t;
  static constexpr std::size_t kBuckets = 256;

  KeyNames(std::string name_space, bool in_buckets)
      : name_space_{std::move(name_space)}, in_buckets_{in_buckets} {}

  [[nodiscard]] bool in_buckets() const { return in_buckets_; }
  // Of a key as its cache names it; 0 without buckets.
  [[nodiscard]] Bucket bucket(std::string_view cache, std::string_view key) const;
  // Of a value's name, as value() gave it.
  [[nodiscard]] Bucket bucket_in(std::string_view name) const;

  [[nodiscard]] std::string value(const std::string& cache, std::string_view key) const;
  // What value() was given, of what it gave.
  [[nodiscard]] std::string_view key_in(const std::string& cache, std::string_view name) const;
  [[nodiscard]] std::string generation(const std::string& cache, Bucket bucket) const;
  // The permits to load from a source, and the bucket that they are in.
  [[nodiscard]] std::string loads(const std::string& source) const;
  [[nodiscard]] Bucket bucket_of_loads(std::string_view source) const { return bucket("", source); }
  // A key that nobody reads.
  [[nodiscard]] std::string probe(Bucket bucket) const;
  // The stream of announcements of one server; a bucket's channel.
  [[nodiscard]] std::string stream() const { return name_space_ + "/announcements"; }
  [[nodiscard]] std::string channel(Bucket bucket) const;

  // The slot of all of a bucket's names.
  [[nodiscard]] static std::uint16_t slot(Bucket bucket);

 private:
  [[nodiscard]] std::string beside(Bucket bucket) const;

  std::string name_space_;
  bool in_buckets_;
};

}  // namespace larder::shared
