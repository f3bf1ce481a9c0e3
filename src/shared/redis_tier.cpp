#include "shared/redis_tier.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "shared/copies.hpp"
#include "shared/reading.hpp"

namespace larder::shared {
namespace {

constexpr std::chrono::milliseconds kDeliverAgain{200};
constexpr std::chrono::seconds kDeliveryTimeout{10};  // of many invalidations at once
constexpr unsigned kExtendsALease = 3;

std::uint64_t random_number() {
  std::random_device device;
  return std::uint64_t{device()} << 32U | device();
}

std::string hex(std::uint64_t number) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (unsigned shift = 0; shift < 64; shift += 4) text += kHex[number >> shift & 15U];
  return text;
}

// The first error among replies, or what there is instead of replies.
std::optional<Error> error_in(const Result<redis::Replies>& replies) {
  if (!replies) return replies.error();
  const auto found = std::ranges::find_if(*replies, &resp::Reply::is_error);
  if (found == replies->end()) return std::nullopt;
  return Error{Errc::kSourceFailed, "it refuses a command: " + found->text.substr(0, 200)};
}

}  // namespace

// ---- Beginning and end. ----

Result<std::shared_ptr<RedisTier>> RedisTier::start(Runtime& runtime, RedisTierOptions options) {
  redis::ClientOptions client{.url = options.url, .timeout = options.timeout};
  std::shared_ptr<RedisTier> tier{new RedisTier{runtime, std::move(options)}};
  auto started = redis::Client::start(runtime, std::move(client), tier);
  if (!started) return std::unexpected{std::move(started.error())};
  tier->client_ = std::move(*started);
  tier->client_ready_.store(true, std::memory_order_release);
  auto backplane = Backplane::start(
      runtime, {.url = tier->options_.url, .timeout = tier->options_.timeout},
      tier->options_.name_space + "/announcements", hex(tier->token_seed_[0]), tier);
  if (!backplane) return std::unexpected{std::move(backplane.error())};
  tier->backplane_ = std::move(*backplane);
  runtime.close_at_stop(tier);
  tier->deliver();
  return tier;
}

RedisTier::RedisTier(Runtime& runtime, RedisTierOptions options)
    : options_{std::move(options)},
      timers_{runtime.handle().timers()},
      undelivered_{options_.most_undelivered},
      token_seed_{random_number(), random_number()} {
  const MutexLock lock{mutex_};
  trouble_ = options_.url.place() + " is not connected yet";
}

RedisTier::~RedisTier() {
  if (client_) client_->close();
  if (backplane_) backplane_->close();
}

void RedisTier::close() {
  {
    const MutexLock lock{mutex_};
    if (std::exchange(closed_, true)) return;
    trusted_ = false;
    session_.reset();
    deliver_timer_.reset();
    extend_timer_.reset();
    held_.clear();
  }
  client_->close();
  backplane_->close();
  wake_all();
}

std::shared_ptr<SharedCopies> RedisTier::copies(std::string cache, std::uint64_t fingerprint) {
  return std::make_shared<Copies>(shared_from_this(), std::move(cache), fingerprint);
}

// Names of caches and the namespace have neither ':' nor '/', so no two keys are one.
std::string RedisTier::generation_key(const std::string& cache) const {
  return options_.name_space + "/" + cache + "/generation";
}
std::string RedisTier::value_key(const std::string& cache, std::string_view key) const {
  return (options_.name_space + ":" + cache + ":").append(key);
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
  const auto value = [](const std::atomic<std::uint64_t>& count) {
    return count.load(std::memory_order_relaxed);
  };
  SharedStats stats{.hits = value(counts_.hits),
                    .leases = value(counts_.leases),
                    .waits = value(counts_.waits),
                    .failures = value(counts_.failures),
                    .passed = value(counts_.passed),
                    .foreign = value(counts_.foreign),
                    .stale = value(counts_.stale),
                    .corrupt = value(counts_.corrupt),
                    .fills = value(counts_.fills),
                    .refused_fills = value(counts_.refused_fills),
                    .errors = value(counts_.errors)};
  stats.heard = backplane_->heard();
  stats.gaps = backplane_->gaps();
  const MutexLock lock{mutex_};
  stats.undelivered = undelivered_.size();
  return stats;
}

// ---- Calls. ----

