// What a read brings: a value, the knowledge that there is none, or an error;
// and where it came from.
#pragma once

#include <cassert>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "larder/memory_tier.hpp"

namespace larder {

// Who gave an answer.
enum class Origin : std::uint8_t {
  kMemory,  // a copy in this process
  kShared,  // a copy that many processes share
  kSource,  // a load, this call's own or one that it waited for
  kNone,    // nobody: no copy, and nobody was asked
};

[[nodiscard]] constexpr std::string_view to_string(Origin origin) {
  switch (origin) {
    case Origin::kMemory: return "memory";
    case Origin::kShared: return "shared";
    case Origin::kSource: return "source";
    case Origin::kNone: return "none";
  }
  return "unknown";
}

// Reads like a pointer to the value:
//
//   if (auto product = products.get(42)) show(product->name);
//   else if (product.absent()) show_404();
//   else log(product.error().message);
//
// Cheap to copy: the value is shared, and stays valid after it left the cache.
// Threads: a plain value.
template <class Value>
class [[nodiscard]] Answer {
 public:
  // No such row, or (peek, cache-aside) no copy.
  explicit Answer(Origin origin = Origin::kNone, Duration age = {}) : origin_{origin}, age_{age} {}
  Answer(Handle<Value> value, Origin origin, Duration age = {})
      : value_{std::move(value)}, origin_{origin}, age_{age} {}
  Answer(Error error, Origin origin)
      : error_{std::make_shared<const Error>(std::move(error))}, origin_{origin} {}

  // Whether there is a value.
  explicit operator bool() const { return value_ != nullptr; }
  // Whether it is known, without error, that there is none.
  [[nodiscard]] bool absent() const { return value_ == nullptr && error_ == nullptr; }
  [[nodiscard]] bool failed() const { return error_ != nullptr; }

  // REQUIRES: there is a value (a debug build checks it).
  const Value& operator*() const {
    assert(value_ != nullptr && "a larder::Answer without a value was read");
    return *value_;
  }
  const Value* operator->() const { return &**this; }

  // The value. Throws Failure with what is known when there is none.
  [[nodiscard]] const Value& value() const {
    if (value_) return *value_;
    throw Failure{error_ ? *error_ : Error{Errc::kInvalidArgument, "there is no such value"}};
  }
  // The value to keep; null when there is none.
  [[nodiscard]] const Handle<Value>& handle() const { return value_; }

  // Why it failed. Throws std::logic_error when it did not: an absence is no error.
  [[nodiscard]] const Error& error() const {
    if (error_) return *error_;
    throw std::logic_error{"error() of a larder::Answer that did not fail; ask failed() first"};
  }

  [[nodiscard]] Origin origin() const { return origin_; }
  // How old the copy was; 0 for a load.
  [[nodiscard]] Duration age() const { return age_; }

 private:
  Handle<Value> value_;
  std::shared_ptr<const Error> error_;
  Origin origin_ = Origin::kNone;
  Duration age_{};
};

}  // namespace larder
