#include "shared/pool_server.hpp"

#include <utility>

#include "base/utf8.hpp"
#include "memcached/key_name.hpp"
#include "shared/pool_reading.hpp"
#include "shared/random_number.hpp"
#include "shared/refresh_token.hpp"

namespace larder::shared {
namespace {

constexpr unsigned kExtendsALease = 3;

}  // namespace

// ---- Beginning and end. ----

std::shared_ptr<PoolServer> PoolServer::start(Runtime& runtime, const memcached::Place& place,
                                              const PoolOptions& options,
                                              std::shared_ptr<Tier> backplane) {
  std::shared_ptr<PoolServer> server{new PoolServer{runtime, place, options, std::move(backplane)}};
  server->client_ =
      memcached::Client::start(runtime, {.place = place, .timeout = options.timeout}, server);
  server->client_ready_.store(true, std::memory_order_release);
  server->deliver();
  return server;
}

PoolServer::PoolServer(Runtime& runtime, const memcached::Place& place, const PoolOptions& options,
                       std::shared_ptr<Tier> backplane)
    : options_{options},
      place_{memcached::to_string(place)},
      names_{options.name_space, false},
      backplane_{std::move(backplane)},
      hearing_{backplane_ ? backplane_->hearing() : nullptr},
      timers_{runtime.handle().timers()},
      token_seed_{random_number(), random_number()},
      undelivered_{options.most_undelivered} {
  const MutexLock lock{mutex_};
  trouble_ = place_ + " is not connected yet";
  set_trusted(false);
}

PoolServer::~PoolServer() {
  if (hearing_) hearing_->forget(this);
  if (client_) client_->close();
}

void PoolServer::close() {
  std::vector<Confirmations::Then> waits;
  {
    const MutexLock lock{mutex_};
    if (std::exchange(closed_, true)) return;
    set_trusted(false);
    session_.reset();
    deliver_timer_.reset();
    extend_timer_.reset();
    forgets_.clear();
    left_writes_.clear();
    held_.clear();
    waits = telling_.end_all();
  }
  client_->close();
  wake_all();
  for (Confirmations::Then& then : waits) then();
}

std::string PoolServer::new_token() {
  const std::uint64_t number = tokens_.fetch_add(1, std::memory_order_relaxed);
  std::string token;
  for (const std::uint64_t half : {token_seed_[0], token_seed_[1] + number}) {
    for (unsigned shift = 0; shift < 64; shift += 8) token += static_cast<char>(half >> shift);
  }
  return token;
}

std::string PoolServer::generation_name(const std::string& cache) const {
  return memcached::key_name(names_.generation(cache, 0));
}

// ---- About it. ----

bool PoolServer::trusted() const {
  const MutexLock lock{mutex_};
  return trusted_;
}

std::string PoolServer::trouble() const {
  const MutexLock lock{mutex_};
  return trusted_ ? std::string{} : trouble_;
}

std::optional<memcached::Session> PoolServer::session() const {
  const MutexLock lock{mutex_};
  return trusted_ ? session_ : std::nullopt;
}

std::optional<PoolServer::Trust> PoolServer::trust() const {
  const MutexLock lock{mutex_};
  if (!trusted_) return std::nullopt;
  return Trust{.connection = session_->number, .number = trusts_};
}

bool PoolServer::lasts(const Trust& trust) const {
  const MutexLock lock{mutex_};
  return trusted_ && trusts_ == trust.number;
}

bool PoolServer::ending(const std::string& item) const {
  const MutexLock lock{mutex_};
  return ending_.contains(item);
}

SharedStats PoolServer::stats() const {
  SharedStats stats = counts_.now();
  stats.connections = client_->health().connections;
  const MutexLock lock{mutex_};
  stats.undelivered = undelivered_.size() + in_delivery_;
  return stats;
}

void PoolServer::note_error(const Error& error) {
  if (error.code == Errc::kRejected) return note_refusal(error.message);
  if (error.code != Errc::kCancelled) SharedCounts::add(counts_.errors);
}

void PoolServer::note_refusal(const std::string& text) {
  SharedCounts::add(counts_.errors);
  if (refusals_.refused(timers_->now()) && options_.tell) {
    options_.tell(false, "the shared tier: " + place_ + " refuses a command: " + printable(text) +
                             "; what it does not take each process loads");
  }
}

void PoolServer::note_taken() {
  if (refusals_.taken(timers_->now()) && options_.tell) {
    options_.tell(true, "the shared tier: " + place_ + " refuses nothing any more");
  }
}

// ---- The end of a lease. ----

void PoolServer::fill(const std::string& cache, const std::string& name, const SharedLease& lease,
                      std::string value, Duration left) {
  const auto life = life_of_value(left);
  if (!life) {
    if (lease.anew) invalidate(cache, name);
    return release(lease);
  }
  if (RefreshToken::in(lease.token)) {
    return fill_refresh(cache, name, lease, std::move(value), *life);
  }
  const bool begun = end_lease(
      lease,
      [token = lease.token, value = std::move(value), life = *life](const Item& item) {
        return fill_lease(item, token, value, life);
      },
      [self = shared_from_this(), cache, name,
       anew = lease.anew](const Result<Change::Kind>& outcome) {
        if (!outcome) {
          self->note_error(outcome.error());
          if (anew) self->invalidate(cache, name);
          return;
        }
        const bool filled = *outcome == Change::Kind::kSet;
        self->count_fill(filled);
        if (filled && anew) self->announce(cache, name);
      });
  if (!begun && lease.anew) invalidate(cache, name);  // others' memory may have an older copy
}

void PoolServer::fill_refresh(const std::string& cache, const std::string& name,
                              const SharedLease& lease, std::string value,
                              std::chrono::seconds life) {
  const RefreshToken token = *RefreshToken::in(lease.token);
  const auto refused = client_->submit(
      {.session = token.connection},
      [&](memcached::MetaWriter& write) { write.replace(lease.key, value, life, token.cas); },
      [self = shared_from_this(), cache, name](const Result<memcached::Replies>& replies) {
        self->refreshed(cache, name, replies);
      });
  if (refused) refreshed(cache, name, std::unexpected{*refused});
}

// Where another item is there than the one that was seen, another has refreshed the key, too, and
// nobody can say whose load is the later; where that is not known, it may be the one that was seen.
// Neither is to stay.
void PoolServer::refreshed(const std::string& cache, const std::string& name,
                           const Result<memcached::Replies>& replies) {
  using Kind = memcached::MetaReply::Kind;
  const bool failed = !replies || replies->front().is_error();
  if (failed) {
    note_error(replies ? Error{Errc::kRejected, replies->front().text} : replies.error());
  } else {
    count_fill(replies->front().kind == Kind::kDone);
  }
  if (failed || replies->front().kind == Kind::kExists) return invalidate(cache, name);
  if (replies->front().kind == Kind::kDone) announce(cache, name);
}

void PoolServer::count_fill(bool filled) {
  SharedCounts::add(filled ? counts_.fills : counts_.refused_fills);
}

void PoolServer::fail(const SharedLease& lease, std::uint64_t fingerprint, const Error& error) {
  if (RefreshToken::in(lease.token)) return;  // the value stays
  end_lease(
      lease,
      [token = lease.token, fingerprint, error](const Item& item) {
        return fail_lease(item, token, fingerprint, error);
      },
      [self = shared_from_this(), lease](const Result<Change::Kind>& outcome) {
        if (!outcome) return self->note_error(outcome.error());
        if (*outcome == Change::Kind::kSet) self->forget_later(lease.key, lease.token);
      });
}

void PoolServer::release(const SharedLease& lease) {
  if (RefreshToken::in(lease.token)) return;
  end_lease(
      lease, [token = lease.token](const Item& item) { return release_lease(item, token); },
      noting());
}

// What cannot be done ends with the lease's own time.
bool PoolServer::end_lease(const SharedLease& lease, ItemStep::Decide decide, ItemStep::Done done) {
  std::optional<std::uint64_t> connection;
  {
    const MutexLock lock{mutex_};
    held_.erase(lease.token);
    if (trusted_) connection = session_->number;
  }
  if (!connection) return false;
  const auto refused = ItemStep::carry_out(client_, step_terms(*connection), lease.key,
                                           std::move(decide), std::move(done));
  if (refused) note_error(*refused);
  return !refused;
}

ItemStep::Done PoolServer::noting() {
  return [self = shared_from_this()](const Result<Change::Kind>& outcome) {
    if (!outcome) self->note_error(outcome.error());
  };
}

// Memcached would tell it for two seconds.
void PoolServer::forget_later(const std::string& key, const std::string& token) {
  const MutexLock lock{mutex_};
  if (closed_) return;
  forgets_[token] = timers_->after(options_.failure, [weak = weak_from_this(), key, token] {
    const auto self = weak.lock();
    if (!self) return;
    std::unique_ptr<Timer> done;
    {
      const MutexLock inner{self->mutex_};
      const auto found = self->forgets_.find(token);
      if (found == self->forgets_.end()) return;
      done = std::move(found->second);
      self->forgets_.erase(found);
    }
    self->end_lease(
        {.key = key, .token = token},
        [token](const Item& item) { return forget_failure(item, token); }, self->noting());
  });
}

// ---- Waiting. ----

void PoolServer::wait(const std::shared_ptr<PoolReading>& reading, std::size_t index,
                      Duration delay) {
  {
    const MutexLock lock{mutex_};
    if (!closed_) {
      const std::uint64_t number = ++waited_;
      auto timer = timers_->after(delay, [weak = weak_from_this(), number] {
        if (const auto self = weak.lock()) self->wake(number);
      });
      waiters_.emplace(number,
                       Waiter{.reading = reading, .index = index, .timer = std::move(timer)});
      return;
    }
  }
  reading->look_again(index);
}

void PoolServer::wake(std::uint64_t number) {
  Waiter awake;
  {
    const MutexLock lock{mutex_};
    const auto found = waiters_.find(number);
    if (found == waiters_.end()) return;
    awake = std::move(found->second);
    waiters_.erase(found);
  }
  awake.reading->look_again(awake.index);
}

void PoolServer::wake_all() {
  std::unordered_map<std::uint64_t, Waiter> awake;
  {
    const MutexLock lock{mutex_};
    awake.swap(waiters_);
  }
  for (const auto& [number, waiter] : awake) waiter.reading->look_again(waiter.index);
}

// ---- Leases that are held. ----

void PoolServer::hold(const SharedLease& lease) {
  SharedCounts::add(counts_.leases);
  if (RefreshToken::in(lease.token)) return;
  const MutexLock lock{mutex_};
  if (closed_) return;
  held_.emplace(lease.token,
                Held{.key = lease.key, .until = timers_->now() + options_.longest_load});
  if (!extend_timer_) extend_later();
}

void PoolServer::extend_later() {
  extend_timer_ = timers_->after(options_.lease / kExtendsALease, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->extend_all();
  });
}

// What was lost meanwhile is noticed by its fill.
void PoolServer::extend_all() {
  std::vector<std::pair<std::string, std::string>> due;  // key, token
  std::optional<std::uint64_t> connection;
  {
    const MutexLock lock{mutex_};
    extend_timer_.reset();
    const TimePoint now = timers_->now();
    std::erase_if(held_, [&](const auto& held) { return held.second.until <= now; });
    if (held_.empty() || closed_) return;
    for (const auto& [token, held] : held_) due.emplace_back(held.key, token);
    if (trusted_) connection = session_->number;
    extend_later();
  }
  if (!connection) return;
  const std::chrono::seconds life = life_of_lease(options_.lease);
  for (const auto& [key, token] : due) {
    const auto refused = ItemStep::carry_out(
        client_, step_terms(*connection), key,
        [token, life](const Item& item) { return extend_lease(item, token, life); }, noting());
    if (refused) note_error(*refused);
  }
}

}  // namespace larder::shared
