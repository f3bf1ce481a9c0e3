#include "server/transaction.hpp"

#include <boost/container_hash/hash.hpp>

namespace larder {

KeyState KeyState::of(std::string_view value, const EntryInfo& info) {
  return {.filled_at = info.filled_at,
          .expires_at = info.usable_until,
          .value = boost::hash<std::string_view>{}(value)};
}

bool Watches::add(std::string_view key, std::optional<KeyState> state, std::size_t most) {
  constexpr std::size_t kNode = sizeof(States::value_type) + 4 * sizeof(void*);
  if (watched_.contains(key)) return true;
  const std::size_t bytes = bytes_ + key.size() + kNode;
  if (bytes > most) return false;
  bytes_ = bytes;
  watched_.emplace(key, state);
  return true;
}

bool Transaction::queue(const Command& command, Arguments words, std::size_t most) {
  for (const std::string_view word : words) bytes_ += word.size() + sizeof(std::string);
  bytes_ += sizeof(Queued);
  if (bytes_ > most) {
    spoil();
    queued_.clear();
    return false;
  }
  if (!spoiled_) queued_.push_back({&command, {words.begin(), words.end()}});
  return true;
}

}  // namespace larder
