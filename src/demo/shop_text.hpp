// What is written in the shop: names of brands and products, and reviews whose
// words fit their stars. Composed from word lists, so that pages look and weigh
// like a real shop's.
//
// Threads: pure functions of their arguments (the generator is the caller's).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "demo/random.hpp"

namespace larder::demo {

struct Brand {
  std::string name;
  std::string_view country;
  std::uint32_t category = 0;  // what it makes
};

struct Product {
  std::string name;
  std::string description;
  std::uint32_t price_cents = 0;
  std::uint32_t category = 0;
  std::uint32_t noun = 0;          // within its category; what reviews call it
  std::uint32_t satisfaction = 0;  // 0 to 100: how well it is liked
};

struct Review {
  std::uint32_t stars = 0;  // 1 to 5
  std::string author;
  std::string title;
  std::string text;
};

[[nodiscard]] std::uint32_t category_count();

// REQUIRES: category < category_count().
[[nodiscard]] Brand make_brand(std::uint32_t category, Random& random);
[[nodiscard]] Product make_product(const Brand& brand, Random& random);

// Writes over `review`, whose strings' memory is used again.
void write_review(const Product& product, Random& random, Review& review);

}  // namespace larder::demo
