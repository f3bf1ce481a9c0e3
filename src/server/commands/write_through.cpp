#include "server/commands/write_through.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "larder/thread_annotations.hpp"
#include "server/session.hpp"
#include "shared/once_told.hpp"

namespace larder::commands {
namespace {

using namespace std::chrono_literals;

// What the removals of one command have come to; when the last has ended it answers.
// Threads: any.
class Removals {
 public:
  Removals(Session& session, std::size_t owed, std::int64_t dropped)
      : session_{session}, answer_{session.await()}, owed_{owed}, removed_{dropped} {}

  void take(const Result<bool>& outcome) LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    if (!outcome) {
      if (!error_) error_ = outcome.error();
    } else if (*outcome) {
      ++removed_;
    }
    if (--owed_ > 0) return;
    answer_([&session = session_, removed = removed_, error = error_] {
      if (error) return session.error(*error);
      session.reply().integer(removed);
    });
  }

 private:
  Session& session_;
  const std::function<void(Inbox::Then)> answer_;
  Mutex mutex_;
  std::size_t owed_ LARDER_GUARDED_BY(mutex_);
  std::int64_t removed_ LARDER_GUARDED_BY(mutex_);
  std::optional<Error> error_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace

void put_through(Session& session, BytesCache& cache, std::string_view key, std::string_view value,
                 std::optional<TimePoint> end) {
  if (end && cache.strategy() == Strategy::kWriteBehind) {
    return session.error(
        "REFUSED cache \"" + cache.name() +
        "\" is write-behind, and a row has no time after which it ends: write it by "
        "SET without EX, PX, EXAT or PXAT in the place of this. Copies live for "
        "the ttl of [caches." +
        cache.name() + "]");
  }
  WriteOptions options;
  // What is to end at once is written all the same; its copy is of no use to anybody.
  if (end) options.ttl = std::max<Duration>(*end - session.now(), 1ms);
  BytesCache::Writes writes;
  writes.push_back({std::string{key}, std::string{value}});
  cache.write(std::move(writes), options,
              [&session, answer = session.await()](std::size_t, Result<bool> outcome) {
                answer([&session, outcome = std::move(outcome)] {
                  if (!outcome) return session.error(outcome.error());
                  session.reply().ok();
                });
              });
}

void remove_through(Session& session, Arguments keys, const std::vector<BytesCache*>& caches) {
  std::int64_t dropped = 0;
  std::vector<std::pair<BytesCache*, BytesCache::Writes>> removals;
  std::size_t count = 0;
  for (std::size_t i = 0; i < caches.size(); ++i) {
    if (!caches[i]->removes()) {
      if (caches[i]->invalidate(keys[i])) ++dropped;
      continue;
    }
    auto of_cache =
        std::ranges::find(removals, caches[i], &std::pair<BytesCache*, BytesCache::Writes>::first);
    if (of_cache == removals.end()) {
      of_cache = removals.insert(removals.end(), {caches[i], BytesCache::Writes{}});
    }
    of_cache->second.push_back({std::string{keys[i]}, std::nullopt});
    ++count;
  }
  if (count == 0) return session.integer_once_told(dropped, caches);
  // Copies that are dropped beside are told as one more.
  const auto all = std::make_shared<Removals>(session, count + 1, dropped);
  shared::once_told(caches, [all] { all->take(false); });
  for (auto& [cache, writes] : removals) {
    cache->write(std::move(writes), {},
                 [all](std::size_t, const Result<bool>& outcome) { all->take(outcome); });
  }
}

}  // namespace larder::commands
