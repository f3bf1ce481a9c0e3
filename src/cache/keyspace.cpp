#include "cache/keyspace.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

namespace larder {

namespace {

constexpr std::size_t kMostShown = 20;      // patterns in one message
constexpr std::size_t kLongestShown = 128;  // bytes of a key in one message

std::string shown(std::string_view key) {
  std::string text{"\""};
  text += key.substr(0, kLongestShown);
  text += key.size() > kLongestShown ? "…\"" : "\"";
  return text;
}

}  // namespace

Keyspace::Keyspace(Runtime& runtime, MemoryOptions memory, std::vector<KeyspaceCache> caches)
    : clock_{runtime.clock()},
      tier_{std::make_shared<BytesTier>(memory)},
      expiry_{std::make_shared<ExpiryTimer<BytesTier>>(tier_, runtime, clock_)} {
  if (caches.size() > std::numeric_limits<Space>::max()) {
    throw std::invalid_argument{"a keyspace holds at most " +
                                std::to_string(std::numeric_limits<Space>::max()) + " caches"};
  }
  auto members = std::make_shared<std::vector<Member>>();
  for (KeyspaceCache& each : caches) {
    each.options.tier = tier_;
    each.options.space = static_cast<Space>(members->size());
    members->push_back(
        {std::move(each.pattern), std::make_shared<BytesCache>(runtime, std::move(each.options))});
  }
  members_ = std::move(members);
  expiry_->run();
}

std::shared_ptr<const std::vector<Keyspace::Member>> Keyspace::members() const {
  const MutexLock lock{mutex_};
  return members_;
}

void Keyspace::clear() {
  for (const auto kept = members(); const Member& member : *kept) member.cache->clear();
}

KeyspaceView::KeyspaceView(Keyspace& keyspace) : keyspace_{keyspace} { reload(); }

void KeyspaceView::reload() {
  version_ = keyspace_.version_.load(std::memory_order_acquire);
  members_ = keyspace_.members();
}

Result<const Keyspace::Member*> KeyspaceView::route(std::string_view key) const {
  std::string problem;
  for (const Keyspace::Member& member : *members_) {
    std::string reason;
    switch (member.pattern.match(key, nullptr, &reason)) {
      case KeyPattern::Match::kYes: return &member;
      case KeyPattern::Match::kBadPart:
        if (problem.empty()) problem = reason + " in " + member.pattern.text();
        break;
      case KeyPattern::Match::kNo: break;
    }
  }
  return std::unexpected{no_cache_for(key, std::move(problem))};
}

Error KeyspaceView::no_cache_for(std::string_view key, std::string problem) const {
  if (!problem.empty()) {
    return {Errc::kInvalidArgument, "key " + shown(key) + " does not fit: " + problem};
  }
  std::string message = "key " + shown(key) + " belongs to no cache; the patterns are";
  const std::size_t count = std::min(members_->size(), kMostShown);
  for (std::size_t i = 0; i < count; ++i) {
    message += i == 0 ? " " : ", ";
    message += (*members_)[i].pattern.text();
  }
  if (count < members_->size()) {
    message += " and " + std::to_string(members_->size() - count) + " more";
  }
  return {Errc::kInvalidArgument, std::move(message)};
}

}  // namespace larder
