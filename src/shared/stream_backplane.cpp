#include "shared/stream_backplane.hpp"

#include <optional>
#include <utility>
#include <vector>

#include "shared/hearing.hpp"

namespace larder::shared {

namespace {

constexpr Duration kBlock = Hearing::kSign;       // a read without news
constexpr std::chrono::seconds kPatience{3};      // of that read, from when it is sent
constexpr std::chrono::milliseconds kPause{200};  // after a reply that is an error

}  // namespace

Result<std::shared_ptr<StreamBackplane>> StreamBackplane::start(
    Runtime& runtime, redis::ClientOptions client, std::string stream, std::string own,
    std::weak_ptr<BackplaneEvents> events) {
  std::shared_ptr<StreamBackplane> backplane{
      new StreamBackplane{runtime, std::move(stream), std::move(own), std::move(events)}};
  // Under the lock, for which a connection that is quick waits.
  const MutexLock lock{backplane->mutex_};
  auto started = redis::Client::start(runtime, std::move(client), backplane);
  if (!started) return std::unexpected{std::move(started.error())};
  backplane->client_ = std::move(*started);
  return backplane;
}

StreamBackplane::StreamBackplane(Runtime& runtime, std::string stream, std::string own,
                                 std::weak_ptr<BackplaneEvents> events)
    : timers_{runtime.handle().timers()},
      events_{std::move(events)},
      announcements_{std::move(stream), std::move(own)} {}

void StreamBackplane::close() {
  const MutexLock lock{mutex_};
  pause_.reset();
  if (client_) client_->close();
}

void StreamBackplane::connected(const redis::Session& session) {
  {
    const MutexLock lock{mutex_};
    attempts_.connected();
    // What another run has under the same place is another stream.
    if (std::exchange(run_, session.run) != session.run) announcements_.forget_place();
  }
  go_on();
}

// That a connection is lost is told by what is missed.
void StreamBackplane::disconnected(const Error& why) {
  {
    const MutexLock lock{mutex_};
    if (!attempts_.ended(timers_->now())) return;
  }
  if (const auto events = events_.lock()) events->not_connected(why);
}

void StreamBackplane::go_on() {
  const MutexLock lock{mutex_};
  if (asking_) return;
  const auto self = shared_from_this();
  // Refused, it goes on when there is a connection again.
  if (!announcements_.placed()) {
    asking_ = !client_->submit(
        {.session = run_},
        [&](resp::RequestWriter& write) {
          mutex_.assert_held();
          announcements_.write_hello(write);
        },
        [self, asked = timers_->now()](const Result<redis::Replies>& replies) {
          self->take_hello(replies, asked);
        });
  } else {
    asking_ = !client_->submit(
        {.commands = 2, .timeout = kPatience, .session = run_},
        [&](resp::RequestWriter& write) {
          mutex_.assert_held();
          announcements_.write_read(write, kBlock);
        },
        [self, asked = timers_->now()](const Result<redis::Replies>& replies) {
          self->take_read(replies, asked);
        });
  }
}

void StreamBackplane::take_hello(const Result<redis::Replies>& replies, TimePoint asked) {
  bool placed = false;
  bool followed = false;
  {
    const MutexLock lock{mutex_};
    asking_ = false;
    placed = replies && announcements_.take_hello(replies->front());
    if (!placed) go_on_later();
    if (placed) followed = std::exchange(follows_, false);
  }
  const auto events = events_.lock();
  if (!placed) {
    if (replies && events) tell_refusal(*replies, *events);
    return;
  }
  if (followed) count_gap();
  if (events) {
    events->missed();
    events->heard_until(asked);
  }
  go_on();
}

void StreamBackplane::take_read(const Result<redis::Replies>& replies, TimePoint asked) {
  std::optional<Announcements::Read> read;
  {
    const MutexLock lock{mutex_};
    asking_ = false;
    if (!replies) return go_on_later();
    read = announcements_.take_read((*replies)[0], (*replies)[1]);
    if (!read) go_on_later();
    if (read) follows_ = true;
  }
  const auto events = events_.lock();
  if (!read) {
    // Said again with the hello, which a full server may refuse for long.
    if (!events) return;
    events->missed();
    return tell_refusal(*replies, *events);
  }
  count_heard(read->announced.size());
  if (events) {
    events->followed();
    for (const Announcement& each : read->announced) events->announced(each);
    if (read->all) events->heard_until(asked);  // else the rest of it comes first
  }
  go_on();
}

// After an error: a lost connection calls as well, once it is there again.
void StreamBackplane::go_on_later() {
  pause_ = timers_->after(kPause, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->go_on();
  });
}

}  // namespace larder::shared
