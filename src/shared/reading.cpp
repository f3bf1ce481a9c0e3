#include "shared/reading.hpp"

#include <xxhash.h>

#include <algorithm>
#include <utility>

namespace larder::shared {
namespace {

// Of who waits without being told: the first looks are this far apart, and each twice as
// far, up to the most.
constexpr std::chrono::milliseconds kFirstLook{10};
constexpr std::chrono::milliseconds kMostBetweenLooks{250};
// Who is told looks by itself as well, in case that the word was lost.
constexpr std::chrono::seconds kMostWait{1};
constexpr std::chrono::milliseconds kPastTheEnd{2};

}  // namespace

Reading::Reading(std::shared_ptr<RedisTier> tier, std::uint64_t fingerprint, std::vector<Key> keys,
                 SharedCopies::Take take)
    : tier_{std::move(tier)},
      fingerprint_{fingerprint},
      begun_{tier_->timers_->now()},
      take_{std::move(take)} {
  keys_.reserve(keys.size());
  for (Key& key : keys) {
    const std::size_t generation = generation_at(std::move(key.generation));
    keys_.push_back({.name = std::move(key.name), .generation = generation, .anew = key.anew});
  }
}

// Of a cluster's buckets there are few on one server.
std::size_t Reading::generation_at(std::string key) {
  const auto found = std::ranges::find(generations_, key, &Generation::key);
  if (found != generations_.end()) return static_cast<std::size_t>(found - generations_.begin());
  generations_.push_back({.key = std::move(key)});
  return generations_.size() - 1;
}

void Reading::begin() {
  const auto session = tier_->session();
  if (!session) return pass_all();
  session_ = *session;
  look(true);
}

void Reading::look(bool first) {
  std::size_t commands = generations_.size();
  for (const Place& place : keys_) commands += place.anew ? 0 : 2;
  const auto refused = tier_->client_->submit(
      {.commands = commands, .session = session_.run},
      [&](resp::RequestWriter& write) {
        for (const Generation& each : generations_) write.command({"GET", each.key});
        for (const Place& place : keys_) {
          if (place.anew) continue;
          write.command({"PTTL", place.name});
          write.command({"GET", place.name});
        }
      },
      [self = shared_from_this(), first](Result<redis::Replies> replies) {
        self->looked(first, std::move(replies));
      });
  if (refused) pass_all();
}

void Reading::looked(bool first, Result<redis::Replies> replies) {
  if (!replies) {
    tier_->note_error(replies.error());
    return pass_all();
  }
  if (!believed()) return pass_all();
  if (!take_generations(first, *replies)) return;

  Answers answers;
  Indices nothing;
  Indices anew;
  Indices disbelieved;
  std::vector<std::pair<std::size_t, Duration>> waiting;
  std::size_t at = generations_.size();
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i].anew) {
      anew.push_back(i);
      continue;
    }
    const bool something = (*replies)[at + 1].kind == resp::Reply::Kind::kBulk;
    Found there = found((*replies)[at], std::move((*replies)[at + 1]));
    at += 2;
    if (auto known = answer(keys_[i], there)) {
      answers.emplace_back(i, std::move(*known));
    } else if (there.kind == Found::Kind::kLease) {
      waiting.emplace_back(i, there.left);
    } else if (there.kind == Found::Kind::kValue) {
      disbelieved.push_back(i);
    } else {
      if (something && there.kind == Found::Kind::kNothing) {
        SharedCounts::add(tier_->counts_.foreign);
      }
      nothing.push_back(i);
    }
  }
  give(std::move(answers));
  acquire(nothing, Want::kCopy);
  acquire(anew, Want::kAnew);
  acquire(disbelieved, Want::kReplace);
  for (const auto& [index, left] : waiting) wait(index, left);
}

// Whether the server has done what it was told before it was asked: of what it refuses, the reply
// stands before that of the read.
bool Reading::believed() const { return tier_->session().has_value(); }

bool Reading::take_generations(bool first, const redis::Replies& replies) {
  Indices missing;
  for (std::size_t i = 0; i < generations_.size(); ++i) {
    const resp::Reply& reply = replies[i];
    if (reply.is_null() && first) {
      missing.push_back(i);
      continue;
    }
    if (reply.kind != resp::Reply::Kind::kBulk) {
      tier_->note_reply(reply);
      pass_all();
      return false;
    }
    generations_[i].stamp = {.run = session_.run,
                             .fingerprint = fingerprint_,
                             .generation = XXH3_64bits(reply.text.data(), reply.text.size())};
  }
  if (!missing.empty()) make_generations(missing);
  return missing.empty();
}

// The first reader of a cache, or one after the generation was lost: gives it one that it
// never had before, and looks once more.
void Reading::make_generations(const Indices& missing) {
  const std::string fresh = tier_->new_token();
  const auto refused = tier_->client_->submit(
      {.commands = missing.size(), .session = session_.run},
      [&](resp::RequestWriter& write) {
        for (const std::size_t i : missing) {
          write.command({"SET", generations_[i].key, fresh, "NX"});
        }
      },
      [self = shared_from_this()](const Result<redis::Replies>& replies) {
        if (replies && std::ranges::none_of(*replies, &resp::Reply::is_error)) {
          return self->look(false);
        }
        if (replies)
          self->tier_->note_reply(*std::ranges::find_if(*replies, &resp::Reply::is_error));
        self->pass_all();
      });
  if (refused) pass_all();
}

