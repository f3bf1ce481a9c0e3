// What a RedisTier has yet to tell its server, and whether it may be asked.
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/utf8.hpp"
#include "shared/random_number.hpp"
#include "shared/redis_tier.hpp"

namespace larder::shared {
namespace {

constexpr std::chrono::milliseconds kDeliverAgain{200};
constexpr std::chrono::seconds kDeliveryTimeout{10};  // of many invalidations at once

bool is_moved(const resp::Reply& reply) {
  return reply.is_error() && redis::is_redirect(reply.text);
}

// It says something of the cluster, and nothing of itself.
bool is_of_cluster(const resp::Reply& reply) {
  return is_moved(reply) || (reply.is_error() && reply.text.starts_with("CLUSTERDOWN"));
}

Error refusal(const std::string& text) {
  return {Errc::kSourceFailed, "it refuses a command: " + printable(text)};
}

// The first error among replies, or what there is instead of replies. That a key is
// elsewhere is none.
std::optional<Error> error_in(const Result<redis::Replies>& replies) {
  if (!replies) return replies.error();
  const auto found = std::ranges::find_if(
      *replies, [](const resp::Reply& reply) { return reply.is_error() && !is_moved(reply); });
  if (found == replies->end()) return std::nullopt;
  return refusal(found->text);
}

// It cannot save, has too few replicas, or is one.
bool takes_no_writes(std::string_view text) {
  constexpr std::array<std::string_view, 3> kSays{"MISCONF", "NOREPLICAS", "READONLY"};
  return std::ranges::any_of(kSays, [&](std::string_view each) { return text.starts_with(each); });
}

// It reads its file, runs a script, or becomes a replica, which ends the connection of who waits.
bool takes_nothing(std::string_view text) {
  constexpr std::array<std::string_view, 3> kSays{"LOADING", "BUSY", "UNBLOCKED"};
  return std::ranges::any_of(kSays, [&](std::string_view each) { return text.starts_with(each); });
}

}  // namespace

void RedisTier::note_error(const Error& error) {
  if (error.code != Errc::kCancelled) SharedCounts::add(counts_.errors);
}

void RedisTier::connected(const redis::Session& session) {
  {
    const MutexLock lock{mutex_};
    if (closed_) return;
    session_ = session;
    delivering_ = false;  // what the last connection was told has ended with it
    vouched_ = options_.elsewhere.expired();
  }
  if (const auto elsewhere = options_.elsewhere.lock()) elsewhere->suspect();
  deliver();
}

void RedisTier::disconnected(const Error& why) {
  {
    const MutexLock lock{mutex_};
    session_.reset();
    trusted_ = false;
  }
  distrust(why);
  wake_all();
  if (const auto elsewhere = options_.elsewhere.lock()) elsewhere->suspect();
}

void RedisTier::distrust(const Error& why) {
  bool lost = false;
  {
    const MutexLock lock{mutex_};
    trusted_ = false;
    lost = std::exchange(told_, false) != false;
    // It was lost, and is there again, but refuses: why is said, too.
    if (why.code == Errc::kRejected) lost = !std::exchange(refusal_told_, true) || lost;
    trouble_ = why.message;
    if (closed_) return;
    if (session_) deliver_timer_ = deliver_soon(kDeliverAgain);
  }
  if (lost && options_.tell) {
    options_.tell(false, options_.wording.name + ": " + why.message + "; " + options_.wording.lost +
                             " until it is there again");
  }
}

// Tells the tier what it has yet to be told. In front, a key that nobody reads is
// invalidated, which proves that it can be told.
void RedisTier::deliver() {
  if (!client_ready_.load(std::memory_order_acquire)) return;  // start() calls again
  const auto delivery = std::make_shared<Delivery>();
  std::uint64_t run = 0;
  std::vector<Call>& calls = delivery->calls;
  {
    const MutexLock lock{mutex_};
    if (closed_ || trusted_ || !session_ || !vouched_) return;
    if (delivering_ || buckets_.empty()) return;
    delivering_ = true;
    run = session_->run;
    in_delivery_ = undelivered_.size();
    delivery->batch = undelivered_.take();
    calls.push_back(shared::invalidate(names_.probe(*buckets_.begin())));
    delivery->told.emplace_back();
    for (const std::string& cache : delivery->batch.whole) {
      for (Call& each : clearing(cache)) {
        calls.push_back(std::move(each));
        delivery->told.push_back({.cache = cache});
      }
    }
  }
  for (const auto& [cache, names] : delivery->batch.keys) {
    for (const std::string& name : names) {
      calls.push_back(invalidation(cache, name));
      delivery->told.push_back({.cache = cache, .key = name});
    }
  }
  const auto refused = client_->submit(
      {.commands = calls.size(), .timeout = kDeliveryTimeout, .session = run},
      [&](resp::RequestWriter& write) {
        for (const Call& each : calls) write.command(each.command(false));
      },
      [self = shared_from_this(), delivery](Result<redis::Replies> replies) {
        self->delivered(*delivery, replies);
      });
  if (refused) delivered(*delivery, std::unexpected{*refused});
}

void RedisTier::delivered(const Delivery& delivery, const Result<redis::Replies>& replies) {
  const auto error = error_in(replies);
  std::vector<Told> moved;
  for (std::size_t i = 0; replies && i < replies->size(); ++i) {
    if (!is_moved((*replies)[i])) continue;
    if (!follow_ask(delivery.told[i], delivery.calls[i], (*replies)[i], nullptr)) {
      moved.push_back(delivery.told[i]);
    }
  }
  bool more = false;
  bool there = false;
  std::string version;
  {
    const MutexLock lock{mutex_};
    delivering_ = false;
    in_delivery_ = 0;
    if (error || retired_) {
      undelivered_.add(delivery.batch);
    } else if (session_ && !closed_) {
      more = !undelivered_.empty();
      there = !more && !std::exchange(trusted_, !more) && told_ != true;
      version = session_->version;
      if (there) told_ = true;
      if (there) refusal_told_ = false;
      if (trusted_) probe_later();
    }
  }
  if (error) {
    note_error(*error);
    distrust(*error);
    return forward_retired();
  }
  if (!moved.empty()) tell_elsewhere(moved);
  forward_retired();
  if (more) return deliver();
  if (there && options_.tell) {
    options_.tell(true, options_.wording.name + ": " + options_.url.place() +
                            " is there (version " + version + ")");
  }
}

void RedisTier::probe_later() {
  probe_timer_ = timers_->after(options_.probe, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->probe();
  });
}

