#include "shared/fleet_loads.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "shared/redis_tier.hpp"

namespace larder::shared {
namespace {

constexpr std::size_t kMostAtOnce = 64;  // permits that are asked for together
constexpr std::chrono::milliseconds kFirstPause{2};
constexpr std::chrono::milliseconds kMostPause{50};

}  // namespace

// A permit; given back when nobody has it any more.
class FleetLoads::Held {
 public:
  Held(std::shared_ptr<FleetLoads> loads, std::string token)
      : loads_{std::move(loads)}, token_{std::move(token)} {}
  ~Held() { loads_->give_back(token_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  const std::shared_ptr<FleetLoads> loads_;
  const std::string token_;
};

void FleetLoads::enter(Go go) {
  {
    const MutexLock lock{mutex_};
    waiting_.push_back(std::move(go));
    if (std::exchange(asking_, true)) return;
  }
  ask();
}

// One asks at a time: asking_ is this one's.
void FleetLoads::ask() {
  const auto tier = tier_();
  const auto session = tier ? tier->session() : std::nullopt;
  if (!session) return let_all_go();
  std::size_t count = 0;
  {
    const MutexLock lock{mutex_};
    count = std::min(waiting_.size(), kMostAtOnce);
  }
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < count; ++i) tokens.push_back(tier->new_token());
  std::vector<Call> calls;
  calls.push_back(take_permits(key_, limit_.loads, limit_.longest_load, tokens));
  tier->call(session->run, std::move(calls),
             [self = shared_from_this(), tier,
              tokens = std::move(tokens)](const Result<redis::Replies>& replies) {
               if (replies && !replies->front().is_error()) {
                 return self->answered(tokens, replies->front().integer);
               }
               tier->note_error(replies ? Error{Errc::kSourceFailed, replies->front().text}
                                        : replies.error());
               self->let_all_go();
             });
}

// The first so many of the tokens are permits now.
void FleetLoads::answered(const std::vector<std::string>& tokens, std::int64_t granted) {
  std::vector<Go> going;
  {
    const MutexLock lock{mutex_};
    while (std::ssize(going) < granted && !waiting_.empty()) {
      going.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    refusals_ = going.empty() ? refusals_ + 1 : 0;
    asking_ = !waiting_.empty();
    if (asking_) ask_later();
  }
  for (std::size_t i = 0; i < going.size(); ++i) {
    going[i](std::make_shared<Held>(shared_from_this(), tokens[i]));
  }
}

void FleetLoads::ask_later() {
  const Duration pause = kFirstPause * (1U << std::min(refusals_, 6U));
  timer_ = timers_->after(std::min<Duration>(pause, kMostPause), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->ask_again();
  });
}

// The pause is over, or a place may be free: whoever comes first asks.
void FleetLoads::ask_again() {
  {
    const MutexLock lock{mutex_};
    if (!timer_) return;
    timer_.reset();
  }
  ask();
}

void FleetLoads::give_back(const std::string& token) {
  const auto tier = tier_();
  const auto session = tier ? tier->session() : std::nullopt;
  if (session) {
    std::vector<Call> calls;
    calls.push_back(give_permit(key_, token));
    tier->call(session->run, std::move(calls), [](const Result<redis::Replies>&) {});
  }
  ask_again();
}

void FleetLoads::let_all_go() {
  std::deque<Go> going;
  {
    const MutexLock lock{mutex_};
    going.swap(waiting_);
    asking_ = false;
    refusals_ = 0;
    timer_.reset();
  }
  for (Go& go : going) go(nullptr);
}

}  // namespace larder::shared
