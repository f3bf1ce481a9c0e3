// The accesses of a trace, one behind the other: 4 bytes each, and 8 more each for sizes
// and for times where a trace has them.
//
// Threads: a plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>

#include "larder/clock.hpp"

namespace larder::simulate {

using KeyId = std::uint32_t;

struct Access {
  KeyId key = 0;
  std::uint64_t bytes = 1;  // 1 where the trace has none
  Duration at{};            // since the first access
};

class AccessList {
 public:
  class Iterator {
   public:
    using value_type = Access;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    Iterator(const AccessList& list, std::size_t index) : list_{&list}, index_{index} {}
    Access operator*() const { return (*list_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    Iterator operator++(int) {
      const Iterator before = *this;
      ++index_;
      return before;
    }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const AccessList* list_ = nullptr;
    std::size_t index_ = 0;
  };

  void push_back(const Access& access) {
    const std::size_t index = size();
    if (index == 1) spacing_ = access.at;
    if (times_.empty() && access.at != evenly(index)) {
      for (std::size_t i = 0; i < index; ++i) times_.push_back(evenly(i));
    }
    if (bytes_.empty() && access.bytes != 1) bytes_.assign(index, 1);
    if (!times_.empty() || (index == 0 && access.at != Duration{})) times_.push_back(access.at);
    if (!bytes_.empty() || (index == 0 && access.bytes != 1)) bytes_.push_back(access.bytes);
    keys_.push_back(access.key);
  }

  [[nodiscard]] std::size_t size() const { return keys_.size(); }
  [[nodiscard]] bool empty() const { return keys_.empty(); }
  [[nodiscard]] Access operator[](std::size_t index) const {
    return {.key = keys_[index],
            .bytes = bytes_.empty() ? 1 : bytes_[index],
            .at = times_.empty() ? evenly(index) : times_[index]};
  }
  [[nodiscard]] Iterator begin() const { return {*this, 0}; }
  [[nodiscard]] Iterator end() const { return {*this, size()}; }

 private:
  [[nodiscard]] Duration evenly(std::size_t index) const {
    return spacing_ * static_cast<Duration::rep>(index);
  }

  // Deques, which grow without a copy of what is there.
  std::deque<KeyId> keys_;
  std::deque<std::uint64_t> bytes_;  // empty: all are 1
  std::deque<Duration> times_;       // empty: they follow each other evenly
  Duration spacing_{};
};

}  // namespace larder::simulate