// A key that nobody reads is invalidated. Whoever trusts it again begins anew.
void RedisTier::probe() {
  const MutexLock lock{mutex_};
  if (closed_ || !trusted_ || buckets_.empty()) return;
  const Call step = shared::invalidate(names_.probe(*buckets_.begin()));
  const auto refused = client_->submit(
      {.session = session_->run},
      [&](resp::RequestWriter& write) { write.command(step.command(false)); },
      [self = shared_from_this()](const Result<redis::Replies>& replies) {
        self->probed(replies);
      });
  if (refused) probe_later();  // too much is on its way; or the connection is lost, which is said
}

void RedisTier::probed(const Result<redis::Replies>& replies) {
  const bool of_cluster = replies && is_of_cluster(replies->front());
  if (of_cluster) note_reply(replies->front());
  if (const auto error = error_in(replies); error && !of_cluster) {
    note_error(*error);
    return distrust(*error);
  }
  const MutexLock lock{mutex_};
  if (trusted_ && !closed_) probe_later();
}

void RedisTier::invalidate(const std::string& cache, std::string name) {
  const MutexLock lock{mutex_};
  if (!trusted_) return undelivered_.add(cache, std::move(name));
  Call step = invalidation(cache, name);
  tell({.cache = cache, .key = std::move(name)}, {std::move(step)});
}

void RedisTier::tell(Told told, std::vector<Call> calls) {
  const Confirmations::Step telling = telling_.begin();
  const auto kept = std::make_shared<const std::vector<Call>>(std::move(calls));
  const auto refused = client_->submit(
      {.commands = kept->size(), .session = session_->run},
      [&](resp::RequestWriter& write) {
        for (const Call& each : *kept) write.command(each.command(false));
      },
      [self = shared_from_this(), told, kept, telling](Result<redis::Replies> replies) {
        const bool writes = kept->front().step == Step::kFinish;
        const bool filled = writes && replies && replies->front().integer == 1;
        if (filled) SharedCounts::add(self->counts_.fills);
        const Open open{nullptr, [self, telling](void*) { self->end_telling(telling); }};
        self->confirm(told, *kept, replies, open);
      });
  if (!refused) return;
  telling_.take_back();
  // Nobody may ask it before it has been told.
  tell_later(told);
  tell_first(refused->message);
}

void RedisTier::tell_later(const Told& told) {
  if (told.key) return undelivered_.add(told.cache, *told.key);
  undelivered_.add_whole(told.cache);
}

// ---- Writes. ----

