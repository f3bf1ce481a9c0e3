#include "shared/pool_marking.hpp"

#include <utility>

#include "memcached/key_name.hpp"
#include "shared/pool_copies.hpp"

namespace larder::shared {

void PoolMarking::add(const std::shared_ptr<PoolServer>& server, std::string name) {
  servers_.push_back(server);
  const MutexLock lock{mutex_};
  marks_.push_back({.key = std::move(name), .token = server->new_token()});
  ++owed_;
}

void PoolMarking::begin() {
  for (std::size_t i = 0; i < servers_.size(); ++i) mark(i);
  end();
}

void PoolMarking::mark(std::size_t index) {
  const auto& server = servers_[index];
  const auto session = server->session();
  if (!session) return known(index, false);
  std::string key;
  std::string token;
  {
    const MutexLock lock{mutex_};
    key = marks_[index].key;
    token = marks_[index].token;
  }
  // Behind each other on the same connection, so that the generation is known first.
  auto refused = server->client()->submit(
      {.session = session->number},
      [&](memcached::MetaWriter& write) { write.get(server->generation_name(cache_)); },
      [self = shared_from_this(), index](const Result<memcached::Replies>& replies) {
        self->take_generation(index, replies);
      });
  if (!refused) {
    ItemStep::Terms terms = server->step_terms(session->number);
    terms.refused = ItemStep::Refused::kTriesAgain;
    refused = ItemStep::carry_out(
        server->client(), std::move(terms), memcached::key_name(key),
        [token = std::move(token), life = life_](const Item& item) {
          return set_mark(item, token, life);
        },
        [self = shared_from_this(), index](const Result<Change::Kind>& outcome) {
          self->set(index, outcome);
        });
  }
  if (refused) known(index, false);
}

// From now on nobody keeps a copy, so that others may drop theirs. On its way before the write is.
void PoolMarking::set(std::size_t index, const Result<Change::Kind>& outcome) {
  const auto& server = servers_[index];
  if (!outcome) {
    server->note_error(outcome.error());
    return known(index, false);
  }
  std::string name;
  {
    const MutexLock lock{mutex_};
    name = marks_[index].key;
  }
  server->announce(cache_, name);
  known(index, true);
}

// None: nothing is to be kept.
void PoolMarking::take_generation(std::size_t index, const Result<memcached::Replies>& replies) {
  if (!replies || replies->front().kind != memcached::MetaReply::Kind::kValue) return;
  const MutexLock lock{mutex_};
  if (index < marks_.size()) {
    marks_[index].generation = stamp_of(0, replies->front().text).generation;
  }
}

void PoolMarking::known(std::size_t index, bool taken) {
  SharedCounts& counts = servers_[index]->counts();
  SharedCounts::add(taken ? counts.marks : counts.untaken_marks);
  if (taken) {
    const MutexLock lock{mutex_};
    marks_[index].run = kRunOfPool;
  }
  end();
}

void PoolMarking::end() {
  std::vector<SharedMark> all;
  {
    const MutexLock lock{mutex_};
    if (--owed_ > 0) return;
    all = std::move(marks_);
    marks_.clear();
  }
  marked_(std::move(all));
}

}  // namespace larder::shared
