#include "shared/redis_tier.hpp"

#include <algorithm>
#include <utility>

#include "shared/copies.hpp"
#include "shared/fleet_loads.hpp"
#include "shared/random_number.hpp"
#include "shared/reading.hpp"

namespace larder::shared {
namespace {

constexpr unsigned kExtendsALease = 3;

}  // namespace

// ---- Beginning and end. ----

Result<std::shared_ptr<RedisTier>> RedisTier::start(Runtime& runtime, RedisTierOptions options) {
  const redis::ClientOptions client{
      .url = options.url,
      .expect = options.in_cluster ? redis::Expect::kClusterMaster : redis::Expect::kMaster,
      .timeout = options.timeout};
  std::shared_ptr<RedisTier> tier{new RedisTier{runtime, std::move(options)}};
  tier->hearing_ = tier->options_.hearing;
  if (!tier->hearing_) {
    tier->hearing_ = Hearing::start(tier->timers_, [weak = std::weak_ptr{tier}] {
      if (const auto self = weak.lock()) self->missed();
    });
  }
  tier->hearing_->expect(tier.get());
  redis::ClientOptions commands = client;
  commands.most_commands = tier->options_.most_commands;
  auto started = redis::Client::start(runtime, std::move(commands), tier);
  if (!started) return std::unexpected{std::move(started.error())};
  tier->client_ = std::move(*started);
  if (auto done = tier->start_backplane(runtime, client); !done) {
    return std::unexpected{std::move(done.error())};
  }
  tier->client_ready_.store(true, std::memory_order_release);
  runtime.close_at_stop(tier);
  tier->deliver();
  return tier;
}

Result<void> RedisTier::start_backplane(Runtime& runtime, const redis::ClientOptions& client) {
  const std::string own = hex(token_seed_[0]);
  if (options_.in_cluster) {
    auto started = ChannelBackplane::start(runtime, client, own, weak_from_this());
    if (!started) return std::unexpected{std::move(started.error())};
    channels_ = std::move(*started);
    backplane_ = channels_;
  } else {
    auto started = StreamBackplane::start(runtime, client, names_.stream(), own, weak_from_this());
    if (!started) return std::unexpected{std::move(started.error())};
    backplane_ = std::move(*started);
  }
  return {};
}

RedisTier::RedisTier(Runtime& runtime, RedisTierOptions options)
    : options_{std::move(options)},
      names_{options_.name_space, options_.in_cluster},
      timers_{runtime.handle().timers()},
      refusals_{options_.quiet},
      following_refusals_{options_.quiet},
      undelivered_{options_.most_undelivered},
      token_seed_{random_number(), random_number()} {
  const MutexLock lock{mutex_};
  if (options_.in_cluster) buckets_.clear();
  trouble_ = options_.url.place() + " is not connected yet";
}

RedisTier::~RedisTier() {
  if (hearing_) hearing_->forget(this);
  if (client_) client_->close();
  if (backplane_) backplane_->close();
}

void RedisTier::close() {
  std::vector<std::weak_ptr<FleetLoads>> loads;
  std::vector<Confirmations::Then> waits;
  {
    const MutexLock lock{mutex_};
    if (std::exchange(closed_, true)) return;
    trusted_ = false;
    session_.reset();
    deliver_timer_.reset();
    probe_timer_.reset();
    extend_timer_.reset();
    held_.clear();
    loads.swap(fleet_loads_);
    waits = telling_.end_all();
  }
  client_->close();
  backplane_->close();
  hearing_->forget(this);
  if (!options_.hearing) hearing_->close();
  wake_all();
  for (Confirmations::Then& then : waits) then();
  for (const auto& each : loads) {
    if (const auto waiting = each.lock()) waiting->let_all_go();
  }
}

std::shared_ptr<SharedCopies> RedisTier::copies(std::string cache, std::uint64_t fingerprint) {
  return std::make_shared<Copies>(shared_from_this(), std::move(cache), fingerprint);
}

std::shared_ptr<FleetGate> RedisTier::fleet_gate(FleetLimit limit) {
  std::string key = names_.loads(limit.source);
  auto loads = std::make_shared<FleetLoads>([weak = weak_from_this()] { return weak.lock(); },
                                            timers_, std::move(key), std::move(limit));
  const MutexLock lock{mutex_};
  std::erase_if(fleet_loads_, [](const auto& each) { return each.expired(); });
  fleet_loads_.push_back(loads);
  return loads;
}

std::string RedisTier::new_token() {
  std::uint64_t number = 0;
  {
    const MutexLock lock{mutex_};
    number = tokens_++;
  }
  std::string token;
  for (const std::uint64_t half : {token_seed_[0], token_seed_[1] + number}) {
    for (unsigned shift = 0; shift < 64; shift += 8) token += static_cast<char>(half >> shift);
  }
  return token;
}

// ---- About it. ----

bool RedisTier::trusted() const {
  const MutexLock lock{mutex_};
  return trusted_;
}

std::string RedisTier::trouble() const {
  const MutexLock lock{mutex_};
  return trusted_ ? std::string{} : trouble_;
}

std::optional<redis::Session> RedisTier::session() const {
  const MutexLock lock{mutex_};
  return trusted_ ? session_ : std::nullopt;
}

SharedStats RedisTier::stats() const {
  SharedStats stats = counts_.now();
  stats.heard = backplane_->heard();
  stats.gaps = backplane_->gaps();
  if (!options_.hearing) stats.gaps += hearing_->lapses();
  stats.connections = client_->health().connections;
  const MutexLock lock{mutex_};
  // Of what it is no part of any more others tell it, and count it.
  if (!retired_) stats.undelivered = undelivered_.size() + in_delivery_;
  return stats;
}

// ---- Calls. ----

std::optional<Error> RedisTier::submit(std::uint64_t run, const std::vector<Call>& calls,
                                       bool by_name, redis::Done done) {
  return client_->submit(
      {.commands = calls.size(), .session = run},
      [&](resp::RequestWriter& write) {
        for (const Call& each : calls) write.command(each.command(by_name && each.by_name()));
      },
      std::move(done));
}

void RedisTier::call(std::uint64_t run, std::vector<Call> calls, redis::Done done) {
  const auto shared_calls = std::make_shared<std::vector<Call>>(std::move(calls));
  const auto shared_done = std::make_shared<redis::Done>(std::move(done));
  auto first = [self = shared_from_this(), run, shared_calls,
                shared_done](Result<redis::Replies> replies) {
    const bool unknown = replies && std::ranges::any_of(*replies, [](const resp::Reply& reply) {
                           return reply.is_error() && reply.text.starts_with("NOSCRIPT");
                         });
    if (!unknown) return (*shared_done)(std::move(replies));
    // Those that were known were carried out; their answers are kept.
    std::vector<Call> again;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < replies->size(); ++i) {
      if (!(*replies)[i].is_error() || !(*replies)[i].text.starts_with("NOSCRIPT")) continue;
      again.push_back(std::move((*shared_calls)[i]));
      places.push_back(i);
    }
    const auto kept = std::make_shared<redis::Replies>(std::move(*replies));
    const auto refused = self->submit(
        run, again, false,
        [shared_done, kept, places = std::move(places)](Result<redis::Replies> second) {
          if (!second) return (*shared_done)(std::unexpected{std::move(second.error())});
          for (std::size_t i = 0; i < places.size(); ++i) {
            (*kept)[places[i]] = std::move((*second)[i]);
          }
          (*shared_done)(std::move(*kept));
        });
    if (refused) (*shared_done)(std::unexpected{*refused});
  };
  const auto refused = submit(run, *shared_calls, true, std::move(first));
  if (refused) (*shared_done)(std::unexpected{*refused});
}