void RedisTier::take_marks(std::uint64_t run, const std::vector<Call>& calls,
                           const Result<redis::Replies>& replies, const Marks& marks,
                           const Open& open) {
  if (!replies) {
    counts_.untaken_marks.fetch_add(marks->size(), std::memory_order_relaxed);
    return note_error(replies.error());
  }
  for (std::size_t i = 0; i < marks->size(); ++i) {
    const resp::Reply& generation = (*replies)[2 * i];
    const resp::Reply& taken = (*replies)[2 * i + 1];
    SharedMark& mark = (*marks)[i];
    if (taken.integer != 1) {
      follow_mark(run, calls[i], taken, mark, marks, open);
      continue;
    }
    SharedCounts::add(counts_.marks);
    mark.run = run;
    if (generation.kind != resp::Reply::Kind::kBulk) continue;  // none: nothing is to be kept
    mark.generation = XXH3_64bits(generation.text.data(), generation.text.size());
  }
}

// Another run of the server may have an older marker, in which later writers are missing.
void RedisTier::finish(const std::string& cache, const SharedMark& mark, std::string value,
                       Duration left) {
  const MutexLock lock{mutex_};
  if (!trusted_) return undelivered_.add(cache, mark.key);
  if (session_->run != mark.run) value.clear();
  tell({.cache = cache, .key = mark.key},
       {shared::finish(mark.key, mark.token, std::move(value), left, announce(cache, mark.key))});
}

// Marked once more, also where the mark was lost.
void RedisTier::leave(const std::string& cache, const SharedMark& mark, Duration life) {
  const std::string token = mark.token.empty() ? new_token() : mark.token;
  const MutexLock lock{mutex_};
  if (!trusted_) return undelivered_.add(cache, mark.key);
  tell({.cache = cache, .key = mark.key},
       {shared::mark(mark.key, token, life, announce(cache, mark.key))});
}

void RedisTier::clear(const std::string& cache) {
  const MutexLock lock{mutex_};
  if (!trusted_) return undelivered_.add_whole(cache);
  if (!buckets_.empty()) tell({.cache = cache}, clearing(cache));
}

void RedisTier::end_telling(Confirmations::Step step) {
  std::vector<Confirmations::Then> over;
  {
    const MutexLock lock{mutex_};
    if (!closed_) over = telling_.end(step);
  }
  for (Confirmations::Then& then : over) then();
}

void RedisTier::once_told(Confirmations::Then then) {
  std::optional<Confirmations::Then> none;
  {
    const MutexLock lock{mutex_};
    none = telling_.wait(std::move(then));
  }
  if (none) (*none)();
}

// It is not asked until it was told what it has yet to be told.
void RedisTier::tell_first(std::string why) {
  trusted_ = false;
  trouble_ = std::move(why);
  deliver_timer_ = deliver_soon(kDeliverAgain);
}

std::unique_ptr<Timer> RedisTier::deliver_soon(Duration delay) {
  return timers_->after(delay, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->deliver();
  });
}

void RedisTier::confirm(const Told& told, const std::vector<Call>& calls,
                        const Result<redis::Replies>& replies, const Open& open) {
  bool moved = false;
  for (std::size_t i = 0; replies && i < replies->size(); ++i) {
    if (!is_moved((*replies)[i])) continue;
    if (!follow_ask(told, calls[i], (*replies)[i], open)) moved = true;
  }
  if (moved) tell_elsewhere({told});
  const auto error = error_in(replies);
  if (!error) return;
  {
    const MutexLock lock{mutex_};
    tell_later(told);
    trusted_ = false;  // in the same step: nobody may ask it before it has been told
  }
  note_error(*error);
  distrust(*error);
  forward_retired();
}

Announce RedisTier::announce(const std::string& cache, const std::string& name) const {
  Announce announce{
      .own = hex(token_seed_[0]), .cache = cache, .key = std::string{names_.key_in(cache, name)}};
  if (options_.in_cluster) {
    announce.channel = names_.channel(names_.bucket_in(name));
  } else {
    announce.stream = names_.stream();
  }
  return announce;
}

Call RedisTier::invalidation(const std::string& cache, const std::string& name) const {
  return shared::invalidate(name, announce(cache, name));
}

// One call a bucket.
std::vector<Call> RedisTier::clearing(const std::string& cache) const {
  std::vector<Call> calls;
  for (const KeyNames::Bucket bucket : buckets_) {
    Announce announce{.own = hex(token_seed_[0]), .cache = cache};
    if (options_.in_cluster) {
      announce.channel = names_.channel(bucket);
    } else {
      announce.stream = names_.stream();
    }
    calls.push_back(
        shared::clear(names_.generation(cache, bucket), hex(random_number()), std::move(announce)));
  }
  return calls;
}

// ---- Being one of several. ----

