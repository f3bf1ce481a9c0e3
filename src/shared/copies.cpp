#include "shared/copies.hpp"

#include <utility>

#include "shared/reading.hpp"

namespace larder::shared {

void Copies::read(std::vector<Key> keys, Take take) {
  const KeyNames& names = tier_->names();
  std::vector<Reading::Key> named;
  named.reserve(keys.size());
  for (const Key& each : keys) {
    named.push_back({.name = names.value(cache_, each.key),
                     .generation = names.generation(cache_, names.bucket(cache_, each.key)),
                     .anew = each.anew});
  }
  const auto reading =
      std::make_shared<Reading>(tier_, fingerprint_, std::move(named), std::move(take));
  reading->begin();
}

void Copies::fill(SharedLease lease, std::optional<std::string_view> bytes, Duration lifetime,
                  Duration cost) {
  const Duration left = lifetime - cost;
  if (left <= Duration::zero()) return release(std::move(lease));
  const Stamp stamp{.run = lease.run, .fingerprint = fingerprint_, .generation = lease.generation};
  Envelope envelope{.lifetime = lifetime, .load_cost = cost};
  if (bytes) envelope.body = *bytes;
  std::string value = seal(stamp, envelope, tier_->options_.envelope);
  // A refresh replaces what others may have in memory; any other fill, nothing.
  std::optional<Announce> announce;
  if (lease.anew) announce = tier_->announce(cache_, lease.key);
  end(lease, shared::fill(lease.key, lease.token, std::move(value), left, std::move(announce)));
}

void Copies::fail(SharedLease lease, const Error& error) {
  end(lease, shared::fail(lease.key, lease.token, fingerprint_, error, tier_->options_.failure));
}

void Copies::release(SharedLease lease) { end(lease, shared::release(lease.key, lease.token)); }

// The step that a lease ends with: for the run that gave it alone.
void Copies::end(const SharedLease& lease, Call step) {
  tier_->let_go(lease);
  const bool fills = step.step == Step::kFill;
  std::vector<Call> calls;
  calls.push_back(std::move(step));
  // What a refresh could not replace is no longer true, and is not to stay.
  const bool replaces = fills && lease.anew;
  tier_->call(lease.run, std::move(calls),
              [tier = tier_, fills, replaces, cache = cache_,
               name = lease.key](Result<redis::Replies> replies) {
                if (!replies) {
                  tier->note_error(replies.error());
                } else if (replies->front().is_error()) {
                  tier->note_reply(replies->front());
                } else if (fills) {
                  const bool filled = replies->front().integer == 1;
                  SharedCounts::add(filled ? tier->counts_.fills : tier->counts_.refused_fills);
                }
                const bool failed = !replies || replies->front().is_error();
                if (replaces && failed) tier->invalidate(cache, name);
              });
}

// ---- Writes. ----

Written written(const SharedMark& mark, std::uint64_t fingerprint,
                const std::optional<SharedFill>& kept, const EnvelopeOptions& options) {
  if (!kept || !mark || mark.generation == 0) return {};
  const Duration left = kept->lifetime - kept->cost;
  if (left <= Duration::zero()) return {};
  const Stamp stamp{.run = mark.run, .fingerprint = fingerprint, .generation = mark.generation};
  Envelope envelope{.lifetime = kept->lifetime};
  if (kept->bytes) envelope.body = *kept->bytes;
  return {seal(stamp, envelope, options), left};
}

// The generation is from before the write, so what is cleared during it is not kept.
void Copies::begin_write(std::vector<std::string> keys, Duration life, Marked marked) {
  const KeyNames& names = tier_->names();
  const auto marks = std::make_shared<std::vector<SharedMark>>();
  std::vector<std::string> generations;
  std::vector<Call> calls;
  for (const std::string& key : keys) {
    marks->push_back({.key = names.value(cache_, key), .token = tier_->new_token()});
    generations.push_back(names.generation(cache_, names.bucket(cache_, key)));
    calls.push_back(shared::mark(marks->back().key, marks->back().token, life,
                                 tier_->announce(cache_, marks->back().key)));
  }
  const auto session = tier_->session();
  if (!session) {
    tier_->counts_.untaken_marks.fetch_add(marks->size(), std::memory_order_relaxed);
    return marked(std::move(*marks));
  }
  const auto shared_marked = std::make_shared<Marked>(std::move(marked));
  const auto kept = std::make_shared<const std::vector<Call>>(std::move(calls));
  const auto refused = tier_->client_->submit(
      {.commands = 2 * kept->size(), .session = session->run},
      [&](resp::RequestWriter& write) {
        for (std::size_t i = 0; i < kept->size(); ++i) {
          write.command({"GET", generations[i]});
          write.command((*kept)[i].command(false));
        }
      },
      [tier = tier_, run = session->run, marks, kept,
       shared_marked](const Result<redis::Replies>& replies) {
        const RedisTier::Open open{
            nullptr, [marks, shared_marked](void*) { (*shared_marked)(std::move(*marks)); }};
        tier->take_marks(run, *kept, replies, marks, open);
      });
  if (!refused) return;
  tier_->counts_.untaken_marks.fetch_add(marks->size(), std::memory_order_relaxed);
  (*shared_marked)(std::move(*marks));
}

void Copies::finish_write(SharedMark mark, const std::optional<SharedFill>& kept) {
  Written left = written(mark, fingerprint_, kept, tier_->options().envelope);
  tier_->finish(cache_, mark, std::move(left.value), left.left);
}

void Copies::leave_write(SharedMark mark, Duration life) { tier_->leave(cache_, mark, life); }

void Copies::invalidate(std::string_view key) {
  tier_->invalidate(cache_, tier_->names().value(cache_, key));
}

void Copies::clear() { tier_->clear(cache_); }

void Copies::listen(std::weak_ptr<SharedListener> listener) {
  tier_->listen(cache_, std::move(listener));
}

}  // namespace larder::shared
