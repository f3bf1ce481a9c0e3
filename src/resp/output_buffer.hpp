// What is to be sent on a connection: bytes are appended at the end and consumed
// at the front as the socket takes them.
//
// A chain of blocks: bytes never move between their append and their consume(),
// so a write may be under way while more is appended. Blocks grow from 4 KiB to
// 64 KiB as they are needed (larger ones for larger appends); the last one is
// reused when all is consumed, so a connection that asks and answers in turn
// allocates once.
//
// Threads: none of its own and no lock; one a connection.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace larder::resp {

class OutputBuffer {
 public:
  OutputBuffer() = default;
  OutputBuffer(const OutputBuffer&) = delete;
  OutputBuffer& operator=(const OutputBuffer&) = delete;

  // Room for `size` contiguous bytes at the end; commit() says how many of them
  // were written. Amortised O(1), a compare where there is room.
  [[nodiscard]] char* prepare(std::size_t size) {
    if (room() < size) [[unlikely]]
      grow(size);
    return tail_;
  }
  // REQUIRES: size <= what prepare() was asked for just before.
  void commit(std::size_t size) { tail_ += size; }

  void append(std::string_view bytes) {
    if (bytes.empty()) return;
    if (room() < bytes.size()) [[unlikely]]
      return append_across(bytes);
    std::memcpy(tail_, bytes.data(), bytes.size());
    tail_ += bytes.size();
  }

  [[nodiscard]] bool empty() const { return size() == 0; }
  // Bytes appended and not consumed. O(1).
  [[nodiscard]] std::size_t size() const {
    return sealed_ + static_cast<std::size_t>(tail_ - head_of_last_);
  }
  // Bytes of memory held, used or not; what a limit on this connection counts.
  [[nodiscard]] std::size_t memory() const { return memory_; }

  // The bytes from the front as up to pieces.size() pieces, for one gathering
  // write. Returns how many pieces were set.
  [[nodiscard]] std::size_t gather(std::span<std::string_view> pieces) const;

  // Drops `size` bytes at the front. REQUIRES: size <= size().
  void consume(std::size_t size);

  // Takes back the last `size` bytes appended, none of which a write may be on.
  // REQUIRES: size <= size().
  void retract(std::size_t size);

  // Gives back all memory if nothing is to be sent: for a connection gone quiet.
  void release_if_empty();

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t capacity = 0;
    std::size_t begin = 0;  // of what is not consumed
    std::size_t end = 0;    // of what was appended; the last block's is tail_
  };

  [[nodiscard]] std::size_t room() const { return static_cast<std::size_t>(limit_ - tail_); }
  [[nodiscard]] std::string_view bytes_of(std::size_t index) const;
  void grow(std::size_t size);
  void append_across(std::string_view bytes);
  void drop_first();
  void rewind_last();

  std::vector<Block> blocks_;  // from first_ on; those before are empty shells
  std::size_t first_ = 0;
  std::size_t sealed_ = 0;  // bytes not consumed in all blocks but the last
  std::size_t memory_ = 0;

  // Of the last block; all null when there is none.
  char* head_of_last_ = nullptr;  // its first byte not consumed
  char* tail_ = nullptr;
  char* limit_ = nullptr;
};

}  // namespace larder::resp
