// Lets users in, or not: one for all doors of a server.
//
// Checking a password costs tens of milliseconds of one core and 16 MiB, on
// purpose. So that neither a guesser nor a thousand clients that reconnect at once
// make the server pay that without end:
//   - it happens on blocking threads, few at a time (`concurrent`), a bounded number
//     waits, and what comes on top is told to try again;
//   - attempts with the same user and password at the same time are checked once;
//   - what was right is recognised again by a keyed digest kept in memory, one for
//     each user, until the users change (docs/security.md says what that costs);
//   - an address from which attempts fail has to wait (AttemptLimiter).
// An unknown user costs what a known one does.
//
// Threads: any may call any member. Held by shared_ptr: what runs on a blocking
// thread keeps it.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "access/attempt_limiter.hpp"
#include "access/credential_digest.hpp"
#include "access/users.hpp"
#include "larder/clock.hpp"
#include "larder/thread_annotations.hpp"

namespace larder {

struct AuthenticatorOptions {
  // Behaviour.
  AttemptLimits attempts{};
  // Speed.
  unsigned concurrent = 2;  // passwords checked at a time; at least 1
  unsigned waiting = 128;   // passwords that wait for that
};

// What came of an attempt.
struct Login {
  enum class Outcome : std::uint8_t {
    kAccepted,
    kRejected,  // no such user, or another password
    kLimited,   // too many failures from this address: not even looked at
    kBusy,      // too many passwords wait to be checked, or there is no memory to
  };
  static constexpr std::size_t kOutcomes = 4;
  Outcome outcome = Outcome::kRejected;
  std::shared_ptr<const User> user{};  // who it is, when accepted
  Duration wait{};                     // when limited: the next attempt may begin then
};

class Authenticator : public std::enable_shared_from_this<Authenticator> {
 public:
  // Runs work on a thread that may wait, as Runtime::block does.
  using Block = std::function<void(std::move_only_function<void()>)>;
  using Done = std::move_only_function<void(const Login&)>;

  // Throws Failure when the system gives no random numbers.
  Authenticator(std::shared_ptr<const Users> users, Block block, AuthenticatorOptions options = {});
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

  // Checks a user's password, given at `now` from `address` (of a Unix socket: the
  // default one). Calls `done` once: before it returns when no password needs to be
  // checked, otherwise on a blocking thread, or never when that is stopped first.
  void log_in(std::string_view user, std::string_view password,
              const boost::asio::ip::address& address, TimePoint now, Done done)
      LARDER_EXCLUDES(mutex_);

  // From now on these are the users. Attempts under way end by the old ones.
  void replace(std::shared_ptr<const Users> users) LARDER_EXCLUDES(mutex_);
  [[nodiscard]] std::shared_ptr<const Users> users() const LARDER_EXCLUDES(mutex_);
  // Another number after each replace(): tells cheaply that users() may differ.
  [[nodiscard]] std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

  // Attempts since the start that came to this.
  [[nodiscard]] std::uint64_t count(Login::Outcome outcome) const {
    return counts_[static_cast<std::size_t>(outcome)].load(std::memory_order_relaxed);
  }

 private:
  using Digest = CredentialDigester::Digest;

  // One password being checked, for all who gave it meanwhile.
  struct Check {
    ~Check();
    Digest digest;
    std::string name;
    std::string password;
    boost::asio::ip::address address;  // whose attempt it counts as
    std::shared_ptr<const Users> users;
    const User* user;  // of users; null: there is none of that name
    std::vector<Done> waiting;
  };

  // What can be said at once; nullopt: the attempt joined or began a check.
  [[nodiscard]] std::optional<Login> decide(std::string_view name, std::string_view password,
                                            const boost::asio::ip::address& address, TimePoint now,
                                            Done& done) LARDER_EXCLUDES(mutex_);
  [[nodiscard]] std::optional<Login> begin_check(std::unique_ptr<Check> check, TimePoint now,
                                                 Done& done) LARDER_REQUIRES(mutex_);
  class Turn;
  void run_next() LARDER_EXCLUDES(mutex_);
  void abandon(Check& check) LARDER_EXCLUDES(mutex_);
  void conclude(Check& check, const Result<bool>& right) LARDER_EXCLUDES(mutex_);
  void tell(Done& done, const Login& login);

  const Block block_;
  const AuthenticatorOptions options_;
  const CredentialDigester digester_;
  std::atomic<std::uint64_t> version_{1};
  std::array<std::atomic<std::uint64_t>, Login::kOutcomes> counts_{};

  mutable Mutex mutex_;
  std::shared_ptr<const Users> users_ LARDER_GUARDED_BY(mutex_);
  AttemptLimiter limiter_ LARDER_GUARDED_BY(mutex_);
  // The last right credentials of each user of users_.
  std::unordered_map<const User*, Digest> known_ LARDER_GUARDED_BY(mutex_);
  std::map<Digest, std::unique_ptr<Check>> checks_ LARDER_GUARDED_BY(mutex_);
  std::deque<Check*> queue_ LARDER_GUARDED_BY(mutex_);  // of checks_, not begun
  unsigned running_ LARDER_GUARDED_BY(mutex_) = 0;
};

}  // namespace larder
