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
  enum class Action : std::uint8_t { kKeep, kErase, kSetInfo, kStore, kStoreOrErase };

  static Update keep() { return Update{Action::kKeep}; }
  static Update erase() { return Update{Action::kErase}; }
  // The same value with other times; without a usable copy it does nothing. Where
  // there is no room for that, the copy keeps its times.
  static Update set_info(const EntryInfo& info) {
    Update update{Action::kSetInfo};
    update.info_ = info;
    return update;
  }
  // Another value. If it is refused, what was there stays.
  // REQUIRES: `value` stays valid until update() returns. It may be a part of the
  // copy that was looked at.
  static Update store(typename Layout::ValueView value, const EntryInfo& info) {
    return store(Action::kStore, value, info);
  }
  // The same for who knows that what was there is no longer true: if the value is
  // refused, there is nothing.
  static Update store_or_erase(typename Layout::ValueView value, const EntryInfo& info) {
    return store(Action::kStoreOrErase, value, info);
  }

  // The same for what was read from where the truth is: where there was no copy, nothing
  // changes by keeping one. See MemoryListener.
  static Update fill(typename Layout::ValueView value, const EntryInfo& info) {
    Update update = store_or_erase(value, info);
    update.fills_ = true;
    return update;
  }

  [[nodiscard]] Action action() const { return action_; }
  [[nodiscard]] bool fills() const { return fills_; }
  // Whether what was there is gone whatever comes; whether a value is offered.
  [[nodiscard]] bool erases() const {
    return action_ == Action::kErase || action_ == Action::kStoreOrErase;
  }
  [[nodiscard]] bool stores() const {
    return action_ == Action::kStore || action_ == Action::kStoreOrErase;
  }
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

  static Update store(Action action, typename Layout::ValueView value, const EntryInfo& info) {
    Update update{action};
    update.info_ = info;
    if constexpr (Layout::kByteValue) {
      update.value_ = value;
    } else {
      update.value_ = &value;
    }
    return update;
  }

  Action action_;
  bool fills_ = false;
  EntryInfo info_{};
  std::conditional_t<Layout::kByteValue, std::string_view, const Handle<Value>*> value_{};
};

}  // namespace larder::detail
