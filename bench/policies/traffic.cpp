#include "traffic.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>
#include <unordered_map>
#include <vector>

namespace larder::bench {

namespace {

using simulate::KeyId;
using simulate::Trace;

constexpr std::size_t kPopular = 20'000;  // keys

// Chance, and a trace that grows. Keys may be any numbers; the trace counts them through.
class Maker {
 public:
  Maker(std::size_t accesses, std::uint64_t seed) : accesses_{accesses}, random_{seed} {}
  [[nodiscard]] bool more() const { return trace_.accesses.size() < accesses_; }
  [[nodiscard]] std::size_t done() const { return trace_.accesses.size(); }

  void read(std::uint64_t key, std::uint64_t bytes = 1) {
    if (!more()) return;
    const auto [found, fresh] = ids_.try_emplace(key, static_cast<KeyId>(trace_.keys));
    if (fresh) {
      ++trace_.keys;
      trace_.total_bytes += bytes;
    }
    trace_.has_bytes = trace_.has_bytes || bytes != 1;
    trace_.accesses.push_back(
        {found->second, bytes, std::chrono::milliseconds{trace_.accesses.size()}});
  }
  // A key that was not read before.
  std::uint64_t new_key() { return kNew + new_keys_++; }

  double uniform() { return std::uniform_real_distribution{}(random_); }
  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  std::mt19937_64& random() { return random_; }

  Trace take() { return std::move(trace_); }

 private:
  static constexpr std::uint64_t kNew = std::uint64_t{1} << 40;

  const std::size_t accesses_;
  std::mt19937_64 random_;
  std::uint64_t new_keys_ = 0;
  std::unordered_map<std::uint64_t, KeyId> ids_;
  Trace trace_;
};

// Places from 0, of which place k has weight 1 / (k + 1)^exponent.
class Zipf {
 public:
  Zipf(std::size_t places, double exponent) : sums_(places) {
    double sum = 0;
    for (std::size_t i = 0; i < places; ++i) {
      sums_[i] = sum += 1 / std::pow(static_cast<double>(i + 1), exponent);
    }
  }
  std::uint64_t draw(Maker& maker) const {
    const auto found = std::ranges::upper_bound(sums_, maker.uniform() * sums_.back());
    return std::min<std::uint64_t>(static_cast<std::uint64_t>(found - sums_.begin()),
                                   sums_.size() - 1);
  }

