// A client of a real server, with what happens to it written down.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "larder/thread_annotations.hpp"
#include "memcached/client.hpp"

namespace larder::test {

// Waits for what a client tells. Threads: any.
class MemcachedDiary final : public memcached::ClientEvents {
 public:
  void connected(const memcached::Session& session) override {
    const MutexLock lock{mutex_};
    sessions_.push_back(session);
    news_.notify_all();
  }
  void disconnected(const Error& why) override {
    const MutexLock lock{mutex_};
    ends_.push_back(why);
    news_.notify_all();
  }

  // The session of the count-th connection.
  memcached::Session session(std::size_t count = 1) {
    const MutexLock lock{mutex_};
    while (sessions_.size() < count) news_.wait(mutex_);
    return sessions_[count - 1];
  }
  // Why the count-th attempt or connection ended.
  Error end(std::size_t count = 1) {
    const MutexLock lock{mutex_};
    while (ends_.size() < count) news_.wait(mutex_);
    return ends_[count - 1];
  }

 private:
  Mutex mutex_;
  Condition news_;
  std::vector<memcached::Session> sessions_ LARDER_GUARDED_BY(mutex_);
  std::vector<Error> ends_ LARDER_GUARDED_BY(mutex_);
};

using Write = std::function<void(memcached::MetaWriter&)>;

inline std::future<Result<memcached::Replies>> begin(memcached::Client& client, const Write& write,
                                                     memcached::Submission submission = {}) {
  auto promise = std::make_shared<std::promise<Result<memcached::Replies>>>();
  auto future = promise->get_future();
  const auto refused = client.submit(
      submission, write,
      [promise](Result<memcached::Replies> replies) { promise->set_value(std::move(replies)); });
  if (refused) promise->set_value(std::unexpected{*refused});
  return future;
}

// The reply to one command, waited for.
inline Result<memcached::MetaReply> ask(memcached::Client& client, const Write& write,
                                        memcached::Submission submission = {}) {
  auto replies = begin(client, write, submission).get();
  if (!replies) return std::unexpected{replies.error()};
  return replies->front();
}

}  // namespace larder::test
