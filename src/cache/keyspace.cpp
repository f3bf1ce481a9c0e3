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

Keyspace::Table::Table(std::vector<Member> caches) : members{std::move(caches)} {
  for (const Member& member : members) {
    const std::size_t space = member.cache->space();
    if (space >= by_space.size()) by_space.resize(space + 1);
    by_space[space] = member.cache.get();
    const std::shared_ptr<Vouch>& vouch = member.cache->vouch();
    if (vouch && std::ranges::find(vouches, vouch) == vouches.end()) vouches.push_back(vouch);
  }
}

Keyspace::Keyspace(Runtime& runtime, MemoryOptions memory, std::vector<KeyspaceCache> caches)
    : runtime_{runtime},
      clock_{runtime.clock()},
      tier_{std::make_shared<BytesTier>(memory)},
      expiry_{std::make_shared<ExpiryTimer<BytesTier>>(tier_, runtime, clock_)} {
  std::vector<Member> members;
  for (KeyspaceCache& each : caches) members.push_back(make(std::move(each)));
  table_ = std::make_shared<const Table>(std::move(members));
  expiry_->run();
}

Space Keyspace::new_space() {
  const MutexLock lock{mutex_};
  if (spaces_ > std::numeric_limits<Space>::max()) {
    throw std::length_error{"a keyspace has at most " + std::to_string(spaces_) +
                            " caches in its life"};
  }
  return static_cast<Space>(spaces_++);
}

Keyspace::Member Keyspace::make(KeyspaceCache cache, const BytesCache* before) {
  cache.options.tier = tier_;
  cache.options.space = before != nullptr ? before->space() : new_space();
  return {std::move(cache.pattern),
          std::make_shared<BytesCache>(runtime_, std::move(cache.options))};
}

std::shared_ptr<const std::vector<Keyspace::Member>> Keyspace::replace(
    std::vector<Member> members) {
  const auto after = std::make_shared<const Table>(std::move(members));
  const auto before = table();
  const auto heir_of = [&](const Member& member) -> const BytesCache* {
    const std::size_t space = member.cache->space();
    return space < after->by_space.size() ? after->by_space[space] : nullptr;
  };
  for (const Member& member : before->members) {
    const BytesCache* const heir = heir_of(member);
    if (heir != member.cache.get()) member.cache->retire(heir);
  }
  {
    const MutexLock lock{mutex_};
    table_ = after;
  }
  version_.fetch_add(1, std::memory_order_release);
  for (const Member& member : before->members) {
    if (heir_of(member) == nullptr) tier_->clear(member.cache->space());
  }
  return {before, &before->members};
}

std::shared_ptr<const Keyspace::Table> Keyspace::table() const {
  const MutexLock lock{mutex_};
  return table_;
}

std::shared_ptr<const std::vector<Keyspace::Member>> Keyspace::members() const {
  const auto kept = table();
  return {kept, &kept->members};
}

void Keyspace::clear() {
  for (const auto kept = members(); const Member& member : *kept) member.cache->clear();
}

KeyspaceView::KeyspaceView(Keyspace& keyspace) : keyspace_{keyspace} { reload(); }

void KeyspaceView::reload() {
  version_ = keyspace_.version_.load(std::memory_order_acquire);
  table_ = keyspace_.table();
}

Result<const Keyspace::Member*> KeyspaceView::route(std::string_view key) const {
  std::string problem;
  for (const Keyspace::Member& member : table_->members) {
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
  const std::size_t count = std::min(table_->members.size(), kMostShown);
  for (std::size_t i = 0; i < count; ++i) {
    message += i == 0 ? " " : ", ";
    message += table_->members[i].pattern.text();
  }
  if (count < table_->members.size()) {
    message += " and " + std::to_string(table_->members.size() - count) + " more";
  }
  return {Errc::kInvalidArgument, std::move(message)};
}

}  // namespace larder
