// The backplane of one master of a cluster: subscribes to the channels of its buckets
// (sharded Pub/Sub), over a connection of its own.
//
// A connection delivers what is published on its channels in order, or breaks: so something
// was missed whenever a subscription began, and at no other time.
//
// Threads: any. Lifetime: close() or the destructor end it; the runtime may end before it.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "larder/error.hpp"
#include "larder/runtime.hpp"
#include "larder/thread_annotations.hpp"
#include "larder/timers.hpp"
#include "redis/client.hpp"
#include "shared/backplane.hpp"

namespace larder::shared {

class ChannelBackplane final : public Backplane,
                               public redis::ClientEvents,
                               public std::enable_shared_from_this<ChannelBackplane> {
 public:
  // `own` names this process: what it announced itself is passed over.
  [[nodiscard]] static Result<std::shared_ptr<ChannelBackplane>> start(
      Runtime& runtime, redis::ClientOptions client, std::string own,
      std::weak_ptr<BackplaneEvents> events);
  ~ChannelBackplane() override { close(); }
  ChannelBackplane(const ChannelBackplane&) = delete;
  ChannelBackplane& operator=(const ChannelBackplane&) = delete;

  // The channels that are this server's, from now on.
  void follow(std::set<std::string> channels) LARDER_EXCLUDES(mutex_);
  void close() override LARDER_EXCLUDES(mutex_);

 private:
  ChannelBackplane(Runtime& runtime, std::string own, std::weak_ptr<BackplaneEvents> events);

  void connected(const redis::Session& session) override LARDER_EXCLUDES(mutex_);
  void disconnected(const Error& why) override LARDER_EXCLUDES(mutex_);
  void changed(std::optional<std::string_view>) override {}
  void published(std::string_view channel, std::string_view message) override;
  void unsubscribed(std::string_view channel) override LARDER_EXCLUDES(mutex_);

  // Subscribes to what it does not follow yet; then to the server's sign of life.
  void go_on() LARDER_EXCLUDES(mutex_);
  void take_sign(bool came, TimePoint asked) LARDER_EXCLUDES(mutex_);
  void subscribe(std::vector<std::string> channels) LARDER_REQUIRES(mutex_);
  void subscribed(const std::vector<std::string>& channels, const Result<redis::Replies>& replies)
      LARDER_EXCLUDES(mutex_);
  void go_on_after(Duration delay) LARDER_REQUIRES(mutex_);

  const std::shared_ptr<Timers> timers_;
  const std::string own_;
  const std::weak_ptr<BackplaneEvents> events_;

  // Order: this, then the client's. Nobody is told anything under it.
  Mutex mutex_;
  std::shared_ptr<redis::Client> client_ LARDER_GUARDED_BY(mutex_);
  std::set<std::string> wanted_ LARDER_GUARDED_BY(mutex_);
  std::set<std::string> followed_ LARDER_GUARDED_BY(mutex_);  // on this connection
  Attempts attempts_ LARDER_GUARDED_BY(mutex_);
  bool asking_ LARDER_GUARDED_BY(mutex_) = false;  // a reply is awaited
  std::unique_ptr<Timer> pause_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder::shared
