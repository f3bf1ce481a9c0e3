#include "redis/guide.hpp"

#include <algorithm>
#include <utility>

#include "base/utf8.hpp"

namespace larder::redis {

namespace {

constexpr std::chrono::milliseconds kLeastBetween{100};  // two questions
constexpr std::chrono::seconds kEvery{1};
constexpr unsigned kMostNoBetter = 5;  // answers that settle nothing, before another is asked

}  // namespace

// Of one client, so that what an earlier one still has to tell is known to be old.
class Guide::Attempt final : public ClientEvents {
 public:
  Attempt(std::weak_ptr<Guide> guide, std::uint64_t number)
      : guide_{std::move(guide)}, number_{number} {}

  void connected(const Session&) override {
    if (const auto guide = guide_.lock()) guide->connected(number_);
  }
  void disconnected(const Error& why) override {
    if (const auto guide = guide_.lock()) guide->disconnected(number_, why);
  }
  void changed(std::optional<std::string_view>) override {}

 private:
  const std::weak_ptr<Guide> guide_;
  const std::uint64_t number_;
};

Result<std::shared_ptr<Guide>> Guide::start(Runtime& runtime, ClientOptions client,
                                            std::weak_ptr<GuideEvents> events) {
  std::shared_ptr<Guide> guide{new Guide{runtime, std::move(client), std::move(events)}};
  const MutexLock lock{guide->mutex_};
  if (auto done = guide->try_next(); !done) return std::unexpected{std::move(done.error())};
  return guide;
}

Guide::Guide(Runtime& runtime, ClientOptions client, std::weak_ptr<GuideEvents> events)
    : runtime_{runtime},
      timers_{runtime.handle().timers()},
      options_{std::move(client)},
      events_{std::move(events)} {
  const MutexLock lock{mutex_};
  set_candidates();
}

// Those that the URL names, and a cluster's masters.
void Guide::set_candidates() {
  candidates_ = {{.host = options_.url.host, .port = options_.url.port}};
  candidates_.insert(candidates_.end(), options_.url.more.begin(), options_.url.more.end());
  if (options_.url.kind != RedisUrl::Kind::kCluster) return;
  for (const Master& master : topology_) {
    if (std::ranges::find(candidates_, master.place) == candidates_.end()) {
      candidates_.push_back(master.place);
    }
  }
}

void Guide::close() {
  const MutexLock lock{mutex_};
  closed_ = true;
  timer_.reset();
  if (client_) client_->close();
}

// ---- Whom to ask. ----

Result<void> Guide::try_next() {
  if (client_) client_->close();
  ClientOptions options = options_;
  options.expect = Expect::kGuide;
  options.url = options_.url.server_at(candidates_[next_++ % candidates_.size()]);
  if (options_.url.kind == RedisUrl::Kind::kSentinel) {
    // The login is the data servers'.
    options.url.user.clear();
    options.url.password.clear();
    options.url.database = 0;
  }
  asking_ = false;
  no_better_ = 0;
  attempt_events_ = std::make_shared<Attempt>(weak_from_this(), ++attempt_);
  auto started = Client::start(runtime_, std::move(options), attempt_events_);
  if (!started) return std::unexpected{std::move(started.error())};
  client_ = std::move(*started);
  return {};
}

void Guide::try_next_later() {
  const Duration pause = backoff_.failed(0.5);
  timer_ = timers_->after(pause, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    const MutexLock lock{self->mutex_};
    if (!self->closed_) (void)self->try_next();  // its PEM files could be read at the start
  });
}

void Guide::connected(std::uint64_t attempt) {
  {
    const MutexLock lock{mutex_};
    if (closed_ || attempt != attempt_) return;
  }
  ask();
}

void Guide::disconnected(std::uint64_t attempt, const Error& why) {
  {
    const MutexLock lock{mutex_};
    if (closed_ || attempt != attempt_) return;
    ++attempt_;  // what else it tells is old
    client_->close();
    try_next_later();
  }
  if (const auto events = events_.lock()) events->lost_way(why);
}

// ---- Asking. ----

void Guide::suspect() {
  const MutexLock lock{mutex_};
  if (closed_ || std::exchange(suspected_, true) || asking_) return;
  if (!client_->health().connected) return;  // it asks when it is
  ask_after(std::max<Duration>(asked_ + kLeastBetween - timers_->now(), Duration::zero()));
}

void Guide::ask_after(Duration delay) {
  timer_ = timers_->after(delay, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->ask();
  });
}

void Guide::ask() {
  const MutexLock lock{mutex_};
  if (closed_ || asking_) return;
  asked_ = timers_->now();
  no_better_ = suspected_ ? no_better_ + 1 : 0;
  suspected_ = false;
  asking_ = !client_->submit(
      {},
      [&](resp::RequestWriter& write) {
        mutex_.assert_held();
        if (options_.url.kind == RedisUrl::Kind::kSentinel) {
          write.command({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", options_.url.master});
        } else {
          write.command({"CLUSTER", by_slots_ ? "SLOTS" : "SHARDS"});
        }
      },
      [self = shared_from_this(), attempt = attempt_](const Result<Replies>& replies) {
        self->take(attempt, replies);
      });
}

Result<Topology> Guide::understood(const resp::Reply& reply) const {
  const std::string who = client_->url().place();
  if (reply.is_error()) {
    return fail(Errc::kSourceFailed,
                who + " does not say where the masters are: " + printable(reply.text));
  }
  auto topology = options_.url.kind == RedisUrl::Kind::kSentinel
                      ? topology_in_sentinel(reply, options_.url.master)
                  : by_slots_ ? topology_in_slots(reply, client_->url().host)
                              : topology_in_shards(reply, client_->url().host, options_.url.tls);
  if (!topology) topology.error().message = who + ": " + topology.error().message;
  return topology;
}

void Guide::take(std::uint64_t attempt, const Result<Replies>& replies) {
  Result<Topology> topology;
  {
    const MutexLock lock{mutex_};
    if (closed_ || attempt != attempt_) return;
    asking_ = false;
    // A lost connection tells so itself.
    if (!replies) return ask_after(kLeastBetween);
    const resp::Reply& reply = replies->front();
    const bool unknown = reply.is_error() && (reply.text.contains("nknown subcommand") ||
                                              reply.text.contains("nknown command"));
    if (unknown && options_.url.kind == RedisUrl::Kind::kCluster && !by_slots_) {
      by_slots_ = true;
      return ask_after(Duration::zero());
    }
    topology = understood(reply);
    if (topology) {
      learned(*topology);
    } else {
      ++attempt_;
      client_->close();
      try_next_later();
    }
  }
  const auto events = events_.lock();
  if (!events) return;
  if (topology) {
    events->guided(*topology);
  } else {
    events->lost_way(topology.error());
  }
}

void Guide::learned(const Topology& topology) {
  backoff_.succeeded();
  if (std::exchange(topology_, topology) != topology) no_better_ = 0;
  set_candidates();
  if (no_better_ >= kMostNoBetter && candidates_.size() > 1) {
    ++attempt_;
    client_->close();
    return try_next_later();
  }
  ask_after(suspected_ ? Duration{kLeastBetween} : Duration{kEvery});
}

}  // namespace larder::redis
