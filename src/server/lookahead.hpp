// The next few commands of a session's input, decoded before the first of them is
// carried out, so that what memory keeps of their keys is on its way to the
// processor meanwhile.
//
// Threads: confined to its worker's; its sessions use it one at a time, each
// during one batch.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "server/command.hpp"

namespace larder {

class Lookahead {
 public:
  struct Item {
    const Command* command;  // null: there is none of that name
    Arguments words;         // views into the input
    std::size_t end;         // of the command in the input
  };
  // Commands with more words come last: looking at those takes longer than waiting.
  static constexpr std::size_t kMostWords = 8;

  void clear() {
    count_ = 0;
    used_ = 0;
  }
  // REQUIRES: !full(), words.size() <= kMostWords.
  void add_copy(const Command* command, Arguments words, std::size_t end) {
    const std::span room = std::span{words_}.subspan(used_, words.size());
    for (std::size_t i = 0; i < words.size(); ++i) room[i] = words[i];
    used_ += words.size();
    add(command, room, end);
  }
  // The same for words that stay where they are.
  void add(const Command* command, Arguments words, std::size_t end) {
    items_[count_++] = {command, words, end};
  }
  [[nodiscard]] bool full() const { return count_ == kMost; }
  [[nodiscard]] std::span<const Item> items() const { return {items_.data(), count_}; }

 private:
  static constexpr std::size_t kMost = 16;

  std::size_t count_ = 0;
  std::size_t used_ = 0;  // of words_
  std::array<Item, kMost> items_;
  std::array<std::string_view, kMost * kMostWords> words_;
};

}  // namespace larder