Undelivered::Batch RedisTier::assign(Buckets buckets) {
  std::set<std::string> channels;
  for (const KeyNames::Bucket each : buckets) channels.insert(names_.channel(each));
  channels_->follow(std::move(channels));
  const MutexLock lock{mutex_};
  if (buckets == buckets_) return {};
  const bool lost_some = !std::ranges::includes(buckets, buckets_);
  buckets_ = std::move(buckets);
  deliver_timer_ = deliver_soon(Duration::zero());  // it may have had none
  if (!lost_some) return {};
  Undelivered::Batch others = undelivered_.take();
  for (const std::string& cache : others.whole) undelivered_.add_whole(cache);
  for (auto& [cache, names] : others.keys) {
    std::erase_if(names, [&, &of = cache](const std::string& name) {
      mutex_.assert_held();
      const bool mine = buckets_.contains(names_.bucket_in(name));
      if (mine) undelivered_.add(of, name);
      return mine;
    });
  }
  return others;
}

void RedisTier::vouch() {
  const MutexLock lock{mutex_};
  if (closed_ || !session_ || std::exchange(vouched_, true)) return;
  deliver_timer_ = deliver_soon(Duration::zero());
}

void RedisTier::adopt(const Undelivered::Batch& batch) {
  if (batch.keys.empty() && batch.whole.empty()) return;
  const MutexLock lock{mutex_};
  undelivered_.add(batch);
  tell_first(options_.url.place() + " is being told what was invalidated");
}

Undelivered::Batch RedisTier::retire() {
  const MutexLock lock{mutex_};
  retired_ = true;
  trusted_ = false;
  return undelivered_.take();
}

// What was being told when it was retired.
void RedisTier::forward_retired() {
  Undelivered::Batch batch;
  {
    const MutexLock lock{mutex_};
    if (!retired_) return;
    batch = undelivered_.take();
  }
  std::vector<Told> moved;
  for (const std::string& cache : batch.whole) moved.push_back({.cache = cache});
  for (const auto& [cache, names] : batch.keys) {
    for (const std::string& name : names) moved.push_back({.cache = cache, .key = name});
  }
  tell_elsewhere(moved);
}

void RedisTier::tell_elsewhere(const std::vector<Told>& moved) {
  const auto elsewhere = options_.elsewhere.lock();
  if (!elsewhere) return;
  for (const Told& each : moved) {
    if (!each.cache.empty()) elsewhere->moved(each.cache, each.key);
  }
  elsewhere->suspect();
}

void RedisTier::note_reply(const resp::Reply& reply) {
  if (!reply.is_error()) return;
  if (takes_no_writes(reply.text)) {
    // From nobody, so that no process can tell it what is invalid.
    const Error why = refusal(reply.text);
    note_error(why);
    distrust(why);
    return wake_all();
  }
  if (!is_of_cluster(reply)) return note_refusal(reply.text);
  if (const auto elsewhere = options_.elsewhere.lock()) elsewhere->suspect();
}

void RedisTier::note_refusal(const std::string& text) {
  SharedCounts::add(counts_.errors);
  if (refusals_.refused(timers_->now()) && options_.tell) {
    options_.tell(false, options_.wording.name + ": " + options_.url.place() +
                             " refuses a command: " + printable(text) +
                             "; what it does not take each process loads");
  }
}

void RedisTier::not_followed(const resp::Reply& why) {
  // What the server says of itself is told where it is asked for more than news.
  if (is_of_cluster(why) || takes_no_writes(why.text) || takes_nothing(why.text)) return;
  cannot_follow(printable(why.text));
}

// While commands have a connection: else that is what is told.
void RedisTier::not_connected(const Error& why) {
  {
    const MutexLock lock{mutex_};
    if (closed_ || !trusted_) return;
  }
  cannot_follow(why.message);
}

void RedisTier::cannot_follow(const std::string& why) {
  SharedCounts::add(counts_.errors);
  if (following_refusals_.refused(timers_->now()) && options_.tell) {
    options_.tell(false, options_.wording.name + ": what others invalidate at " +
                             options_.url.place() + " cannot be followed: " + why +
                             "; memory is believed for 1 s only");
  }
}

void RedisTier::followed() {
  if (following_refusals_.taken(timers_->now()) && options_.tell) {
    options_.tell(true, options_.wording.name + ": what others invalidate at " +
                            options_.url.place() + " is followed");
  }
}

void RedisTier::note_taken() {
  if (refusals_.taken(timers_->now()) && options_.tell) {
    options_.tell(
        true, options_.wording.name + ": " + options_.url.place() + " refuses nothing any more");
  }
}

}  // namespace larder::shared
