// The product-page workload: viewers, each of whom asks for a page, waits until
// it is there, and asks for the next. The same seed asks for the same pages in
// the same order, whoever answers.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>

#include "demo/histogram.hpp"
#include "demo/random.hpp"
#include "demo/zipf.hpp"
#include "larder/clock.hpp"
#include "larder/error.hpp"

namespace larder::demo {

// Threads: one viewer, one thread; the popularity is shared and must outlive it.
class Viewer {
 public:
  Viewer(const Popularity& popularity, std::uint64_t seed, std::uint32_t number)
      : popularity_{&popularity}, random_{seed, kFirstStream + number} {}

  // The id of the product whose page it wants to see now.
  [[nodiscard]] std::int64_t next() { return std::int64_t{popularity_->draw(random_)} + 1; }

 private:
  static constexpr std::uint64_t kFirstStream = 1'000;  // past those of the shop

  const Popularity* popularity_;
  Random random_;
};

// The key under which larder has a product's page.
[[nodiscard]] inline std::string page_key(std::int64_t product) {
  return "product:" + std::to_string(product);
}

// What viewers saw during a run.
struct Measured {
  std::uint64_t pages = 0;
  std::uint64_t queries = 0;  // that the database answered meanwhile
  Duration took{};
  Duration serving{};  // processor time of whoever made the pages
  Duration viewing{};  // processor time of the viewers, where they are apart from that
  Histogram latencies{};

  [[nodiscard]] double pages_per_second() const { return rate(pages); }
  [[nodiscard]] double queries_per_second() const { return rate(queries); }
  // The share of pages that cost no query, from 0 to 1.
  [[nodiscard]] double hit_ratio() const {
    if (pages == 0 || queries >= pages) return 0;
    return 1 - static_cast<double>(queries) / static_cast<double>(pages);
  }
  // Of `time`, that all pages took.
  [[nodiscard]] Duration per_page(Duration time) const {
    return pages == 0 ? Duration::zero() : time / static_cast<Duration::rep>(pages);
  }

 private:
  [[nodiscard]] double rate(std::uint64_t events) const {
    const double seconds = std::chrono::duration<double>{took}.count();
    return seconds > 0 ? static_cast<double>(events) / seconds : 0;
  }
};

// All viewers' shares as one; the first error among them; kCancelled after `stop`.
[[nodiscard]] Result<Measured> merge(std::span<const Result<Measured>> shares, Duration took,
                                     const std::stop_token& stop);

}  // namespace larder::demo
