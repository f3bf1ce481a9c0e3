#include "access/authenticator.hpp"

#include <openssl/crypto.h>

#include <utility>

namespace larder {

namespace {

Login accepted(const std::shared_ptr<const Users>& users, const User* user) {
  return {.outcome = Login::Outcome::kAccepted, .user = {users, user}};
}

}  // namespace

// The right to check one password. Destroyed without being used (the blocking threads
// have stopped), it lets go of all that wait, who may themselves keep the authenticator.
class Authenticator::Turn {
 public:
  Turn(std::shared_ptr<Authenticator> self, Check& check) : self_{std::move(self)}, check_{check} {}
  Turn(Turn&&) = default;
  Turn& operator=(Turn&&) = delete;
  ~Turn() {
    if (self_) self_->abandon(check_);
  }

  void use() {
    const auto self = std::exchange(self_, nullptr);
    const PasswordHash& hash =
        check_.user != nullptr ? *check_.user->password : check_.users->decoy(check_.name);
    self->conclude(check_, hash.verify(check_.password));
    self->run_next();
  }

 private:
  std::shared_ptr<Authenticator> self_;  // null: used, or moved from
  Check& check_;
};

Authenticator::Check::~Check() { OPENSSL_cleanse(password.data(), password.size()); }

Authenticator::Authenticator(std::shared_ptr<const Users> users, Block block,
                             AuthenticatorOptions options)
    : block_{std::move(block)},
      options_{options},
      users_{std::move(users)},
      limiter_{options.attempts} {}

void Authenticator::log_in(std::string_view user, std::string_view password,
                           const boost::asio::ip::address& address, TimePoint now, Done done) {
  if (const auto login = decide(user, password, address, now, done)) return tell(done, *login);
  run_next();
}

std::optional<Login> Authenticator::decide(std::string_view name, std::string_view password,
                                           const boost::asio::ip::address& address, TimePoint now,
                                           Done& done) {
  const auto users = this->users();
  const User* user = users->find(name);
  if (user != nullptr && !user->password) return accepted(users, user);

  password = password.substr(0, PasswordHash::kLongestPassword + 1);  // wrong, and cheaply so
  const PasswordHash& hash = user != nullptr ? *user->password : users->decoy(name);
  const Digest digest = digester_.digest(name, password, hash.text());
  auto check = std::make_unique<Check>(digest, std::string{name}, std::string{password}, address,
                                       users, user);
  const MutexLock lock{mutex_};
  return begin_check(std::move(check), now, done);
}

std::optional<Login> Authenticator::begin_check(std::unique_ptr<Check> check, TimePoint now,
                                                Done& done) {
  if (const Duration wait = limiter_.wait(check->address, now); wait > Duration{}) {
    return Login{.outcome = Login::Outcome::kLimited, .wait = wait};
  }
  if (const auto same = checks_.find(check->digest); same != checks_.end()) {
    same->second->waiting.push_back(std::move(done));
    return std::nullopt;
  }
  if (const auto known = known_.find(check->user);
      known != known_.end() && same_digest(known->second, check->digest)) {
    return accepted(check->users, check->user);
  }
  if (queue_.size() >= options_.waiting) return Login{.outcome = Login::Outcome::kBusy};
  limiter_.begin(check->address, now);
  check->waiting.push_back(std::move(done));
  queue_.push_back(check.get());
  const Digest digest = check->digest;
  checks_.emplace(digest, std::move(check));
  return std::nullopt;
}

// Sends the check that has waited longest to a blocking thread, if there is room.
void Authenticator::run_next() {
  Check* check = nullptr;
  {
    const MutexLock lock{mutex_};
    if (running_ >= options_.concurrent || queue_.empty()) return;
    ++running_;
    check = queue_.front();
    queue_.pop_front();
  }
  block_([turn = Turn{shared_from_this(), *check}]() mutable { turn.use(); });
}

void Authenticator::abandon(Check& check) {
  std::vector<std::unique_ptr<Check>> abandoned;
  const MutexLock lock{mutex_};
  --running_;
  queue_.push_back(&check);
  for (const Check* each : queue_) {
    abandoned.push_back(std::move(checks_.extract(each->digest).mapped()));
  }
  queue_.clear();
}

void Authenticator::conclude(Check& check, const Result<bool>& right) {
  Login login{.outcome = right ? Login::Outcome::kRejected : Login::Outcome::kBusy};
  if (right && *right && check.user != nullptr) login = accepted(check.users, check.user);
  std::unique_ptr<Check> over;
  {
    const MutexLock lock{mutex_};
    --running_;
    if (login.outcome != Login::Outcome::kRejected) limiter_.forgive(check.address);
    if (login.outcome == Login::Outcome::kAccepted && check.users == users_) {
      known_.insert_or_assign(check.user, check.digest);
    }
    over = std::move(checks_.extract(check.digest).mapped());
  }
  for (Done& done : over->waiting) tell(done, login);
}

void Authenticator::tell(Done& done, const Login& login) {
  counts_[static_cast<std::size_t>(login.outcome)].fetch_add(1, std::memory_order_relaxed);
  done(login);
}

void Authenticator::replace(std::shared_ptr<const Users> users) {
  const MutexLock lock{mutex_};
  users_ = std::move(users);
  known_.clear();
  version_.fetch_add(1, std::memory_order_release);
}

std::shared_ptr<const Users> Authenticator::users() const {
  const MutexLock lock{mutex_};
  return users_;
}

}  // namespace larder
