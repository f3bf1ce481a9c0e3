#include "server/client_registry.hpp"

#include <algorithm>
#include <utility>

namespace larder {

void ClientRegistry::add(std::uint64_t id, ClientOrigin origin, std::string user, TimePoint now,
                         ClientActivity& activity, const std::function<void()>& wake) {
  const MutexLock lock{mutex_};
  clients_.emplace(id, Client{.origin = std::move(origin),
                              .introduction = {},
                              .user = std::move(user),
                              .since = now,
                              .activity = &activity,
                              .wake = &wake});
}

void ClientRegistry::remove(std::uint64_t id) {
  const MutexLock lock{mutex_};
  clients_.erase(id);
}

Introduction ClientRegistry::introduction(std::uint64_t id) const {
  const MutexLock lock{mutex_};
  return clients_.at(id).introduction;
}

void ClientRegistry::introduce(std::uint64_t id, Introduction introduction) {
  const MutexLock lock{mutex_};
  clients_.at(id).introduction = std::move(introduction);
}

void ClientRegistry::set_user(std::uint64_t id, std::string_view user) {
  const MutexLock lock{mutex_};
  clients_.at(id).user = user;
}

ClientOrigin ClientRegistry::origin(std::uint64_t id) const {
  const MutexLock lock{mutex_};
  return clients_.at(id).origin;
}

ClientSnapshot ClientRegistry::one(std::uint64_t id, TimePoint now) const {
  const MutexLock lock{mutex_};
  return snapshot(id, clients_.at(id), now);
}

std::vector<ClientSnapshot> ClientRegistry::all(TimePoint now) const {
  std::vector<ClientSnapshot> found;
  const MutexLock lock{mutex_};
  found.reserve(clients_.size());
  for (const auto& [id, client] : clients_) found.push_back(snapshot(id, client, now));
  return found;
}

void ClientRegistry::kill(std::span<const std::uint64_t> ids) {
  const MutexLock lock{mutex_};  // while it is held, none of them goes
  for (const std::uint64_t id : ids) {
    const auto client = clients_.find(id);
    if (client == clients_.end()) continue;
    if (!client->second.activity->killed.exchange(true)) (*client->second.wake)();
  }
}

ClientSnapshot ClientRegistry::snapshot(std::uint64_t id, const Client& client, TimePoint now) {
  const auto of = [](const auto& member) { return member.load(std::memory_order_relaxed); };
  const ClientActivity& activity = *client.activity;
  const TimePoint last = std::max(client.since, TimePoint{Duration{of(activity.last)}});
  return {.id = id,
          .origin = client.origin,
          .introduction = client.introduction,
          .user = client.user,
          .age = now - client.since,
          .idle = std::max(now - last, Duration{}),
          .command = of(activity.command),
          .unread = of(activity.unread),
          .unsent = of(activity.unsent),
          .queued = of(activity.queued),
          .queued_bytes = of(activity.queued_bytes),
          .protocol = of(activity.protocol),
          .protected_from_eviction = of(activity.protected_from_eviction),
          .leaves_no_trace = of(activity.leaves_no_trace),
          .monitors = of(activity.monitors),
          .subscribed = of(activity.subscribed),
          .tracks = of(activity.tracks),
          .broadcasts = of(activity.broadcasts),
          .redirect_broken = of(activity.redirect_broken),
          .redirect = of(activity.redirect)};
}

}  // namespace larder
