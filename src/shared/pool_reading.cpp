#include "shared/pool_reading.hpp"

#include <algorithm>
#include <chrono>

#include "memcached/key_name.hpp"
#include "shared/pool_copies.hpp"
#include "shared/refresh_token.hpp"

namespace larder::shared {
namespace {

using Kind = Found::Kind;
using Reply = memcached::MetaReply::Kind;

// Memcached tells nobody when a lease ends: the first looks of one who waits are this far
// apart, and each twice as far, up to the most.
constexpr std::chrono::milliseconds kFirstLook{10};
constexpr std::chrono::milliseconds kMostBetweenLooks{100};
// Of a key that all others change all the time.
constexpr unsigned kMostLost = 16;

}  // namespace

PoolReading::PoolReading(std::shared_ptr<PoolServer> server, const std::string& cache,
                         std::uint64_t fingerprint, std::vector<Key> keys, SharedCopies::Take take)
    : server_{std::move(server)},
      generation_{server_->generation_name(cache)},
      fingerprint_{fingerprint},
      begun_{server_->timers().now()},
      take_{std::move(take)} {
  keys_.reserve(keys.size());
  for (Key& key : keys) {
    std::string item = memcached::key_name(key.name);
    keys_.push_back({.name = std::move(key.name), .item = std::move(item), .anew = key.anew});
  }
}

void PoolReading::begin() {
  Indices all;
  Answers written;
  const auto trust = server_->trust();  // before it is asked which writes are ending
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (trust && server_->ending(keys_[i].item)) {
      written.emplace_back(i, pass(true));
    } else {
      all.push_back(i);
    }
  }
  give(std::move(written));
  if (all.empty()) return;
  if (!trust) return pass_all(all);
  trust_ = *trust;
  look(std::move(all), false);
}

void PoolReading::look(Indices indices, bool made) {
  const auto shared_indices = std::make_shared<Indices>(std::move(indices));
  const auto refused = server_->client()->submit(
      {.commands = 1 + shared_indices->size(), .session = trust_.connection},
      [&](memcached::MetaWriter& write) {
        write.get(generation_);
        for (const std::size_t index : *shared_indices) write.get(keys_[index].item);
      },
      [self = shared_from_this(), shared_indices, made](Result<memcached::Replies> replies) {
        self->looked(std::move(*shared_indices), made, std::move(replies));
      });
  if (refused) pass_all(*shared_indices);
}

void PoolReading::looked(Indices indices, bool made, Result<memcached::Replies> replies) {
  if (!replies) {
    server_->note_error(replies.error());
    return pass_all(indices);
  }
  if (!server_->lasts(trust_)) return pass_all(indices);
  const auto stamp = take_generation(indices, made, replies->front());
  if (!stamp) return;

  Answers answers;
  std::vector<Wanted> wanted;
  Indices waiting;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const std::size_t index = indices[i];
    const Place& place = keys_[index];
    memcached::MetaReply& reply = (*replies)[i + 1];
    if (reply.is_error()) {
      server_->note_refusal(reply.text);
      answers.emplace_back(index, pass());
      continue;
    }
    Item item = item_in(std::move(reply));
    Found there = found(item);
    if (auto known = answer(place, item, there, *stamp)) {
      answers.emplace_back(index, std::move(*known));
    } else if (there.kind == Kind::kLease && !place.anew) {
      waiting.push_back(index);
    } else {
      item.bytes.clear();
      wanted.push_back({.index = index, .item = std::move(item), .token = server_->new_token()});
    }
  }
  give(std::move(answers));
  acquire(std::move(wanted), *stamp);
  for (const std::size_t index : waiting) wait(index);
}

std::optional<Stamp> PoolReading::take_generation(Indices& indices, bool made,
                                                  const memcached::MetaReply& reply) {
  if (reply.kind == Reply::kMiss && !made) {
    make_generation(std::move(indices));
    return std::nullopt;
  }
  if (reply.kind != Reply::kValue || reply.stale) {
    if (reply.is_error()) server_->note_refusal(reply.text);
    pass_all(indices);
    return std::nullopt;
  }
  return stamp_of(fingerprint_, reply.text);
}

// The first reader of a cache, or one after the generation was lost: gives it one that it
// never had before, and looks once more.
void PoolReading::make_generation(Indices indices) {
  const std::string fresh = server_->new_token();
  const auto shared_indices = std::make_shared<Indices>(std::move(indices));
  const auto refused = server_->client()->submit(
      {.session = trust_.connection},
      [&](memcached::MetaWriter& write) { write.add(generation_, fresh, {}); },
      [self = shared_from_this(), shared_indices](const Result<memcached::Replies>& replies) {
        if (replies && !replies->front().is_error()) {
          return self->look(std::move(*shared_indices), true);
        }
        if (replies) {
          self->server_->note_refusal(replies->front().text);
        } else {
          self->server_->note_error(replies.error());
        }
        self->pass_all(*shared_indices);
      });
  if (refused) pass_all(*shared_indices);
}

