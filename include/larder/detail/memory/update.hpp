// What is to become of a copy that was just looked at.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "larder/detail/memory/entry_block.hpp"
#include "larder/entry.hpp"

namespace larder::detail {

// What update()'s decision asks for. Threads: a plain value.
template <class Key, class Value>
class Update {
  using Layout = EntryLayout<Key, Value>;

 public:
  enum class Action : std::uint8_t { kKeep, kErase, kSetInfo, kStore };

  static Update keep() { return Update{Action::kKeep}; }
  static Update erase() { return Update{Action::kErase}; }
  // The same value with other times; without a usable copy it does nothing.
  static Update set_info(const EntryInfo& info) {
    Update update{Action::kSetInfo};
    update.info_ = info;
    return update;
  }
  // REQUIRES: `value` stays valid until update() returns. It may be a part of the
  // copy that was looked at.
  static Update store(typename Layout::ValueView value, const EntryInfo& info) {
    Update update{Action::kStore};
    update.info_ = info;
    if constexpr (Layout::kByteValue) {
      update.value_ = value;
    } else {
      update.value_ = &value;
    }
    return update;
  }

  [[nodiscard]] Action action() const { return action_; }
  [[nodiscard]] const EntryInfo& info() const { return info_; }
  [[nodiscard]] typename Layout::ValueView value() const {
    if constexpr (Layout::kByteValue) {
      return value_;
    } else {
      return *value_;
    }
  }

 private:
  explicit Update(Action action) : action_{action} {}

  Action action_;
  EntryInfo info_{};
  std::conditional_t<Layout::kByteValue, std::string_view, const Handle<Value>*> value_{};
};

}  // namespace larder::detail
