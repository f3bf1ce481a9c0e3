#include "server/transaction.hpp"

#include <algorithm>
#include <boost/container_hash/hash.hpp>

namespace larder {

KeyState KeyState::of(std::string_view value, const EntryInfo& info) {
  return {.filled_at = info.filled_at,
          .expires_at = info.usable_until,
          .value = boost::hash<std::string_view>{}(value)};
}

void Watches::add(std::string_view key, std::optional<KeyState> state) {
  if (std::ranges::find(watched_, key, &Watched::key) != watched_.end()) return;
  watched_.push_back({std::string{key}, state});
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
