#include "resp/output_buffer.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace larder::resp {
namespace {

constexpr std::size_t kFirstBlock = 4U << 10;
constexpr std::size_t kLargestBlock = 64U << 10;  // but for single appends that need more

}  // namespace

std::string_view OutputBuffer::bytes_of(std::size_t index) const {
  if (index + 1 == blocks_.size()) {
    return {head_of_last_, static_cast<std::size_t>(tail_ - head_of_last_)};
  }
  const Block& block = blocks_[index];
  return {block.bytes.get() + block.begin, block.end - block.begin};
}

std::size_t OutputBuffer::gather(std::span<std::string_view> pieces) const {
  std::size_t count = 0;
  for (std::size_t i = first_; i < blocks_.size() && count < pieces.size(); ++i) {
    const std::string_view bytes = bytes_of(i);
    if (!bytes.empty()) pieces[count++] = bytes;
  }
  return count;
}

void OutputBuffer::consume(std::size_t size) {
  assert(size <= this->size());
  while (size > 0 && first_ + 1 < blocks_.size()) {
    Block& block = blocks_[first_];
    const std::size_t taken = std::min(size, block.end - block.begin);
    block.begin += taken;
    sealed_ -= taken;
    size -= taken;
    if (block.begin == block.end) drop_first();
  }
  head_of_last_ += size;
  if (head_of_last_ == tail_ && sealed_ == 0) rewind_last();
}

void OutputBuffer::retract(std::size_t size) {
  assert(size <= this->size());
  while (size > static_cast<std::size_t>(tail_ - head_of_last_)) {
    size -= static_cast<std::size_t>(tail_ - head_of_last_);
    memory_ -= blocks_.back().capacity;
    blocks_.pop_back();
    const Block& last = blocks_.back();
    sealed_ -= last.end - last.begin;
    head_of_last_ = last.bytes.get() + last.begin;
    tail_ = last.bytes.get() + last.end;
    limit_ = last.bytes.get() + last.capacity;
  }
  tail_ -= size;
  if (head_of_last_ == tail_ && sealed_ == 0) rewind_last();
}

void OutputBuffer::release_if_empty() {
  if (!empty()) return;
  std::vector<Block>{}.swap(blocks_);
  first_ = sealed_ = memory_ = 0;
  head_of_last_ = tail_ = limit_ = nullptr;
}

// Begins a new last block with room for `size` bytes.
void OutputBuffer::grow(std::size_t size) {
  std::size_t capacity = kFirstBlock;
  if (!blocks_.empty()) {
    Block& last = blocks_.back();
    last.begin = static_cast<std::size_t>(head_of_last_ - last.bytes.get());
    last.end = static_cast<std::size_t>(tail_ - last.bytes.get());
    sealed_ += last.end - last.begin;
    capacity = std::clamp(last.capacity * 2, kFirstBlock, kLargestBlock);
  }
  capacity = std::max(capacity, size);

  Block block{.bytes = std::make_unique_for_overwrite<char[]>(capacity), .capacity = capacity};
  head_of_last_ = tail_ = block.bytes.get();
  limit_ = tail_ + capacity;
  memory_ += capacity;
  blocks_.push_back(std::move(block));
  while (first_ + 1 < blocks_.size() && blocks_[first_].begin == blocks_[first_].end) drop_first();
}

// Fills the last block to its end, so that large values waste no room.
void OutputBuffer::append_across(std::string_view bytes) {
  const std::string_view fits = bytes.substr(0, room());
  if (!fits.empty()) std::memcpy(tail_, fits.data(), fits.size());
  tail_ += fits.size();
  bytes.remove_prefix(fits.size());
  grow(bytes.size());
  std::memcpy(tail_, bytes.data(), bytes.size());
  tail_ += bytes.size();
}

void OutputBuffer::drop_first() {
  memory_ -= blocks_[first_].capacity;
  blocks_[first_].bytes.reset();
  ++first_;
  // Shells are swept when they are the most, which is O(1) a block.
  if (first_ * 2 >= blocks_.size()) {
    blocks_.erase(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

// All is sent: the last block starts over, unless it was made for one large append.
void OutputBuffer::rewind_last() {
  if (blocks_.empty()) return;
  if (blocks_.back().capacity > kLargestBlock) return release_if_empty();
  head_of_last_ = tail_ = blocks_.back().bytes.get();
}

}  // namespace larder::resp
