#include "server/reply_queue.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace larder {

namespace {

// Calls visit(bytes) for the first `size` bytes of `buffer`, piece by piece.
template <class Visit>
void each_piece(const resp::OutputBuffer& buffer, std::size_t size, Visit&& visit) {
  std::array<std::string_view, 8> pieces;
  const std::size_t count = buffer.gather(pieces);
  for (std::size_t i = 0; i < count && size > 0; ++i) {
    const std::string_view piece = pieces[i].substr(0, size);
    visit(piece);
    size -= piece.size();
  }
}

void move_bytes(resp::OutputBuffer& from, std::size_t size, resp::OutputBuffer& to) {
  while (size > 0) {
    std::size_t moved = 0;
    each_piece(from, size, [&](std::string_view piece) {
      to.append(piece);
      moved += piece.size();
    });
    from.consume(moved);
    size -= moved;
  }
}

}  // namespace

ReplyQueue::Place ReplyQueue::hold(AwaitedReply reply) {
  if (!behind_) behind_ = std::make_unique<resp::OutputBuffer>();
  if (!held_.empty()) {
    held_.back().behind = behind_->size() - counted_;
    counted_ = behind_->size();
  }
  late_bytes_ += reply.bytes();
  held_.push_back({.reply = std::move(reply), .inside = inside_});
  return first_ + held_.size() - 1;
}

ReplyQueue::Progress ReplyQueue::take(Place place, std::size_t element,
                                      const Answer<std::string>& answer, std::size_t most) {
  const std::size_t index = place - first_;
  assert(index >= released_ && index < held_.size());
  AwaitedReply& reply = held_[index].reply;

  late_bytes_ -= reply.bytes();
  reply.take(element, answer, most);
  late_bytes_ += reply.bytes();
  if (!reply.complete()) return Progress::kOwed;

  const Progress progress = reply.failed() ? Progress::kFailed : Progress::kComplete;
  if (index == released_) release();
  return progress;
}

// Moves what waits for nothing any more to where it may be sent.
void ReplyQueue::release() {
  held_.back().behind = behind_->size() - counted_;
  counted_ = behind_->size();
  for (; released_ < held_.size() && held_[released_].reply.complete(); ++released_) {
    Held& done = held_[released_];
    late_bytes_ -= done.reply.bytes();
    done.reply.write(ready());
    move_bytes(*behind_, done.behind, ready());
    counted_ -= done.behind;
    done.reply = AwaitedReply{{AwaitedReply::Shape::kCount}, resp::Protocol::kResp2, 0};
  }
  if (released_ == held_.size()) {
    first_ += released_;
    released_ = 0;
    behind_.reset();
    std::vector<Held>{}.swap(held_);
    return;
  }
  counted_ -= std::exchange(held_.back().behind, 0);  // more may come behind the last
  // Removing from the front costs what is left: so only once that is the smaller half.
  if (released_ * 2 < held_.size()) return;
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(released_));
  first_ += released_;
  released_ = 0;
}

void ReplyQueue::keep() {
  if (own_) {
    if (own_->empty()) own_.reset();
    return;
  }
  if (shared_.empty()) return;
  own_ = std::make_unique<resp::OutputBuffer>();
  move_bytes(shared_, shared_.size(), *own_);
}

}  // namespace larder
