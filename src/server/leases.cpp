#include "server/leases.hpp"

#include <charconv>

namespace larder {

namespace {

// What a lease takes besides the bytes of its key: its places in the tables and in the order of
// ends.
constexpr std::size_t kAroundLease = 320;

std::size_t weight_of(std::string_view key) { return kAroundLease + key.size(); }

LeaseNews look_again(std::uint64_t wait) { return {wait, LeaseNews::Kind::kLookAgain}; }

}  // namespace

void Leases::set_limit(ByteCount most) {
  const MutexLock lock{mutex_};
  most_ = most.bytes;
}

void Leases::set_alarm(Alarm alarm) {
  const MutexLock lock{mutex_};
  alarm_ = std::move(alarm);
  alarm_at_.reset();
  set_alarm_for_first();
}

// ---- Within MemoryTier::update() of the key. ----

Leases::Taken Leases::take(std::string_view key, const Asker& asker, TimePoint now) {
  const MutexLock lock{mutex_};
  auto found = by_key_.find(key);
  if (found != by_key_.end() && held_.at(found->second).until <= now) {
    ++counts_.expired;
    pass_on(held_.find(found->second), now);
    found = by_key_.find(key);
  }
  if (found == by_key_.end()) {
    if (const auto step = no_room(key, asker.client)) return {*step};
    const auto held = give(key, asker.client, asker.space, asker.lease, now);
    set_alarm_for_first();
    return {Taken::Step::kLoad, token_of(held->first, held->second.secret)};
  }
  if (closed_ || asker.until <= now) {
    ++counts_.in_vain;
    return {Taken::Step::kInVain};
  }
  const Number number = wait(held_.find(found->second), asker);
  set_alarm_for_first();
  return {Taken::Step::kWait, {}, number};
}

Leases::Ended Leases::end(std::string_view key, std::string_view token, TimePoint now) {
  const MutexLock lock{mutex_};
  const auto held = find_held(key, token);
  if (held == held_.end()) return {Standing::kOver};
  if (held->second.changed) {
    drop(held);
    return {Standing::kChanged};
  }
  if (held->second.until <= now) {
    ++counts_.expired;
    pass_on(held, now);
    return {Standing::kOver};
  }
  Ended ended{Standing::kHeld};
  while (!held->second.waits.empty()) ended.waits.push_back(forget(*held->second.waits.begin()));
  drop(held);
  ++counts_.filled;
  return ended;
}

// ---- Anywhere. ----

void Leases::answer(const std::vector<Wait>& waits, const Handle<std::string>& value) {
  for (const Wait& wait : waits) {
    wait.asker.inbox->put(LeaseNews{wait.asker.wait, LeaseNews::Kind::kValue, {}, value});
  }
}

Leases::Standing Leases::give_back(std::string_view key, std::string_view token, TimePoint now) {
  const MutexLock lock{mutex_};
  const auto held = find_held(key, token);
  if (held == held_.end()) return Standing::kOver;
  if (held->second.changed) {
    drop(held);
    return Standing::kChanged;
  }
  const bool over = held->second.until <= now;
  ++(over ? counts_.expired : counts_.returned);
  pass_on(held, now);
  return over ? Standing::kOver : Standing::kHeld;
}

void Leases::leave(Id id, TimePoint now) {
  const MutexLock lock{mutex_};
  const auto found = clients_.find(id);
  if (found == clients_.end()) return;
  const Client client = found->second;
  for (const Number wait : client.waits) forget(wait);
  for (const Number number : client.held) {
    const auto held = held_.find(number);
    if (held->second.changed) {
      drop(held);
    } else {
      ++counts_.expired;
      pass_on(held, now);
    }
  }
}

void Leases::end_due(TimePoint now) {
  const MutexLock lock{mutex_};
  alarm_at_.reset();
  while (!ends_.empty() && ends_.begin()->first <= now) {
    const Number number = ends_.begin()->second;
    const auto held = held_.find(number);
    if (held == held_.end()) {
      wait_in_vain(number);
    } else if (held->second.changed) {
      drop(held);
    } else {
      ++counts_.expired;
      pass_on(held, now);
    }
  }
  set_alarm_for_first();
}

void Leases::close() {
  const MutexLock lock{mutex_};
  closed_ = true;
  while (!waits_.empty()) wait_in_vain(waits_.begin()->first);
}

// ---- What happens. ----

// Hot while nothing is leased: guarded by bench/server's SET.
void Leases::changed(std::string_view key) {
  if (leased_.load(std::memory_order_acquire) == 0) return;
  const MutexLock lock{mutex_};
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) change(held_.find(found->second));
}

void Leases::cleared(std::optional<Space> space) {
  const MutexLock lock{mutex_};
  std::vector<Number> cleared;
  for (const auto& [key, number] : by_key_) {
    if (!space || held_.at(number).space == *space) cleared.push_back(number);
  }
  for (const Number number : cleared) change(held_.find(number));
}

// ---- For people. ----

std::optional<Leases::Lease> Leases::find(std::string_view key) const {
  const MutexLock lock{mutex_};
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return std::nullopt;
  const Held& held = held_.at(found->second);
  return Lease{.given = held.given, .waiting = held.waits.size()};
}

Leases::Counts Leases::counts() const {
  const MutexLock lock{mutex_};
  Counts counts = counts_;
  counts.held = by_key_.size();
  counts.waiting = waits_.size();
  return counts;
}

// ---- Within. ----

