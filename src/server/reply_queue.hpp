// The replies of one connection, in the order of its commands, though some are
// known later than those behind them.
//
// Replies are written at tail(). One that must wait takes a place with hold();
// what is written afterwards stays behind it until it is complete. ready() is
// what may be sent now: everything before the first reply that waits.
//
// Memory: what is written goes to a buffer that all queues of a thread share, one
// turn each; keep() ends a turn and takes what was not sent into a buffer of the
// queue's own. So an idle connection has none.
//
// Threads: confined to its connection's. No lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "larder/answer.hpp"
#include "resp/output_buffer.hpp"
#include "server/awaited_reply.hpp"

namespace larder {

class ReplyQueue {
 public:
  // Names a place that is held; never used twice in one queue.
  using Place = std::uint64_t;

  // `shared` outlives the queue and is empty whenever a turn begins.
  explicit ReplyQueue(resp::OutputBuffer& shared) : shared_{shared} {}

  // Where the next reply is written. Valid until the next call of another member.
  [[nodiscard]] resp::OutputBuffer& tail() { return held_.empty() ? ready() : *behind_; }

  // Takes the next place for a reply that is not complete.
  Place hold(AwaitedReply reply);
  // Whether what is held from now on stands inside an array that was begun before.
  void inside_array(bool inside) { inside_ = inside; }
  // Lets the reply that was held last be written as nothing. REQUIRES: waiting() > 0,
  // and the last is not complete.
  void hush() { held_.back().reply.hush(); }
  // Gives an answer that the reply at `place` is owed. A reply is never larger
  // than `most` bytes; how many wait together is for who orders them to bound.
  // Whether the reply is thereby complete, and failed. REQUIRES: it is owed.
  enum class Progress : std::uint8_t { kOwed, kComplete, kFailed };
  Progress take(Place place, std::size_t element, const Answer<std::string>& answer,
                std::size_t most);

  // What may be sent now; consume() it as it is.
  [[nodiscard]] resp::OutputBuffer& ready() { return own_ ? *own_ : shared_; }
  // Whether it ends between two replies, and not within an array.
  [[nodiscard]] bool ready_is_whole() const { return held_.empty() || !held_[released_].inside; }

  // Ends a turn.
  void keep();
  // Forgets what may be sent: for a connection that broke.
  void drop() { ready().consume(ready().size()); }

  // Whether a reply that is still owed answers will be an error, whatever they are.
  // REQUIRES: it is owed some.
  [[nodiscard]] bool failed(Place place) const { return held_[place - first_].reply.failed(); }

  // How many replies wait; the place of the first of them.
  [[nodiscard]] std::size_t waiting() const { return held_.size() - released_; }
  [[nodiscard]] Place first_waiting() const { return first_ + released_; }
  // All bytes of the queue that were not sent.
  [[nodiscard]] std::size_t bytes() const {
    return (own_ ? *own_ : shared_).size() + (behind_ ? behind_->size() : 0) + late_bytes_;
  }
  // Bytes of memory that the queue holds between turns.
  [[nodiscard]] std::size_t kept() const {
    return (own_ ? own_->memory() : 0) + (behind_ ? behind_->memory() : 0) +
           held_.capacity() * sizeof(Held) + late_bytes_;
  }
  [[nodiscard]] bool empty() const { return bytes() == 0 && waiting() == 0; }

 private:
  struct Held {
    AwaitedReply reply;
    bool inside = false;     // of an array
    std::size_t behind = 0;  // bytes of behind_ between this reply and the next that is held
  };

  void release();

  resp::OutputBuffer& shared_;
  std::unique_ptr<resp::OutputBuffer> own_;     // null: nothing was left of earlier turns
  std::unique_ptr<resp::OutputBuffer> behind_;  // null when nothing waits
  std::vector<Held> held_;                      // empty when nothing waits
  bool inside_ = false;                         // an array is being written
  std::size_t released_ = 0;                    // elements at the front of held_ that are done
  Place first_ = 0;                             // the place of held_[0]
  std::size_t counted_ = 0;                     // bytes of behind_ that some Held counts
  std::size_t late_bytes_ = 0;                  // of the values in held_
};

}  // namespace larder
