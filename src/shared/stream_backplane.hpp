// The backplane of one server: follows its stream of announcements over a connection of its
// own, since a read there blocks until there is news.
//
// Something was missed at its start, when the server is another run than before, and when the
// stream has lost what it had not read.
//
// Threads: any. Lifetime: close() or the destructor end it; the runtime may end before it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "larder/error.hpp"
#include "larder/runtime.hpp"
#include "larder/thread_annotations.hpp"
#include "larder/timers.hpp"
#include "redis/client.hpp"
#include "shared/announcements.hpp"
#include "shared/backplane.hpp"

namespace larder::shared {

class StreamBackplane final : public Backplane,
                              public redis::ClientEvents,
                              public std::enable_shared_from_this<StreamBackplane> {
 public:
  // `client` as the tier's own.
  [[nodiscard]] static Result<std::shared_ptr<StreamBackplane>> start(
      Runtime& runtime, redis::ClientOptions client, std::string stream, std::string own,
      std::weak_ptr<BackplaneEvents> events);
  ~StreamBackplane() override { close(); }
  StreamBackplane(const StreamBackplane&) = delete;
  StreamBackplane& operator=(const StreamBackplane&) = delete;

  void close() override LARDER_EXCLUDES(mutex_);

 private:
  StreamBackplane(Runtime& runtime, std::string stream, std::string own,
                  std::weak_ptr<BackplaneEvents> events);

  void connected(const redis::Session& session) override LARDER_EXCLUDES(mutex_);
  void disconnected(const Error& why) override LARDER_EXCLUDES(mutex_);
  void changed(std::optional<std::string_view>) override {}

  // Says hello, or reads on.
  void go_on() LARDER_EXCLUDES(mutex_);
  void take_hello(const Result<redis::Replies>& replies, TimePoint asked) LARDER_EXCLUDES(mutex_);
  void take_read(const Result<redis::Replies>& replies, TimePoint asked) LARDER_EXCLUDES(mutex_);
  void go_on_later() LARDER_REQUIRES(mutex_);

  const std::shared_ptr<Timers> timers_;
  const std::weak_ptr<BackplaneEvents> events_;

  // Order: this, then the client's. Nobody is told anything under it.
  Mutex mutex_;
  std::shared_ptr<redis::Client> client_ LARDER_GUARDED_BY(mutex_);
  Announcements announcements_ LARDER_GUARDED_BY(mutex_);
  std::uint64_t run_ LARDER_GUARDED_BY(mutex_) = 0;  // that the place belongs to
  Attempts attempts_ LARDER_GUARDED_BY(mutex_);
  bool follows_ LARDER_GUARDED_BY(mutex_) = true;  // a gap, when it loses its place, is another
  bool asking_ LARDER_GUARDED_BY(mutex_) = false;  // a reply is awaited
  std::unique_ptr<Timer> pause_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder::shared
