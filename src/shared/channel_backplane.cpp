#include "shared/channel_backplane.hpp"

#include <algorithm>
#include <utility>

#include "shared/hearing.hpp"

namespace larder::shared {

namespace {

constexpr std::chrono::seconds kPatience{3};      // so long a sign may take
constexpr std::chrono::milliseconds kPause{200};  // after a reply that is an error

bool confirms(const resp::Reply& reply) { return reply.kind == resp::Reply::Kind::kPush; }

}  // namespace

Result<std::shared_ptr<ChannelBackplane>> ChannelBackplane::start(
    Runtime& runtime, redis::ClientOptions client, std::string own,
    std::weak_ptr<BackplaneEvents> events) {
  std::shared_ptr<ChannelBackplane> backplane{
      new ChannelBackplane{runtime, std::move(own), std::move(events)}};
  // Under the lock, for which a connection that is quick waits.
  const MutexLock lock{backplane->mutex_};
  auto started = redis::Client::start(runtime, std::move(client), backplane);
  if (!started) return std::unexpected{std::move(started.error())};
  backplane->client_ = std::move(*started);
  return backplane;
}

ChannelBackplane::ChannelBackplane(Runtime& runtime, std::string own,
                                   std::weak_ptr<BackplaneEvents> events)
    : timers_{runtime.handle().timers()}, own_{std::move(own)}, events_{std::move(events)} {}

void ChannelBackplane::close() {
  const MutexLock lock{mutex_};
  pause_.reset();
  if (client_) client_->close();
}

void ChannelBackplane::follow(std::set<std::string> channels) {
  {
    const MutexLock lock{mutex_};
    wanted_ = std::move(channels);
    std::erase_if(followed_, [this](const std::string& each) {
      mutex_.assert_held();
      return !wanted_.contains(each);
    });
  }
  go_on();
}

void ChannelBackplane::connected(const redis::Session&) {
  {
    const MutexLock lock{mutex_};
    attempts_.connected();
    followed_.clear();
  }
  go_on();
}

// That a connection is lost is told by what is missed.
void ChannelBackplane::disconnected(const Error& why) {
  {
    const MutexLock lock{mutex_};
    if (!attempts_.ended(timers_->now())) return;
  }
  if (const auto events = events_.lock()) events->not_connected(why);
}

void ChannelBackplane::unsubscribed(std::string_view channel) {
  const MutexLock lock{mutex_};
  followed_.erase(std::string{channel});
  // Until it is known whose it is, this server refuses it.
  if (!asking_) go_on_after(kPause);
}

void ChannelBackplane::published(std::string_view, std::string_view message) {
  auto announcement = announcement_in(message, own_);
  if (!announcement) return;
  count_heard(1);
  if (const auto events = events_.lock()) events->announced(*announcement);
}

void ChannelBackplane::go_on() {
  const MutexLock lock{mutex_};
  if (asking_) return;
  std::vector<std::string> missing;
  for (const std::string& each : wanted_) {
    if (!followed_.contains(each)) missing.push_back(each);
  }
  if (!missing.empty()) return subscribe(std::move(missing));
  // A server that does not answer this is left by the client.
  asking_ = !client_->submit(
      {.timeout = kPatience}, [](resp::RequestWriter& write) { write.command({"PING"}); },
      [self = shared_from_this(), asked = timers_->now()](const Result<redis::Replies>& replies) {
        self->take_sign(replies.has_value(), asked);
      });
}

// What was published before it was asked for has come before it.
void ChannelBackplane::take_sign(bool came, TimePoint asked) {
  bool all = false;
  {
    const MutexLock lock{mutex_};
    asking_ = false;
    all = std::ranges::includes(followed_, wanted_);
    go_on_after(Hearing::kSign);
  }
  if (!came || !all) return;
  const auto events = events_.lock();
  if (!events) return;
  events->followed();
  events->heard_until(asked);
}

// Refused, it goes on when there is a connection again.
void ChannelBackplane::subscribe(std::vector<std::string> channels) {
  const auto kept = std::make_shared<const std::vector<std::string>>(std::move(channels));
  asking_ = !client_->submit(
      {.commands = kept->size(), .timeout = kPatience},
      [&](resp::RequestWriter& write) {
        for (const std::string& each : *kept) write.command({"SSUBSCRIBE", each});
      },
      [self = shared_from_this(), kept](const Result<redis::Replies>& replies) {
        self->subscribed(*kept, replies);
      });
}

void ChannelBackplane::subscribed(const std::vector<std::string>& channels,
                                  const Result<redis::Replies>& replies) {
  bool any = false;
  bool all = true;
  {
    const MutexLock lock{mutex_};
    asking_ = false;
    if (!replies) return go_on_after(kPause);
    for (std::size_t i = 0; i < channels.size(); ++i) {
      const bool done = confirms((*replies)[i]);
      any = any || done;
      all = all && done;
      if (done) followed_.insert(channels[i]);
    }
    go_on_after(all ? Duration::zero() : Duration{kPause});
  }
  const auto events = events_.lock();
  if (!all && events) tell_refusal(*replies, *events);
  if (!any) return;
  count_gap();
  if (events) events->missed();
}

void ChannelBackplane::go_on_after(Duration delay) {
  pause_ = timers_->after(delay, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->go_on();
  });
}

}  // namespace larder::shared
