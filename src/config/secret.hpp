// A setting's value that may carry a password.
//
// It has no way to print itself: who needs the value says reveal(), which a
// reader of the code can find; everybody else shows describe_url().
//
// Threads: plain values.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace larder {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_{std::move(value)} {}

  // The value, for the one who connects with it. Never log it.
  [[nodiscard]] const std::string& reveal() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }

  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  std::string value_;
};

// `url` as it may be shown: without password and query, which may carry one too.
// "postgresql://shop:x@db/shop?password=x" → "postgresql://shop@db/shop".
[[nodiscard]] std::string describe_url(std::string_view url);

}  // namespace larder