// ---- What others announce. ----

void RedisTier::listen(const std::string& cache, std::weak_ptr<SharedListener> listener) {
  const MutexLock lock{mutex_};
  auto& listeners = listeners_[cache];
  std::erase_if(listeners, [](const auto& each) { return each.expired(); });
  listeners.push_back(std::move(listener));
}

void RedisTier::announced(const Announcement& announcement) {
  std::vector<std::weak_ptr<SharedListener>> listeners;
  {
    const MutexLock lock{mutex_};
    const auto found = listeners_.find(announcement.cache);
    if (found != listeners_.end()) listeners = found->second;
  }
  for (const auto& each : listeners) {
    const auto listener = each.lock();
    if (!listener) continue;
    if (announcement.key) {
      listener->invalidated(*announcement.key);
    } else {
      listener->cleared();
    }
  }
}

void RedisTier::missed() {
  std::vector<std::weak_ptr<SharedListener>> listeners;
  {
    const MutexLock lock{mutex_};
    for (const auto& [cache, each] : listeners_) {
      listeners.insert(listeners.end(), each.begin(), each.end());
    }
  }
  for (const auto& each : listeners) {
    if (const auto listener = each.lock()) listener->cleared();
  }
}

// What others could not tell it is not announced.
void RedisTier::heard_until(TimePoint asked) {
  if (trusted()) hearing_->heard(this, asked);
}