void PoolReading::acquire(std::vector<Wanted> wanted, const Stamp& stamp) {
  if (wanted.empty()) return;
  const auto all = std::make_shared<std::vector<Wanted>>(std::move(wanted));
  const std::chrono::seconds life = life_of_lease(server_->options().lease);
  const auto refused = server_->client()->submit(
      {.commands = all->size(), .session = trust_.connection},
      [&](memcached::MetaWriter& write) {
        for (const Wanted& each : *all) {
          shared::write(write, keys_[each.index].item, each.item, take_lease(each.token, life));
        }
      },
      [self = shared_from_this(), all, stamp](const Result<memcached::Replies>& replies) {
        self->acquired(*all, stamp, replies);
      });
  if (!refused) return;
  Indices indices;
  for (const Wanted& each : *all) indices.push_back(each.index);
  pass_all(indices);
}

void PoolReading::acquired(const std::vector<Wanted>& wanted, const Stamp& stamp,
                           const Result<memcached::Replies>& replies) {
  Answers answers;
  Indices again;
  if (!replies) server_->note_error(replies.error());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::size_t index = wanted[i].index;
    Place& place = keys_[index];
    const bool failed = !replies || (*replies)[i].is_error();
    if (replies && failed) server_->note_refusal((*replies)[i].text);
    if (!failed && (*replies)[i].kind == Reply::kDone) {
      server_->note_taken();
      answers.emplace_back(index, lease(place, wanted[i].token, stamp));
    } else if (failed || ++place.lost > kMostLost) {
      answers.emplace_back(index, pass());
    } else {
      again.push_back(index);  // somebody was quicker
    }
  }
  give(std::move(answers));
  if (!again.empty()) look(std::move(again), false);
}

void PoolReading::wait(std::size_t index) {
  const PoolOptions& options = server_->options();
  if (server_->timers().now() - begun_ > options.longest_load + options.lease) {
    return pass_all({index});
  }
  Place& place = keys_[index];
  if (place.waits == 0) SharedCounts::add(server_->counts().waits);
  const Duration pause = kFirstLook * (1U << std::min(place.waits, 10U));
  ++place.waits;
  server_->wait(shared_from_this(), index, std::min<Duration>(pause, kMostBetweenLooks));
}

// What was read on another connection would be as true; but then the server was lost, and the
// lease's holder may have been as well.
void PoolReading::look_again(std::size_t index) {
  if (server_->lasts(trust_)) return look({index}, false);
  pass_all({index});
}

std::optional<SharedAnswer> PoolReading::answer(const Place& place, const Item& item, Found& found,
                                                const Stamp& stamp) {
  SharedCounts& counts = server_->counts();
  switch (found.kind) {
    case Kind::kMarker: return pass(true);
    case Kind::kFailure:
      if (place.anew) return std::nullopt;
      if (found.fingerprint != fingerprint_) {  // another statement's
        SharedCounts::add(counts.stale);
        return std::nullopt;
      }
      SharedCounts::add(counts.failures);
      return SharedAnswer{.kind = SharedAnswer::Kind::kFailure, .error = std::move(found.error)};
    case Kind::kLease: return std::nullopt;
    case Kind::kValue: break;
    default:
      if (item.there && !item.stale) SharedCounts::add(counts.foreign);
      return std::nullopt;
  }
  auto envelope = open(item.bytes, stamp, server_->options().envelope);
  if (!envelope) {
    const Disbelief why = envelope.error();
    SharedCounts::add(why == Disbelief::kStale     ? counts.stale
                      : why == Disbelief::kForeign ? counts.foreign
                                                   : counts.corrupt);
    return std::nullopt;
  }
  if (place.anew) {
    return lease(place, RefreshToken{.connection = trust_.connection, .cas = item.cas}.bytes(),
                 stamp);
  }
  SharedCounts::add(counts.hits);
  const Duration left = std::min(found.left, envelope->lifetime);
  return SharedAnswer{.kind = SharedAnswer::Kind::kCopy,
                      .copy = {.bytes = std::move(envelope->body),
                               .age = envelope->lifetime - left,
                               .left = left,
                               .load_cost = envelope->load_cost}};
}

SharedAnswer PoolReading::lease(const Place& place, std::string token, const Stamp& stamp) {
  SharedLease lease{.key = place.item,
                    .token = std::move(token),
                    .run = stamp.run,
                    .generation = stamp.generation,
                    .anew = place.anew};
  server_->hold(lease);
  lease.key = place.name;
  return {.kind = SharedAnswer::Kind::kLoad, .lease = std::move(lease)};
}

SharedAnswer PoolReading::pass(bool written) {
  SharedCounts::add(server_->counts().passed);
  return {.kind = SharedAnswer::Kind::kLoad, .written = written};
}

void PoolReading::pass_all(const Indices& indices) {
  Answers answers;
  for (const std::size_t index : indices) answers.emplace_back(index, pass());
  give(std::move(answers));
}

void PoolReading::give(Answers answers) {
  if (!answers.empty()) take_(std::move(answers));
}

}  // namespace larder::shared
