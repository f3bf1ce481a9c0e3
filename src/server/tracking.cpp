#include "server/tracking.hpp"

#include <algorithm>
#include <utility>

namespace larder {

namespace {

// What a remembered key, and a change that waits, take besides their bytes.
constexpr std::size_t kAroundKey = 128;
constexpr std::size_t kAroundChange = 64;

std::size_t weight_of(std::string_view key, const std::vector<Tracking::Id>& clients) {
  return kAroundKey + key.size() + clients.capacity() * sizeof(Tracking::Id);
}

}  // namespace

Tracking::Tracking(std::size_t threads) : actors_(threads) {}

void Tracking::set_limit(ByteCount most) {
  const MutexLock lock{mutex_};
  most_ = most.bytes;
  make_room();
}

// ---- Clients. ----

void Tracking::join(Id client, std::atomic<bool>& has_news, const std::function<void()>& wake) {
  const MutexLock lock{mutex_};
  clients_.try_emplace(client, Client{.has_news = &has_news, .wake = &wake});
}

void Tracking::leave(Id client) {
  track_no_more(client);
  const MutexLock lock{mutex_};
  const auto found = clients_.find(client);
  if (found == clients_.end()) return;
  drop_news(found->second);
  clients_.erase(found);
}

void Tracking::track(Id id, const Options& options) {
  const MutexLock lock{mutex_};
  Client& client = clients_.at(id);
  if (!std::exchange(client.tracks, true)) ++tracking_;
  if (client.options.no_loop) --no_loops_;
  if (options.no_loop) ++no_loops_;
  client.options.redirect = options.redirect;
  client.options.broadcasts = options.broadcasts;
  client.options.no_loop = options.no_loop;
  for (const std::string& prefix : options.prefixes) {
    const auto [clients, first] = by_prefix_.try_emplace(prefix);
    if (first) ++prefix_sizes_[prefix.size()];
    if (clients->second.insert(id).second) client.options.prefixes.push_back(prefix);
  }
}

void Tracking::track_no_more(Id id) {
  const MutexLock lock{mutex_};
  const auto found = clients_.find(id);
  if (found == clients_.end() || !found->second.tracks) return;
  Client& client = found->second;
  client.tracks = false;
  drop_prefixes(id, client);
  if (client.options.no_loop) --no_loops_;
  client.options = {};
  if (--tracking_ > 0) return;
  table_.clear();  // of clients that are gone: others forget them as keys change
  items_ = bytes_ = 0;
}

void Tracking::drop_prefixes(Id id, const Client& client) {
  for (const std::string& prefix : client.options.prefixes) {
    const auto clients = by_prefix_.find(prefix);
    clients->second.erase(id);
    if (!clients->second.empty()) continue;
    by_prefix_.erase(clients);
    if (--prefix_sizes_[prefix.size()] == 0) prefix_sizes_.erase(prefix.size());
  }
}

void Tracking::remember(Id client, std::string_view key) {
  const MutexLock lock{mutex_};
  auto found = table_.find(key);
  if (found == table_.end()) {
    found = table_.try_emplace(std::string{key}).first;
    bytes_ += weight_of(key, found->second);
  }
  std::vector<Id>& clients = found->second;
  const auto place = std::ranges::lower_bound(clients, client);
  if (place != clients.end() && *place == client) return;
  const std::size_t before = weight_of(key, clients);
  clients.insert(place, client);
  bytes_ += weight_of(key, clients) - before;
  ++items_;
  make_room();
}

void Tracking::act(std::size_t thread, Id client) {
  Actor& actor = actors_[thread];
  actor.thread.store(std::this_thread::get_id(), std::memory_order_relaxed);
  actor.client.store(client, std::memory_order_relaxed);
}

// The client that acts on this thread; 0: none.
Tracking::Id Tracking::acting() const {
  if (no_loops_.load(std::memory_order_relaxed) == 0) return 0;
  for (const Actor& actor : actors_) {
    if (actor.thread.load(std::memory_order_relaxed) == std::this_thread::get_id()) {
      return actor.client.load(std::memory_order_relaxed);
    }
  }
  return 0;
}

Tracking::News Tracking::take(Id client) {
  const MutexLock lock{mutex_};
  Client& taker = clients_.at(client);
  taker.awake = false;
  waiting_ -= taker.news.bytes;
  return std::exchange(taker.news, {});
}

void Tracking::not_kept(Id client, std::string_view key) {
  const MutexLock lock{mutex_};
  tell(client, key, 0);
}

// ---- What happens. ----

// Hot while nobody tracks: guarded by bench/server's SET.
void Tracking::changed(std::string_view key) {
  if (tracking_.load(std::memory_order_acquire) == 0) return;
  const Id actor = acting();
  const MutexLock lock{mutex_};
  if (const auto found = table_.find(key); found != table_.end()) {
    const std::vector<Id> clients = std::move(found->second);
    items_ -= clients.size();
    bytes_ -= weight_of(key, clients);
    table_.erase(found);
    for (const Id client : clients) tell(client, key, actor);
  }
  for (const auto& [size, count] : prefix_sizes_) {
    if (size > key.size()) break;
    const auto clients = by_prefix_.find(key.substr(0, size));
    if (clients == by_prefix_.end()) continue;
    for (const Id client : clients->second) tell(client, key, actor);
  }
}

void Tracking::cleared(std::optional<Space> /*all are told of either*/) {
  if (tracking_.load(std::memory_order_acquire) == 0) return;
  const MutexLock lock{mutex_};
  table_.clear();
  items_ = bytes_ = 0;
  for (auto& [id, client] : clients_) {
    if (client.tracks) tell_everything(client);
  }
}

// Past the limit, some keys are forgotten, and told to have changed.
void Tracking::make_room() {
  while (bytes_ > most_ && !table_.empty()) {
    std::size_t bucket = random_() % table_.bucket_count();
    while (table_.bucket_size(bucket) == 0) bucket = (bucket + 1) % table_.bucket_count();
    const std::string key = table_.begin(bucket)->first;
    const auto found = table_.find(key);
    const std::vector<Id> clients = std::move(found->second);
    items_ -= clients.size();
    bytes_ -= weight_of(key, clients);
    table_.erase(found);
    ++evicted_;
    for (const Id client : clients) tell(client, key, 0);
  }
}

void Tracking::tell(Id id, std::string_view key, Id actor) {
  const auto found = clients_.find(id);
  if (found == clients_.end() || !found->second.tracks) return;
  Client& client = found->second;
  if (id == actor && client.options.no_loop) return;
  ++told_;
  if (Client* const receiver = receiver_of(client)) {
    add_change(*receiver, key, client.options.redirect != 0);
  }
}

void Tracking::tell_everything(Client& client) {
  ++told_;
  Client* const receiver = receiver_of(client);
  if (receiver == nullptr) return;
  forget_all(*receiver, client.options.redirect != 0);
}

Tracking::Client* Tracking::receiver_of(Client& client) {
  if (client.options.redirect == 0) return &client;
  const auto found = clients_.find(client.options.redirect);
  if (found != clients_.end()) return &found->second;
  client.news.lost = client.options.redirect;
  wake(client);
  return nullptr;
}

void Tracking::add_change(Client& receiver, std::string_view key, bool redirected) {
  News& news = receiver.news;
  const bool again = !news.changes.empty() && news.changes.back().key == key &&
                     news.changes.back().redirected == redirected;
  if (again) return;
  const std::size_t more = key.size() + kAroundChange;
  if (news.everything || news.bytes + more > kMostNews) return forget_all(receiver, redirected);
  news.changes.push_back({std::string{key}, redirected});
  news.bytes += more;
  waiting_ += more;
  wake(receiver);
}

// In place of all that it was to be told.
void Tracking::forget_all(Client& receiver, bool redirected) {
  News& news = receiver.news;
  news.everything = true;
  news.everything_redirected =
      news.everything_redirected || redirected ||
      std::ranges::any_of(news.changes, [](const auto& change) { return change.redirected; });
  drop_news(receiver);
  wake(receiver);
}

void Tracking::drop_news(Client& receiver) {
  waiting_ -= receiver.news.bytes;
  receiver.news.changes = {};
  receiver.news.bytes = 0;
}

void Tracking::wake(Client& client) {
  if (std::exchange(client.awake, true)) return;
  client.has_news->store(true, std::memory_order_release);
  (*client.wake)();
}

// ---- For people. ----

Tracking::Counts Tracking::counts() const {
  const MutexLock lock{mutex_};
  return {.clients = tracking_.load(std::memory_order_relaxed),
          .keys = table_.size(),
          .items = items_,
          .prefixes = by_prefix_.size(),
          .bytes = bytes_,
          .told = told_,
          .evicted = evicted_};
}

std::size_t Tracking::waiting_for(Id client) const {
  const MutexLock lock{mutex_};
  const auto found = clients_.find(client);
  return found == clients_.end() ? 0 : found->second.news.bytes;
}

}  // namespace larder
