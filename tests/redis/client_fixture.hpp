// A client of a real server, with what happens to it written down.
#pragma once

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "demo/free_port.hpp"
#include "larder/runtime.hpp"
#include "larder/thread_annotations.hpp"
#include "redis/client.hpp"
#include "redis/redis_server.hpp"

namespace larder::test {

// Waits for what a client tells. Threads: any.
class ClientDiary final : public redis::ClientEvents {
 public:
  void connected(const redis::Session& session) override {
    const MutexLock lock{mutex_};
    sessions_.push_back(session);
    news_.notify_all();
  }
  void disconnected(const Error& why) override {
    const MutexLock lock{mutex_};
    ends_.push_back(why);
    news_.notify_all();
  }
  void changed(std::optional<std::string_view> key) override {
    const MutexLock lock{mutex_};
    changes_.emplace_back(key ? *key : "*");
    news_.notify_all();
  }

  // The session of the count-th connection.
  redis::Session session(std::size_t count = 1) {
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
  std::string change() {
    const MutexLock lock{mutex_};
    while (changes_.empty()) news_.wait(mutex_);
    return changes_.front();
  }

 private:
  Mutex mutex_;
  Condition news_;
  std::vector<redis::Session> sessions_ LARDER_GUARDED_BY(mutex_);
  std::vector<Error> ends_ LARDER_GUARDED_BY(mutex_);
  std::vector<std::string> changes_ LARDER_GUARDED_BY(mutex_);
};

// The reply to one command, waited for; kSourceFailed and so on as submit() has them.
inline std::future<Result<redis::Replies>> begin(redis::Client& client, const Words& words,
                                                 redis::Submission submission = {}) {
  auto promise = std::make_shared<std::promise<Result<redis::Replies>>>();
  auto future = promise->get_future();
  const std::vector<std::string_view> arguments{words.begin(), words.end()};
  const auto refused = client.submit(
      submission, [&](resp::RequestWriter& write) { write.command(arguments); },
      [promise](Result<redis::Replies> replies) { promise->set_value(std::move(replies)); });
  if (refused) promise->set_value(std::unexpected{*refused});
  return future;
}

inline Result<std::string> ask(redis::Client& client, const Words& words,
                               redis::Submission submission = {}) {
  auto replies = begin(client, words, submission).get();
  if (!replies) return std::unexpected{replies.error()};
  return replies->front().text;
}

}  // namespace larder::test
