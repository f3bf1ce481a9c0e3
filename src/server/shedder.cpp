#include "server/shedder.hpp"

#include <string>
#include <utility>

#include "access/client_place.hpp"
#include "base/quantity.hpp"
#include "larder/thread_annotations.hpp"

namespace larder {

// What the workers named so far.
struct Shedder::Round {
  explicit Round(std::size_t workers) : awaited{workers} {}

  // Whether that was the last.
  bool take(std::size_t of, Worker::Heaviest named) LARDER_EXCLUDES(mutex) {
    const MutexLock lock{mutex};
    if (named.kept > heaviest.kept) {
      heaviest = named;
      worker = of;
    }
    return --awaited == 0;
  }

  Mutex mutex;
  std::size_t awaited LARDER_GUARDED_BY(mutex);
  // Read without the lock by whoever was the last.
  Worker::Heaviest heaviest{};
  std::size_t worker = 0;
};

Shedder::Shedder(std::shared_ptr<ServerState> state,
                 const std::vector<std::shared_ptr<Worker>>& workers,
                 std::shared_ptr<spdlog::logger> log)
    : state_{std::move(state)}, workers_{workers.begin(), workers.end()}, log_{std::move(log)} {}

void Shedder::look() {
  if (!busy_.exchange(true)) begin();
}

void Shedder::begin() {
  const auto round = std::make_shared<Round>(workers_.size());
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    const auto worker = workers_[i].lock();
    if (!worker) return;  // the server ends
    worker->name_heaviest([self = shared_from_this(), round, i](Worker::Heaviest named) {
      if (round->take(i, named)) self->end(*round);
    });
  }
}

void Shedder::end(const Round& round) {
  const auto worker = workers_[round.worker].lock();
  if (!worker || round.heaviest.kept == 0) return ended();
  worker->shed(round.heaviest, [self = shared_from_this(),
                                heaviest = round.heaviest](const Worker::Shed& client) {
    if (client) {
      self->log_->warn(
          "closed client {} of {}, which kept {}, the most of all: clients together kept more "
          "than server.max_client_memory",
          heaviest.id, on_unix_socket(*client) ? "the Unix socket" : client->to_string(),
          format_bytes({heaviest.kept}));
    }
    self->ended();
  });
}

// What came meanwhile found a round under way, so it is looked at now.
void Shedder::ended() {
  busy_ = false;
  state_->watch_memory(state_->limits().max_client_memory);
}

}  // namespace larder
