// What a PoolServer has yet to tell its server, and whether that may be asked.
#include <algorithm>
#include <utility>

#include "base/utf8.hpp"
#include "memcached/key_name.hpp"
#include "shared/pool_server.hpp"

namespace larder::shared {
namespace {

constexpr std::chrono::milliseconds kDeliverAgain{200};
constexpr std::chrono::seconds kDeliveryTimeout{10};  // of many invalidations at once

void erase_one(std::unordered_multiset<std::string>& names, const std::string& name) {
  const auto found = names.find(name);
  if (found != names.end()) names.erase(found);
}

// The first error among replies, or what there is instead of replies.
std::optional<Error> error_in(const Result<memcached::Replies>& replies) {
  if (!replies) return replies.error();
  const auto found = std::ranges::find_if(*replies, &memcached::MetaReply::is_error);
  if (found == replies->end()) return std::nullopt;
  return Error{Errc::kRejected, found->text};
}

}  // namespace

void PoolServer::connected(const memcached::Session& session) {
  {
    const MutexLock lock{mutex_};
    if (closed_) return;
    session_ = session;
    delivering_ = false;  // what the last connection was told has ended with it
  }
  deliver();
}

void PoolServer::disconnected(const Error& why) {
  {
    const MutexLock lock{mutex_};
    session_.reset();
    set_trusted(false);
  }
  distrust(why);
  wake_all();
}

void PoolServer::distrust(const Error& why) {
  bool lost = false;
  {
    const MutexLock lock{mutex_};
    set_trusted(false);
    lost = std::exchange(told_, false) != false;
    trouble_ = why.message;
    if (closed_) return;
    if (session_) deliver_timer_ = deliver_soon();
  }
  if (lost && options_.tell) {
    options_.tell(false, "the shared tier: " + why.message +
                             "; reads of its keys go to the source until it is there again");
  }
}

// Tells the server what it has yet to be told. In front, a key that nobody reads is
// invalidated, which proves that it can be told.
void PoolServer::deliver() {
  if (!client_ready_.load(std::memory_order_acquire)) return;  // start() calls again
  const auto batch = std::make_shared<Undelivered::Batch>();
  std::uint64_t connection = 0;
  std::size_t commands = 1;
  {
    const MutexLock lock{mutex_};
    if (closed_ || trusted_ || !session_ || delivering_) return;
    delivering_ = true;
    connection = session_->number;
    in_delivery_ = undelivered_.size();
    *batch = undelivered_.take();
  }
  commands += batch->whole.size();
  for (const auto& [cache, names] : batch->keys) commands += names.size();
  const auto refused = client_->submit(
      {.commands = commands, .timeout = kDeliveryTimeout, .session = connection},
      [&](memcached::MetaWriter& write) {
        write.invalidate(memcached::key_name(names_.probe(0)));
        for (const std::string& cache : batch->whole) write.remove(generation_name(cache));
        for (const auto& [cache, names] : batch->keys) {
          for (const std::string& name : names) write.invalidate(memcached::key_name(name));
        }
      },
      [self = shared_from_this(), batch](const Result<memcached::Replies>& replies) {
        self->delivered(*batch, replies);
      });
  if (refused) delivered(*batch, std::unexpected{*refused});
}

void PoolServer::delivered(const Undelivered::Batch& batch,
                           const Result<memcached::Replies>& replies) {
  const auto error = error_in(replies);
  bool more = false;
  bool there = false;
  std::string version;
  {
    const MutexLock lock{mutex_};
    delivering_ = false;
    in_delivery_ = 0;
    if (error) {
      undelivered_.add(batch);
    } else if (session_ && !closed_) {
      more = !undelivered_.empty();
      const bool again = !more && !trusted_;
      set_trusted(!more);
      if (again) ++trusts_;
      there = again && std::exchange(told_, true) != true;
      version = session_->version;
    }
  }
  if (error) return not_told(*error);
  for (const std::string& cache : batch.whole) announce(cache, std::nullopt);
  for (const auto& [cache, names] : batch.keys) {
    for (const std::string& name : names) announce(cache, name);
  }
  if (more) return deliver();
  if (there && options_.tell) {
    options_.tell(true, "the shared tier: " + place_ + " is there (version " + version + ")");
  }
}

void PoolServer::invalidate(const std::string& cache, const std::string& name) {
  const MutexLock lock{mutex_};
  if (!trusted_) return keep(cache, name);
  const Confirmations::Step telling = telling_.begin();
  const auto refused = client_->submit(
      {.session = session_->number},
      [&](memcached::MetaWriter& write) { write.invalidate(memcached::key_name(name)); },
      [self = shared_from_this(), cache, name, telling](const Result<memcached::Replies>& replies) {
        self->confirm(cache, name, replies);
        self->end_telling(telling);
      });
  if (!refused) return;
  telling_.take_back();
  keep(cache, name);
  tell_first(refused->message);
}

// Without a generation no copy of the cache is believed, and its next reader gives it one that it
// never had. Taking it away is what a full server does too.
void PoolServer::clear(const std::string& cache) {
  const MutexLock lock{mutex_};
  if (!trusted_) return keep(cache, std::nullopt);
  const Confirmations::Step telling = telling_.begin();
  const auto refused = client_->submit(
      {.session = session_->number},
      [&](memcached::MetaWriter& write) { write.remove(generation_name(cache)); },
      [self = shared_from_this(), cache, telling](const Result<memcached::Replies>& replies) {
        self->confirm(cache, std::nullopt, replies);
        self->end_telling(telling);
      });
  if (!refused) return;
  telling_.take_back();
  keep(cache, std::nullopt);
  tell_first(refused->message);
}

// ---- Writes. ----

void PoolServer::finish(const std::string& cache, const SharedMark& mark, std::string value,
                        Duration left) {
  const auto life = life_of_value(left);
  if (!life) value.clear();
  const MutexLock lock{mutex_};
  if (!trusted_) return keep(cache, mark.key);
  const auto keeps = std::make_shared<bool>(false);
  end_write(
      cache, mark.key, ItemStep::Refused::kInvalidates,
      [token = mark.token, value = std::move(value), life = life.value_or(std::chrono::seconds{1}),
       keeps](const Item& item) {
        *keeps = !value.empty() && sole_writer(item, token);
        return finish_mark(item, token, value, life);
      },
      [self = shared_from_this(), keeps](Change::Kind done) {
        if (*keeps && done == Change::Kind::kSet) SharedCounts::add(self->counts_.fills);
      },
      Duration::zero());
}

// Marked once more, also where the mark was lost. Where none is taken nobody else knows that the
// write may still land; this process leaves the key to the source for as long.
void PoolServer::leave(const std::string& cache, const SharedMark& mark, Duration life) {
  const std::string token = mark.token.empty() ? new_token() : mark.token;
  const MutexLock lock{mutex_};
  if (!trusted_) {
    keep(cache, mark.key);
    return leave_to_source(memcached::key_name(mark.key), life);
  }
  end_write(
      cache, mark.key, ItemStep::Refused::kTriesAgain,
      [token, life](const Item& item) { return set_mark(item, token, life); },
      [](Change::Kind /*done*/) {}, life);
}

void PoolServer::end_write(const std::string& cache, const std::string& name,
                           ItemStep::Refused refusal, ItemStep::Decide decide,
                           std::function<void(Change::Kind)> kept, Duration at_stake) {
  ItemStep::Terms terms = step_terms(session_->number);
  terms.refused = refusal;
  const std::string item = memcached::key_name(name);
  const Confirmations::Step telling = telling_.begin();
  const auto refused =
      ItemStep::carry_out(client_, std::move(terms), item, std::move(decide),
                          [self = shared_from_this(), cache, name, kept = std::move(kept), at_stake,
                           telling](const Result<Change::Kind>& outcome) {
                            if (outcome) kept(*outcome);
                            self->write_ended(cache, name, outcome, at_stake);
                            self->end_telling(telling);
                          });
  if (refused) {
    telling_.take_back();
    keep(cache, name);
    leave_to_source(item, at_stake);
    return tell_first(refused->message);
  }
  ending_.insert(item);
}

void PoolServer::write_ended(const std::string& cache, const std::string& name,
                             const Result<Change::Kind>& outcome, Duration at_stake) {
  {
    const std::string item = memcached::key_name(name);
    const MutexLock lock{mutex_};
    if (!outcome) leave_to_source(item, at_stake);
    erase_one(ending_, item);
    if (!outcome) set_trusted(false);  // before a reader comes who does not see it end any more
  }
  if (!outcome) return not_confirmed(cache, name, outcome.error());
  announce(cache, name);
}

void PoolServer::set_trusted(bool trusted) {
  trusted_ = trusted;
  if (!hearing_) return;
  if (trusted) {
    hearing_->forget(this);
  } else {
    hearing_->expect(this);
  }
}

void PoolServer::keep(const std::string& cache, const std::optional<std::string>& name) {
  if (name) {
    undelivered_.add(cache, *name);
  } else {
    undelivered_.add_whole(cache);
  }
  announce(cache, name);
}

void PoolServer::leave_to_source(const std::string& item, Duration life) {
  if (life <= Duration::zero() || closed_) return;
  ending_.insert(item);
  const std::uint64_t number = ++left_;
  left_writes_[number] = timers_->after(life, [weak = weak_from_this(), item, number] {
    const auto self = weak.lock();
    if (!self) return;
    const MutexLock lock{self->mutex_};
    erase_one(self->ending_, item);
    self->left_writes_.erase(number);
  });
}

// ---- What was told. ----

void PoolServer::confirm(const std::string& cache, const std::optional<std::string>& name,
                         const Result<memcached::Replies>& replies) {
  if (const auto error = error_in(replies)) return not_confirmed(cache, name, *error);
  announce(cache, name);
}

void PoolServer::announce(const std::string& cache, const std::optional<std::string>& name) const {
  if (!backplane_) return;
  const auto copies = backplane_->copies(cache, 0);  // it keeps none there
  if (name) {
    copies->invalidate(names_.key_in(cache, *name));
  } else {
    copies->clear();
  }
}

void PoolServer::not_confirmed(const std::string& cache, const std::optional<std::string>& name,
                               const Error& error) {
  {
    const MutexLock lock{mutex_};
    keep(cache, name);
    set_trusted(false);
  }
  not_told(error);
}

// Lost by that: what it refuses besides costs a load, and this its trust.
void PoolServer::not_told(const Error& error) {
  if (error.code != Errc::kCancelled) SharedCounts::add(counts_.errors);
  if (error.code != Errc::kRejected) return distrust(error);
  distrust({Errc::kSourceFailed, place_ + " refuses a command: " + printable(error.message)});
}

void PoolServer::end_telling(Confirmations::Step step) {
  std::vector<Confirmations::Then> over;
  {
    const MutexLock lock{mutex_};
    if (!closed_) over = telling_.end(step);
  }
  for (Confirmations::Then& then : over) then();
}

void PoolServer::once_told(Confirmations::Then then) {
  std::optional<Confirmations::Then> none;
  {
    const MutexLock lock{mutex_};
    none = telling_.wait(std::move(then));
  }
  if (none) (*none)();
}

void PoolServer::tell_first(std::string why) {
  set_trusted(false);
  trouble_ = std::move(why);
  deliver_timer_ = deliver_soon();
}

std::unique_ptr<Timer> PoolServer::deliver_soon() {
  return timers_->after(kDeliverAgain, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->deliver();
  });
}

}  // namespace larder::shared
