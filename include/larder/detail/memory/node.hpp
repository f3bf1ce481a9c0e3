// One entry as a memory tier keeps it: a header, then key and value in the same
// allocation where they are bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>

#include "larder/entry.hpp"
#include "larder/weight.hpp"

namespace larder {

// A counted reference to an immutable value; null where there is none.
template <class T>
using Handle = std::shared_ptr<const T>;

namespace detail {

template <class Node>
struct Links {
  Node* before = nullptr;
  Node* after = nullptr;
};

// An intrusive list; the nodes belong to somebody else.
template <class Node, Links<Node> Node::* kLinks>
class List {
 public:
  void push_front(Node& node) {
    (node.*kLinks) = {nullptr, first_};
    (first_ ? (first_->*kLinks).before : last_) = &node;
    first_ = &node;
  }
  void remove(Node& node) {
    auto& [before, after] = node.*kLinks;
    (before ? (before->*kLinks).after : first_) = after;
    (after ? (after->*kLinks).before : last_) = before;
    before = after = nullptr;
  }
  [[nodiscard]] Node* first() const { return first_; }
  [[nodiscard]] Node* last() const { return last_; }

 private:
  Node* first_ = nullptr;
  Node* last_ = nullptr;
};

template <class Key, class Value>
class Node {
 public:
  static constexpr bool kByteKey = std::is_same_v<Key, std::string>;
  static constexpr bool kByteValue = std::is_same_v<Value, std::string>;
  using KeyView = std::conditional_t<kByteKey, std::string_view, const Key&>;
  using ValueView = std::conditional_t<kByteValue, std::string_view, const Handle<Value>&>;

  // Null if there is no memory.
  static Node* make(KeyView key, ValueView value, std::uint64_t hash, const EntryInfo& info) {
    const std::size_t size = sizeof(Node) + tail(key, value);
    void* memory = ::operator new(size, std::nothrow);
    if (memory == nullptr) return nullptr;
    return new (memory) Node{key, value, hash, info};
  }
  static void destroy(Node* node) {
    node->~Node();
    ::operator delete(node);
  }

  // What the entry counts as: its allocation with what malloc adds, its place
  // in the table, and what a typed key and value own besides.
  static std::size_t weight(KeyView key, ValueView value) {
    constexpr std::size_t kMallocAndBucket = 16 + sizeof(void*);
    std::size_t bytes = sizeof(Node) + tail(key, value) + kMallocAndBucket;
    if constexpr (!kByteKey) bytes += weigh(key) - sizeof(Key);
    if constexpr (!kByteValue) {
      constexpr std::size_t kControlBlock = 32;
      if (value) bytes += weigh(*value) + kControlBlock;
    }
    return bytes;
  }

  [[nodiscard]] KeyView key() const {
    if constexpr (kByteKey) {
      return {bytes(), key_size_};
    } else {
      return key_;
    }
  }
  [[nodiscard]] ValueView value() const {
    if constexpr (kByteValue) {
      return {bytes() + key_size_, value_size_};
    } else {
      return value_;
    }
  }
  [[nodiscard]] std::size_t weight() const { return weight(key(), value()); }

  const std::uint64_t hash;
  EntryInfo info;
  Node* next = nullptr;    // in its bucket
  Links<Node> in_queue{};  // in an eviction queue
  Links<Node> in_slot{};   // in a slot of the timing wheel
  std::uint32_t slot = 0;  // which
  std::uint8_t uses = 0;   // since it was last looked at for eviction; at most 3
  bool in_main = false;    // which queue

 private:
  // Stands where the bytes behind the header hold it all.
  struct Nothing {
    explicit Nothing(std::string_view) {}
  };

  Node(KeyView key, ValueView value, std::uint64_t key_hash, const EntryInfo& entry_info)
      : hash{key_hash}, info{entry_info}, key_{key}, value_{value} {
    if constexpr (kByteKey) {
      key_size_ = static_cast<std::uint32_t>(key.size());
      if (!key.empty()) std::memcpy(bytes(), key.data(), key.size());
    }
    if constexpr (kByteValue) {
      value_size_ = static_cast<std::uint32_t>(value.size());
      if (!value.empty()) std::memcpy(bytes() + key_size_, value.data(), value.size());
    }
  }
  ~Node() = default;

  static std::size_t tail(KeyView key, ValueView value) {
    std::size_t bytes = 0;
    if constexpr (kByteKey) bytes += key.size();
    if constexpr (kByteValue) bytes += value.size();
    return bytes;
  }
  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  [[nodiscard]] const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }

  std::uint32_t key_size_ = 0;
  std::uint32_t value_size_ = 0;
  [[no_unique_address]] std::conditional_t<kByteKey, Nothing, Key> key_;
  [[no_unique_address]] std::conditional_t<kByteValue, Nothing, Handle<Value>> value_;
};

}  // namespace detail
}  // namespace larder