// The number finds the lease, and the secret tells that this is it.
std::string Leases::token_of(Number number, std::uint64_t secret) {
  char text[2 * 16 + 1];
  char* end = std::to_chars(text, text + 16, number, 16).ptr;
  *end++ = '-';
  end = std::to_chars(end, text + sizeof text, secret, 16).ptr;
  return {text, end};
}

Leases::HeldNumbered Leases::find_held(std::string_view key, std::string_view token) {
  Number number = 0;
  std::from_chars(token.data(), token.data() + token.size(), number, 16);
  const auto held = held_.find(number);
  if (held == held_.end() || held->second.key != key) return held_.end();
  return token == token_of(number, held->second.secret) ? held : held_.end();
}

std::optional<Leases::Taken::Step> Leases::no_room(std::string_view key, Id client) {
  const std::size_t more = weight_of(key);
  const auto found = clients_.find(client);
  const std::size_t own = found == clients_.end() ? 0 : found->second.bytes;
  std::optional<Taken::Step> step;
  if (own + more > most_ / kShareOfClient) step = Taken::Step::kTooManyOf;
  if (counts_.bytes + more > most_) step = Taken::Step::kTooMany;
  if (step) ++counts_.refused;
  return step;
}

Leases::HeldNumbered Leases::give(std::string_view key, Id client, Space space, Duration lease,
                                  TimePoint now) {
  const auto held = held_
                        .try_emplace(next_++, Held{.key = std::string{key},
                                                   .secret = random_(),
                                                   .client = client,
                                                   .space = space,
                                                   .given = now,
                                                   .until = now + lease})
                        .first;
  by_key_.emplace(held->second.key, held->first);
  leased_.store(by_key_.size(), std::memory_order_release);
  charge(held);
  return held;
}

// REQUIRES: nobody waits for it.
void Leases::drop(HeldNumbered held) {
  if (!held->second.changed) {
    by_key_.erase(held->second.key);
    leased_.store(by_key_.size(), std::memory_order_release);
  }
  credit(held);
  held_.erase(held);
}

// It ended without a value: who has waited longest is the next to load. The key stays leased
// all the while.
void Leases::pass_on(HeldNumbered held, TimePoint now) {
  if (held->second.waits.empty()) return drop(held);
  const Wait first = forget(*held->second.waits.begin());
  credit(held);
  auto node = held_.extract(held);
  node.key() = next_++;
  const auto next = held_.insert(std::move(node)).position;
  Held& lease = next->second;
  lease.secret = random_();
  lease.client = first.asker.client;
  lease.given = now;
  lease.until = now + first.asker.lease;
  by_key_.at(lease.key) = next->first;
  for (const Number wait : lease.waits) waits_.at(wait).lease = next->first;
  charge(next);
  first.asker.inbox->put(
      LeaseNews{first.asker.wait, LeaseNews::Kind::kToken, token_of(next->first, lease.secret)});
}

// A lease begins to count, and to run.
void Leases::charge(HeldNumbered held) {
  const Held& lease = held->second;
  Client& client = clients_[lease.client];
  client.held.insert(held->first);
  client.bytes += weight_of(lease.key);
  counts_.bytes += weight_of(lease.key);
  ends_.emplace(lease.until, held->first);
  ++counts_.given;
}

void Leases::credit(HeldNumbered held) {
  const Held& lease = held->second;
  Client& client = clients_.at(lease.client);
  client.held.erase(held->first);
  client.bytes -= weight_of(lease.key);
  counts_.bytes -= weight_of(lease.key);
  ends_.erase({lease.until, held->first});
  forget_if_idle(lease.client);
}

// What was loaded may be older than the change. It stays until its end, to tell its holder.
void Leases::change(HeldNumbered held) {
  ++counts_.changed;
  held->second.changed = true;
  by_key_.erase(held->second.key);
  leased_.store(by_key_.size(), std::memory_order_release);
  while (!held->second.waits.empty()) {
    const Wait wait = forget(*held->second.waits.begin());
    wait.asker.inbox->put(look_again(wait.asker.wait));
  }
}

Leases::Number Leases::wait(HeldNumbered held, const Asker& asker) {
  const Number number = asker.wait != 0 ? asker.wait : next_++;
  const auto wait = waits_.try_emplace(number, Wait{asker, held->first}).first;
  wait->second.asker.wait = number;
  held->second.waits.insert(number);
  clients_[asker.client].waits.insert(number);
  ends_.emplace(asker.until, number);
  return number;
}

Leases::Wait Leases::forget(Number number) {
  const auto found = waits_.find(number);
  Wait wait = std::move(found->second);
  waits_.erase(found);
  held_.at(wait.lease).waits.erase(number);
  ends_.erase({wait.asker.until, number});
  clients_.at(wait.asker.client).waits.erase(number);
  forget_if_idle(wait.asker.client);
  return wait;
}

void Leases::wait_in_vain(Number number) {
  ++counts_.in_vain;
  const Wait wait = forget(number);
  wait.asker.inbox->put(LeaseNews{number, LeaseNews::Kind::kInVain});
}

void Leases::forget_if_idle(Id id) {
  const auto found = clients_.find(id);
  if (found->second.held.empty() && found->second.waits.empty()) clients_.erase(found);
}

void Leases::set_alarm_for_first() {
  if (ends_.empty() || !alarm_) return;
  const TimePoint first = ends_.begin()->first;
  if (alarm_at_ && *alarm_at_ <= first) return;
  alarm_at_ = first;
  alarm_(first);
}

}  // namespace larder
