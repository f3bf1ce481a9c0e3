// The demo's shop: a SQLite database of brands, products and reviews, the same
// on every machine for the same plan.
//
// Popular products have more reviews (Zipf, exponent 1/2). Reviews lie in the
// file in the order in which they were written, as in a real shop, so that one
// product's are scattered over it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string_view>

#include "demo/zipf.hpp"
#include "larder/error.hpp"

namespace larder::demo {

// Raised by every change to what build_shop writes, so that older files are made anew.
inline constexpr std::uint32_t kShopEdition = 1;

struct ShopPlan {
  std::uint32_t products = 100'000;   // from 1 to 4,194,304
  std::uint32_t reviews = 1'000'000;  // from 0
  std::uint64_t seed = 42;

  friend bool operator==(const ShopPlan&, const ShopPlan&) = default;
};

inline constexpr std::uint32_t kMostProducts = 1U << 22;

// Which products are asked for, and have the reviews: things are ids less one.
// The exponent is that of requests to web sites.
[[nodiscard]] Popularity popularity(const ShopPlan& plan);

// The page's query: one row for `:id`, or none.
[[nodiscard]] std::string_view page_query();
// The column of it that holds JSON.
inline constexpr std::string_view kPageJsonColumn = "latest_reviews";

enum class Found : std::uint8_t {
  kNothing,      // no file
  kThisShop,     // the shop of the plan, complete
  kAnotherShop,  // a shop of another plan or edition
  kForeign,      // something that build_shop did not make, or is damaged
};

// What `file` is. Cheap: the shop is known by one row that was written last.
[[nodiscard]] Found look_for_shop(const std::filesystem::path& file, const ShopPlan& plan);

// Called now and then with how much of the whole is done.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// Builds the shop beside `file` and puts it there when it is complete: whoever
// looks sees the old file, or none, or the whole. What was there is replaced;
// look before.
// kCancelled when `stop` was requested; nothing is left then, nor after an error.
[[nodiscard]] Result<void> build_shop(const std::filesystem::path& file, const ShopPlan& plan,
                                      const Progress& progress, const std::stop_token& stop = {});

}  // namespace larder::demo