 private:
  std::vector<double> sums_;
};

Trace scans(std::size_t accesses, std::uint64_t seed) {
  Maker maker{accesses, seed};
  const Zipf zipf{kPopular, 0.9};
  while (maker.more()) {
    for (int i = 0; i < 40'000; ++i) maker.read(zipf.draw(maker));
    for (int i = 0; i < 10'000; ++i) maker.read(maker.new_key());
  }
  return maker.take();
}

Trace circle(std::size_t accesses, std::uint64_t seed) {
  constexpr std::uint64_t kCircle = 8'400;
  Maker maker{accesses, seed};
  for (std::uint64_t at = 0; maker.more(); ++at) maker.read(at % kCircle);
  return maker.take();
}

Trace loop(std::size_t accesses, std::uint64_t seed) {
  constexpr std::uint64_t kLoop = 10'000;
  Maker maker{accesses, seed};
  const Zipf zipf{kPopular, 0.9};
  for (std::uint64_t at = 0; maker.more();) {
    maker.read(maker.below(10) == 0 ? kLoop + zipf.draw(maker) : at++ % kLoop);
  }
  return maker.take();
}

Trace jumps(std::size_t accesses, std::uint64_t seed) {
  Maker maker{accesses, seed};
  const Zipf zipf{kPopular, 1};
  std::vector<std::uint64_t> keys(kPopular);
  std::iota(keys.begin(), keys.end(), 0);
  while (maker.more()) {
    std::ranges::shuffle(keys, maker.random());
    for (int i = 0; i < 50'000; ++i) maker.read(keys[zipf.draw(maker)]);
  }
  return maker.take();
}

// The newest is the most popular, and each tenth access finds one newer.
Trace news(std::size_t accesses, std::uint64_t seed) {
  Maker maker{accesses, seed};
  const Zipf zipf{kPopular, 0.9};
  while (maker.more()) maker.read(kPopular + maker.done() / 10 - zipf.draw(maker));
  return maker.take();
}

// Four in five read again what was read a while ago, and a while is as likely to be
// between 10 and 20 accesses as between 10,000 and 20,000.
Trace recency(std::size_t accesses, std::uint64_t seed) {
  constexpr double kLongest = 50'000;
  Maker maker{accesses, seed};
  std::vector<std::uint64_t> read;
  while (maker.more()) {
    const auto ago = static_cast<std::size_t>(std::pow(kLongest, maker.uniform()));
    const bool again = maker.below(5) != 0 && ago <= read.size();
    read.push_back(again ? read[read.size() - ago] : maker.new_key());
    maker.read(read.back());
  }
  return maker.take();
}

// Three in five read one of few keys, the others one of very many; in no order at all.
Trace frequency(std::size_t accesses, std::uint64_t seed) {
  constexpr std::uint64_t kFew = 1500;
  constexpr std::uint64_t kMany = 200'000;
  Maker maker{accesses, seed};
  while (maker.more()) {
    maker.read(maker.below(5) < 3 ? maker.below(kFew) : kFew + maker.below(kMany));
  }
  return maker.take();
}

// What comes is read once more 3,000 accesses later and never again; some are popular.
Trace delay(std::size_t accesses, std::uint64_t seed) {
  constexpr std::size_t kDelay = 1'500;  // keys
  Maker maker{accesses, seed};
  const Zipf zipf{kPopular, 0.9};
  std::vector<std::uint64_t> came;
  while (maker.more()) {
    came.push_back(maker.new_key());
    maker.read(came.back());
    if (came.size() > kDelay) maker.read(came[came.size() - 1 - kDelay]);
    if (maker.below(2) == 0) maker.read(zipf.draw(maker));
  }
  return maker.take();
}

// By day what is popular, by night a job that reads twice what nobody else reads.
Trace days(std::size_t accesses, std::uint64_t seed) {
  constexpr std::uint64_t kNightly = 12'000;
  Maker maker{accesses, seed};
  const Zipf zipf{kPopular, 0.9};
  while (maker.more()) {
    for (int i = 0; i < 60'000; ++i) maker.read(kNightly + zipf.draw(maker));
    for (std::uint64_t i = 0; i < 2 * kNightly; ++i) maker.read(i % kNightly);
  }
  return maker.take();
}

// Of 100 B to 2 KB, but for one in ten up to 64 KB, and one in a hundred up to 8 MB.
Trace sizes(std::size_t accesses, std::uint64_t seed) {
  Maker maker{accesses, seed};
  const Zipf zipf{kPopular, 0.9};
  std::vector<std::uint64_t> bytes(kPopular);
  for (auto& each : bytes) {
    const std::uint64_t kind = maker.below(100);
    const double most = kind == 0 ? 8e6 : kind <= 10 ? 64e3 : 2e3;
    const double least = kind == 0 ? 1e6 : kind <= 10 ? 8e3 : 100;
    each = static_cast<std::uint64_t>(least * std::pow(most / least, maker.uniform()));
  }
  while (maker.more()) {
    const std::uint64_t key = zipf.draw(maker);
    maker.read(key, bytes[key]);
  }
  return maker.take();
}

constexpr std::array kKinds{
    Traffic{"scans", "popular keys, and scans of what is read once", scans},
    Traffic{"circle", "a loop of 8,400 keys, and nothing else", circle},
    Traffic{"loop", "a loop of 10,000 keys, and one in ten something else", loop},
    Traffic{"jumps", "what is popular is at once something else, again and again", jumps},
    Traffic{"news", "the newest is the most popular", news},
    Traffic{"recency", "what was read is read again, soon or late", recency},
    Traffic{"frequency", "few keys often, very many keys seldom", frequency},
    Traffic{"delay", "each key once more after a fixed while; some are popular", delay},
    Traffic{"days", "popular keys by day, by night a job that reads others twice", days},
    Traffic{"sizes", "popular keys of 100 B to 8 MB", sizes},
};

}  // namespace

std::span<const Traffic> kinds_of_traffic() { return kKinds; }

}  // namespace larder::bench