// ---- Waiting. ----

void RedisTier::wait(const ReadingPtr& reading, std::size_t index, Duration delay) {
  const std::string& key = reading->key(index);
  {
    const MutexLock lock{mutex_};
    if (!closed_) {
      auto timer = timers_->after(delay, [weak = weak_from_this(), key] {
        if (const auto self = weak.lock()) self->wake(key);
      });
      waiters_.emplace(key, Waiter{.reading = reading, .index = index, .timer = std::move(timer)});
      return;
    }
  }
  reading->look_again(index);
}

void RedisTier::wake(std::string_view key) {
  std::vector<Waiter> awake;
  {
    const MutexLock lock{mutex_};
    const auto [begin, end] = waiters_.equal_range(std::string{key});
    for (auto each = begin; each != end; ++each) awake.push_back(std::move(each->second));
    waiters_.erase(begin, end);
  }
  for (const Waiter& waiter : awake) waiter.reading->look_again(waiter.index);
}

void RedisTier::wake_all() {
  std::unordered_multimap<std::string, Waiter> awake;
  {
    const MutexLock lock{mutex_};
    awake.swap(waiters_);
  }
  for (const auto& [key, waiter] : awake) waiter.reading->look_again(waiter.index);
}

void RedisTier::changed(std::optional<std::string_view> key) {
  if (key) return wake(*key);
  wake_all();
}

// ---- Leases that are held. ----

void RedisTier::hold(const SharedLease& lease) {
  SharedCounts::add(counts_.leases);
  const MutexLock lock{mutex_};
  if (closed_) return;
  held_.emplace(
      lease.token,
      Held{.key = lease.key, .run = lease.run, .until = timers_->now() + options_.longest_load});
  if (!extend_timer_) extend_later();
}

void RedisTier::let_go(const SharedLease& lease) {
  const MutexLock lock{mutex_};
  held_.erase(lease.token);
}

void RedisTier::extend_later() {
  extend_timer_ = timers_->after(options_.lease / kExtendsALease, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->extend_all();
  });
}

// What was lost meanwhile is noticed by its fill.
void RedisTier::extend_all() {
  std::map<std::uint64_t, std::vector<Call>> calls;  // by run
  {
    const MutexLock lock{mutex_};
    extend_timer_.reset();
    const TimePoint now = timers_->now();
    std::erase_if(held_, [&](const auto& held) { return held.second.until <= now; });
    if (held_.empty() || closed_) return;
    for (const auto& [token, held] : held_) {
      calls[held.run].push_back(extend(held.key, token, options_.lease));
    }
    extend_later();
  }
  for (auto& [run, of_run] : calls) call(run, std::move(of_run), [](const auto&) {});
}

}  // namespace larder::shared