void Reading::acquire(const Indices& indices, Want want) {
  if (indices.empty()) return;
  std::vector<Call> calls;
  std::vector<std::string> tokens;
  for (const std::size_t index : indices) {
    tokens.push_back(tier_->new_token());
    calls.push_back(shared::acquire(keys_[index].name, generations_[keys_[index].generation].stamp,
                                    tokens.back(), tier_->options_.lease, want));
  }
  tier_->call(
      session_.run, std::move(calls),
      [self = shared_from_this(), indices, tokens = std::move(tokens)](
          Result<redis::Replies> replies) { self->acquired(indices, tokens, std::move(replies)); });
}

void Reading::acquired(const Indices& indices, const std::vector<std::string>& tokens,
                       Result<redis::Replies> replies) {
  Answers answers;
  if (!replies) tier_->note_error(replies.error());
  const bool in_vain = !believed();
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const std::size_t index = indices[i];
    if (!replies || (*replies)[i].is_error()) {
      if (replies) tier_->note_reply((*replies)[i]);
      answers.emplace_back(index, pass());
      SharedCounts::add(tier_->counts_.passed);
      continue;
    }
    Found there = shared::acquired(std::move((*replies)[i]));
    if (there.kind == Found::Kind::kAcquired) {
      const Stamp& stamp = generations_[keys_[index].generation].stamp;
      SharedLease lease{.key = keys_[index].name,
                        .token = tokens[i],
                        .run = stamp.run,
                        .generation = stamp.generation,
                        .anew = keys_[index].anew};
      tier_->hold(lease);
      tier_->note_taken();
      answers.emplace_back(
          index, SharedAnswer{.kind = SharedAnswer::Kind::kLoad, .lease = std::move(lease)});
    } else if (there.kind == Found::Kind::kLease) {
      wait(index, there.left);
    } else if (in_vain && there.kind == Found::Kind::kValue) {
      answers.emplace_back(index, pass());
      SharedCounts::add(tier_->counts_.passed);
    } else if (auto known = answer(keys_[index], there)) {
      answers.emplace_back(index, std::move(*known));
    } else {
      // What cannot be believed once more.
      answers.emplace_back(index, pass());
      SharedCounts::add(tier_->counts_.passed);
    }
  }
  give(std::move(answers));
}

// Waits for the lease of a key to end, or to become a value. The server is asked to tell;
// what has changed before it was asked shows in its answer.
void Reading::wait(std::size_t index, Duration left) {
  if (tier_->timers_->now() - begun_ > tier_->options_.longest_load + tier_->options_.lease) {
    SharedCounts::add(tier_->counts_.passed);
    Answers answers;
    answers.emplace_back(index, pass());
    return give(std::move(answers));
  }
  Place& place = keys_[index];
  if (place.looks == 0) SharedCounts::add(tier_->counts_.waits);
  Duration delay = std::min<Duration>(left + kPastTheEnd, kMostWait);
  if (!session_.tracking) {
    const Duration pause = kFirstLook * (1U << std::min(place.looks, 5U));
    delay = std::min({delay, pause, Duration{kMostBetweenLooks}});
  }
  ++place.looks;
  const auto self = shared_from_this();
  tier_->wait(self, index, delay);
  if (!session_.tracking) return;
  const auto refused = tier_->client_->submit(
      {.commands = 2, .session = session_.run},
      [&](resp::RequestWriter& write) {
        write.command({"CLIENT", "CACHING", "YES"});
        write.command({"GETRANGE", place.name, "0", "0"});
      },
      [tier = tier_, name = place.name](const Result<redis::Replies>& replies) {
        if (!replies || (*replies)[1].text != "L") tier->wake(name);
      });
  if (refused) tier_->wake(place.name);
}

void Reading::look_again(std::size_t index) {
  if (tier_->session()) return acquire({index}, Want::kCopy);
  SharedCounts::add(tier_->counts_.passed);
  Answers answers;
  answers.emplace_back(index, pass());
  give(std::move(answers));
}

std::optional<SharedAnswer> Reading::answer(const Place& place, Found& found) {
  switch (found.kind) {
    case Found::Kind::kMarker:
      SharedCounts::add(tier_->counts_.passed);
      return SharedAnswer{.kind = SharedAnswer::Kind::kLoad, .written = true};
    case Found::Kind::kFailure:
      if (found.fingerprint != fingerprint_) {  // another statement's
        SharedCounts::add(tier_->counts_.stale);
        return std::nullopt;
      }
      SharedCounts::add(tier_->counts_.failures);
      return SharedAnswer{.kind = SharedAnswer::Kind::kFailure, .error = std::move(found.error)};
    case Found::Kind::kValue: break;
    default: return std::nullopt;
  }
  auto envelope = open(found.bytes, generations_[place.generation].stamp, tier_->options_.envelope);
  if (!envelope) {
    const Disbelief why = envelope.error();
    SharedCounts::add(why == Disbelief::kStale     ? tier_->counts_.stale
                      : why == Disbelief::kForeign ? tier_->counts_.foreign
                                                   : tier_->counts_.corrupt);
    return std::nullopt;
  }
  SharedCounts::add(tier_->counts_.hits);
  const Duration left = std::min(found.left, envelope->lifetime);
  return SharedAnswer{.kind = SharedAnswer::Kind::kCopy,
                      .copy = {.bytes = std::move(envelope->body),
                               .age = envelope->lifetime - left,
                               .left = left,
                               .load_cost = envelope->load_cost}};
}

SharedAnswer Reading::pass() { return {.kind = SharedAnswer::Kind::kLoad}; }

void Reading::pass_all() {
  Answers answers;
  for (std::size_t i = 0; i < keys_.size(); ++i) answers.emplace_back(i, pass());
  tier_->counts_.passed.fetch_add(keys_.size(), std::memory_order_relaxed);
  give(std::move(answers));
}

void Reading::give(Answers answers) {
  if (!answers.empty()) take_(std::move(answers));
}

}  // namespace larder::shared
