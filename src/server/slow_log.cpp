#include "server/slow_log.hpp"

#include <algorithm>
#include <utility>

namespace larder {

std::vector<std::string> SlowLog::cut(std::span<const std::string_view> words) {
  const bool too_many = words.size() > kMostWords;
  const std::size_t kept = too_many ? kMostWords - 1 : words.size();
  std::vector<std::string> shown;
  for (const std::string_view word : words.first(kept)) {
    std::string text{word.substr(0, kMostBytes)};
    if (word.size() > kMostBytes) {
      text += "... (" + std::to_string(word.size() - kMostBytes) + " more bytes)";
    }
    shown.push_back(std::move(text));
  }
  if (too_many) {
    shown.push_back("... (" + std::to_string(words.size() - kept) + " more arguments)");
  }
  return shown;
}

void SlowLog::add(Entry entry, std::size_t most) {
  const MutexLock lock{mutex_};
  note_spike(entry.at, std::chrono::duration_cast<std::chrono::milliseconds>(entry.took));
  entry.id = next_id_++;
  entries_.push_front(std::move(entry));
  if (entries_.size() > most) entries_.resize(most);
}

std::vector<SlowLog::Entry> SlowLog::latest(std::size_t count) const {
  const MutexLock lock{mutex_};
  const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(std::min(count, entries_.size()));
  return {entries_.begin(), end};
}

std::size_t SlowLog::size() const {
  const MutexLock lock{mutex_};
  return entries_.size();
}

void SlowLog::clear() {
  const MutexLock lock{mutex_};
  entries_.clear();
}

std::vector<SlowLog::Spike> SlowLog::spikes() const {
  const MutexLock lock{mutex_};
  return {spikes_.begin(), spikes_.end()};
}

std::chrono::milliseconds SlowLog::worst() const {
  const MutexLock lock{mutex_};
  return worst_;
}

bool SlowLog::clear_spikes() {
  const MutexLock lock{mutex_};
  worst_ = {};
  return !std::exchange(spikes_, {}).empty();
}

void SlowLog::note_spike(std::chrono::seconds at, std::chrono::milliseconds took) {
  worst_ = std::max(worst_, took);
  if (!spikes_.empty() && spikes_.back().at == at) {
    spikes_.back().took = std::max(spikes_.back().took, took);
    return;
  }
  spikes_.push_back({at, took});
  if (spikes_.size() > kMostSpikes) spikes_.pop_front();
}

}  // namespace larder
