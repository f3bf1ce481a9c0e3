#include "behind/flush_plan.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

namespace larder::behind {

void FlushPlan::add(std::string key, TimePoint now) {
  waiting_.push_back({std::move(key), now + options_.delay});
  due_ = std::min(due_, waiting_.back().due);
}

// While all fails one batch at a time finds out whether that is still so.
bool FlushPlan::may_send() const { return out_ < (failing_since_ ? 1 : options_.at_once); }

std::vector<std::string> FlushPlan::take(TimePoint now) {
  std::vector<std::string> keys;
  if (!may_send() || now < rest_until_) return keys;
  keys = take_suspect(now);
  const bool due = hurry_ || waiting_.size() >= options_.batch || due_ <= now;
  while (keys.empty() && due && !waiting_.empty()) {
    const std::size_t count = std::min(waiting_.size(), options_.batch);
    for (std::size_t i = 0; i < count; ++i) {
      keys.push_back(std::move(waiting_.front().key));
      waiting_.pop_front();
    }
    due_ = TimePoint::max();
    if (waiting_.size() >= options_.batch) break;  // which are due by their number
    for (const Waiting& left : waiting_) due_ = std::min(due_, left.due);
  }
  if (keys.empty()) return keys;
  ++out_;
  ++batches_;
  return keys;
}

// By itself, whose failure then says nothing of others.
std::vector<std::string> FlushPlan::take_suspect(TimePoint now) {
  if (resting_.empty() || resting_.begin()->first > now) return {};
  std::vector<std::string> keys{std::move(resting_.begin()->second)};
  resting_.erase(resting_.begin());
  return keys;
}

std::optional<TimePoint> FlushPlan::next_look() const {
  if (!may_send()) return std::nullopt;
  auto next = TimePoint::max();
  if (!resting_.empty()) next = resting_.begin()->first;
  if (!waiting_.empty()) {
    const bool due = hurry_ || waiting_.size() >= options_.batch;
    next = std::min(next, due ? TimePoint::min() : due_);
  }
  if (next == TimePoint::max()) return std::nullopt;
  return std::max(next, rest_until_);
}

void FlushPlan::ended(std::vector<Ended> batch, TimePoint now, double random) {
  assert(out_ > 0 && !batch.empty());
  --out_;
  const auto failed = std::ranges::count(batch, Verdict::kAgain, &Ended::verdict);
  const bool all = failed == std::ssize(batch);
  const bool alone = suspects_.contains(batch.front().key);
  retries_ += static_cast<std::uint64_t>(failed);
  if (!all) {
    failing_since_.reset();
    source_backoff_.succeeded();
    rest_until_ = TimePoint::min();
  } else if (!alone) {
    source_failed(now, random);
  }
  // From the last one, so that those that go back to the front stand there in their order.
  for (auto each = batch.rbegin(); each != batch.rend(); ++each) {
    if (each->verdict == Verdict::kSettled) {
      suspects_.erase(each->key);
      if (!each->more) continue;
      waiting_.push_back({std::move(each->key), now});
      due_ = std::min(due_, now);
    } else if (all && !alone) {
      waiting_.push_front({std::move(each->key), now});
      due_ = std::min(due_, now);
    } else {
      random = std::fmod(random + 0.618, 1.0);  // another for each
      Backoff& backoff = suspects_.try_emplace(each->key, options_.backoff).first->second;
      resting_.emplace(now + backoff.failed(random), std::move(each->key));
    }
  }
}

// Batches that were out together fail together, and count once.
void FlushPlan::source_failed(TimePoint now, double random) {
  if (!failing_since_) failing_since_ = now;
  if (now < rest_until_) return;
  rest_until_ = now + source_backoff_.failed(random);
}

void FlushPlan::hurry() {
  hurry_ = true;
  rest_until_ = TimePoint::min();
  source_backoff_.succeeded();
}

}  // namespace larder::behind