std::optional<Error> RedisTier::submit(std::uint64_t run, const std::vector<Call>& calls,
                                       bool by_name, redis::Done done) {
  return client_->submit(
      {.commands = calls.size(), .run = run},
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

void RedisTier::note_error(const Error& error) {
  if (error.code != Errc::kCancelled) SharedCounts::add(counts_.errors);
}

// ---- Trust. ----

void RedisTier::connected(const redis::Session& session) {
  {
    const MutexLock lock{mutex_};
    if (closed_) return;
    session_ = session;
    delivering_ = false;  // what the last connection was told has ended with it
  }
  deliver();
}

void RedisTier::disconnected(const Error& why) {
  {
    const MutexLock lock{mutex_};
    session_.reset();
  }
  distrust(why);
  wake_all();
}

void RedisTier::distrust(const Error& why) {
  bool lost = false;
  {
    const MutexLock lock{mutex_};
    trusted_ = false;
    lost = !std::exchange(told_, true);
    trouble_ = why.message;
    if (closed_) return;
    if (session_) deliver_timer_ = deliver_soon();
  }
  if (lost && options_.tell) {
    options_.tell(false, "the shared tier: " + why.message +
                             "; reads go to the source until it is there again");
  }
}

// Tells the tier what it has yet to be told. Without anything to tell, a key that nobody
// reads is invalidated, which proves that it can be told.
void RedisTier::deliver() {
  if (!client_ready_.load(std::memory_order_acquire)) return;  // start() calls again
  Undelivered::Batch batch;
  std::uint64_t run = 0;
  std::vector<Call> calls{shared::invalidate(options_.name_space + "/probe")};
  {
    const MutexLock lock{mutex_};
    if (closed_ || trusted_ || !session_ || delivering_) return;
    delivering_ = true;
    run = session_->run;
    batch = undelivered_.take();
  }
  for (const auto& [cache, keys] : batch.keys) {
    for (const std::string& key : keys) calls.push_back(invalidation(cache, key));
  }
  for (const std::string& cache : batch.whole) calls.push_back(clearing(cache));
  const auto kept = std::make_shared<Undelivered::Batch>(std::move(batch));
  const auto refused = client_->submit(
      {.commands = calls.size(), .timeout = kDeliveryTimeout, .run = run},
      [&](resp::RequestWriter& write) {
        for (const Call& each : calls) write.command(each.command(false));
      },
      [self = shared_from_this(), kept](Result<redis::Replies> replies) {
        self->delivered(*kept, replies);
      });
  if (refused) delivered(*kept, std::unexpected{*refused});
}

void RedisTier::delivered(const Undelivered::Batch& batch, const Result<redis::Replies>& replies) {
  const auto error = error_in(replies);
  bool more = false;
  bool there = false;
  std::string version;
  {
    const MutexLock lock{mutex_};
    delivering_ = false;
    if (error) {
      add_again(batch);
    } else if (session_ && !closed_) {
      more = !undelivered_.empty();
      there = !more && !std::exchange(trusted_, !more);
      version = session_->version;
      if (there) told_ = false;
    }
  }
  if (error) {
    note_error(*error);
    return distrust(*error);
  }
  if (more) return deliver();
  if (there && options_.tell) {
    options_.tell(
        true, "the shared tier: " + options_.url.place() + " is there (version " + version + ")");
  }
}

void RedisTier::add_again(const Undelivered::Batch& batch) {
  for (const std::string& cache : batch.whole) undelivered_.add_whole(cache);
  for (const auto& [cache, keys] : batch.keys) {
    for (const std::string& key : keys) undelivered_.add(cache, key);
  }
}

void RedisTier::invalidate(const std::string& cache, std::string key) {
  const MutexLock lock{mutex_};
  if (!trusted_) return undelivered_.add(cache, std::move(key));
  const Call step = invalidation(cache, key);
  const auto refused = client_->submit(
      {.run = session_->run},
      [&](resp::RequestWriter& write) { write.command(step.command(false)); },
      [self = shared_from_this(), cache, key](Result<redis::Replies> replies) {
        self->confirm(cache, key, replies);
      });
  if (!refused) return;
  // Nobody may ask it before it has been told.
  trusted_ = false;
  trouble_ = refused->message;
  undelivered_.add(cache, std::move(key));
  deliver_timer_ = deliver_soon();
}

void RedisTier::clear(const std::string& cache) {
  const MutexLock lock{mutex_};
  if (!trusted_) return undelivered_.add_whole(cache);
  const Call step = clearing(cache);
  const auto refused = client_->submit(
      {.run = session_->run},
      [&](resp::RequestWriter& write) { write.command(step.command(false)); },
      [self = shared_from_this(), cache](Result<redis::Replies> replies) {
        self->confirm(cache, std::nullopt, replies);
      });
  if (!refused) return;
  trusted_ = false;
  trouble_ = refused->message;
  undelivered_.add_whole(cache);
  deliver_timer_ = deliver_soon();
}

std::unique_ptr<Timer> RedisTier::deliver_soon() {
  return timers_->after(kDeliverAgain, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->deliver();
  });
}

void RedisTier::confirm(const std::string& cache, const std::optional<std::string>& key,
                        const Result<redis::Replies>& replies) {
  const auto error = error_in(replies);
  if (!error) return;
  {
    const MutexLock lock{mutex_};
    if (key) {
      undelivered_.add(cache, *key);
    } else {
      undelivered_.add_whole(cache);
    }
  }
  note_error(*error);
  distrust(*error);
}

Call RedisTier::invalidation(const std::string& cache, const std::string& key) const {
  return shared::invalidate(key, Announce{.stream = options_.name_space + "/announcements",
                                          .own = hex(token_seed_[0]),
                                          .cache = cache,
                                          .key = key.substr(value_key(cache, "").size())});
}

Call RedisTier::clearing(const std::string& cache) const {
  return shared::clear(generation_key(cache), hex(random_number()),
                       {.stream = options_.name_space + "/announcements",
                        .own = hex(token_seed_[0]),
                        .cache = cache});
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
