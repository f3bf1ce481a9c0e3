#include "server/monitor_feed.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace larder {

namespace {

// As Redis quotes: so that a line is one line, and its words can be told apart.
void append_quoted(std::string& line, std::string_view word) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  line += " \"";
  for (const char c : word) {
    switch (c) {
      case '\\':
      case '"': (line += '\\') += c; continue;
      case '\n': line += "\\n"; continue;
      case '\r': line += "\\r"; continue;
      case '\t': line += "\\t"; continue;
      case '\a': line += "\\a"; continue;
      case '\b': line += "\\b"; continue;
      default: break;
    }
    if (c >= ' ' && c <= '~') {
      line += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      ((line += "\\x") += kDigits[byte >> 4]) += kDigits[byte & 15];
    }
  }
  line += '"';
}

std::string left_out(std::size_t count, std::string_view what) {
  return "... (" + std::to_string(count) + " more " + std::string{what} + ")";
}

}  // namespace

std::string monitor_line(MonitorFeed::Time at, std::string_view address,
                         std::span<const std::string_view> words) {
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
  std::array<char, 48> time{};
  const int size = std::snprintf(time.data(), time.size(), "%lld.%06lld",
                                 static_cast<long long>(micros / 1'000'000),
                                 static_cast<long long>(micros % 1'000'000));
  std::string line{time.data(), static_cast<std::size_t>(size)};
  ((line += " [0 ") += address) += ']';
  for (std::string_view word : words.first(std::min(words.size(), MonitorFeed::kMostWords))) {
    if (word.size() <= MonitorFeed::kMostOfWord) {
      append_quoted(line, word);
    } else {
      const std::size_t more = word.size() - MonitorFeed::kMostOfWord;
      append_quoted(
          line, std::string{word.substr(0, MonitorFeed::kMostOfWord)} + left_out(more, "bytes"));
    }
  }
  if (words.size() > MonitorFeed::kMostWords) {
    append_quoted(line, left_out(words.size() - MonitorFeed::kMostWords, "arguments"));
  }
  return line;
}

void MonitorFeed::add(std::uint64_t id, ByteCount most, const std::function<void()>& wake) {
  const MutexLock lock{mutex_};
  by_id_.try_emplace(id, Watcher{.wake = &wake, .most = most.bytes});
  watchers_.store(by_id_.size(), std::memory_order_relaxed);
}

void MonitorFeed::remove(std::uint64_t id) {
  const MutexLock lock{mutex_};
  const auto watcher = by_id_.find(id);
  if (watcher == by_id_.end()) return;
  count(watcher->second.waiting(), 0);
  by_id_.erase(watcher);
  watchers_.store(by_id_.size(), std::memory_order_relaxed);
}

void MonitorFeed::tell(Time at, std::string_view address, std::span<const std::string_view> words) {
  const std::string line = "+" + monitor_line(at, address, words) + "\r\n";
  const MutexLock lock{mutex_};  // while it is held, no watcher goes
  for (auto& [id, watcher] : by_id_) {
    if (watcher.lost) continue;
    const std::size_t before = watcher.waiting();
    if (watcher.pending.size() + line.size() > watcher.most) {
      watcher.lost = true;
      std::string{}.swap(watcher.pending);
    } else {
      watcher.pending += line;
    }
    count(before, watcher.waiting());
    if (!std::exchange(watcher.awake, true)) (*watcher.wake)();
  }
}

std::optional<std::string> MonitorFeed::take(std::uint64_t id) {
  const MutexLock lock{mutex_};
  Watcher& watcher = by_id_.at(id);
  watcher.awake = false;
  if (watcher.lost) return std::nullopt;
  count(watcher.waiting(), 0);
  return std::exchange(watcher.pending, {});
}

std::size_t MonitorFeed::waiting_for(std::uint64_t id) const {
  const MutexLock lock{mutex_};
  return by_id_.at(id).waiting();
}

void MonitorFeed::count(std::size_t before, std::size_t now) {
  waiting_.store(waiting() - before + now, std::memory_order_relaxed);
}

}  // namespace larder
