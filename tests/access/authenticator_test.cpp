#include "access/authenticator.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <deque>
#include <string>
#include <thread>
#include <vector>

namespace larder {
namespace {

using namespace std::chrono_literals;
using Outcome = Login::Outcome;
using boost::asio::ip::make_address;

std::shared_ptr<const Users> web_with(std::string_view password) {
  return Users::of(
      {{"web", PasswordHash::of(password, {.log_rounds = 10}).value(), Rights::all()}});
}

// An authenticator whose blocking work is done when the test says so.
class AuthenticatorTest : public testing::Test {
 protected:
  // The place of the attempt in logins_.
  std::size_t attempt(std::string_view user, std::string_view password,
                      const char* address = "192.0.2.1") {
    const std::size_t index = logins_.size();
    logins_.emplace_back();
    authenticator_->log_in(user, password, make_address(address), now_,
                           [this, index](const Login& login) { logins_[index] = login; });
    return index;
  }
  void work_once() {
    auto work = std::move(work_.front());
    work_.pop_front();
    ++checked_;
    work();
  }
  void work() {
    while (!work_.empty()) work_once();
  }
  Outcome outcome_of(std::string_view user, std::string_view password,
                     const char* address = "192.0.2.1") {
    const std::size_t index = attempt(user, password, address);
    work();
    return logins_[index].value().outcome;
  }

  std::deque<std::move_only_function<void()>> work_;
  int checked_ = 0;  // passwords
  std::deque<std::optional<Login>> logins_;
  TimePoint now_{1h};
  std::shared_ptr<Authenticator> authenticator_ = std::make_shared<Authenticator>(
      web_with("right"),
      [this](std::move_only_function<void()> work) { work_.push_back(std::move(work)); },
      AuthenticatorOptions{.attempts = {.free = 3}, .concurrent = 2, .waiting = 4});
};

TEST_F(AuthenticatorTest, LetsInWhoKnowsThePassword) {
  const std::size_t index = attempt("web", "right");
  work();

  EXPECT_EQ(logins_[index]->outcome, Outcome::kAccepted);
  EXPECT_EQ(logins_[index]->user->name, "web");
}

TEST_F(AuthenticatorTest, RefusesAnotherPasswordAndAnotherUser) {
  EXPECT_EQ(outcome_of("web", "wrong"), Outcome::kRejected);
  EXPECT_EQ(outcome_of("nobody", "right"), Outcome::kRejected);
}

TEST_F(AuthenticatorTest, NeverComputesOnTheCallersThread) {
  const std::size_t index = attempt("web", "right");

  EXPECT_FALSE(logins_[index].has_value());
  EXPECT_EQ(work_.size(), 1U);
}

TEST_F(AuthenticatorTest, AnUnknownUserCostsACheckLikeAKnownOne) {
  outcome_of("nobody", "x");

  EXPECT_EQ(checked_, 1);
}

TEST_F(AuthenticatorTest, KnowsARightPasswordAgainWithoutAnotherCheck) {
  outcome_of("web", "right");

  EXPECT_EQ(outcome_of("web", "right", "192.0.2.7"), Outcome::kAccepted);
  EXPECT_EQ(checked_, 1);
}

TEST_F(AuthenticatorTest, KnowsNoWrongPasswordAgain) {
  outcome_of("web", "right");
  outcome_of("web", "wrong");
  outcome_of("web", "wrong");

  EXPECT_EQ(checked_, 3);
}

TEST_F(AuthenticatorTest, AThousandClientsThatReconnectCostOneCheck) {
  std::vector<std::size_t> attempts;
  for (int i = 0; i < 1000; ++i) attempts.push_back(attempt("web", "right"));
  work();

  EXPECT_EQ(checked_, 1);
  for (const std::size_t each : attempts) EXPECT_EQ(logins_[each]->outcome, Outcome::kAccepted);
}

TEST_F(AuthenticatorTest, AttemptsThatFailMakeTheirAddressWait) {
  for (int i = 0; i < 4; ++i) outcome_of("web", "wrong" + std::to_string(i));

  EXPECT_EQ(outcome_of("web", "wrong"), Outcome::kLimited);
  EXPECT_EQ(logins_.back()->wait, 1s);
  EXPECT_EQ(checked_, 4);
  EXPECT_EQ(outcome_of("web", "right", "192.0.2.2"), Outcome::kAccepted);
}

TEST_F(AuthenticatorTest, AWaitingAddressDoesNotLearnThatAPasswordIsRight) {
  outcome_of("web", "right");
  for (int i = 0; i < 4; ++i) outcome_of("web", "wrong" + std::to_string(i));

  EXPECT_EQ(outcome_of("web", "right"), Outcome::kLimited);

  now_ += 1s;
  EXPECT_EQ(outcome_of("web", "right"), Outcome::kAccepted);
}

TEST_F(AuthenticatorTest, ManyGuessesAtOnceAreLimitedToo) {
  for (int i = 0; i < 100; ++i) attempt("web", "wrong" + std::to_string(i));
  work();

  EXPECT_EQ(checked_, 4);
}

TEST_F(AuthenticatorTest, ChecksAFewAtATimeAndTheOthersInOrder) {
  for (int i = 0; i < 4; ++i) {
    attempt("web", "wrong", ("192.0.2." + std::to_string(i)).c_str());  // one check
    attempt("nobody" + std::to_string(i), "x", ("192.0.3." + std::to_string(i)).c_str());
  }
  EXPECT_EQ(work_.size(), 2U);

  work_once();

  EXPECT_EQ(work_.size(), 2U);
  EXPECT_TRUE(logins_[0].has_value());
  EXPECT_FALSE(logins_[1].has_value());
}

TEST_F(AuthenticatorTest, SaysWhenTooManyWait) {
  for (int i = 0; i < 7; ++i) {
    attempt("nobody" + std::to_string(i), "x", ("192.0.2." + std::to_string(i)).c_str());
  }

  EXPECT_EQ(logins_[6]->outcome, Outcome::kBusy);
  EXPECT_FALSE(logins_[5].has_value());
}

TEST_F(AuthenticatorTest, WhoIsKnownGetsInWhileManyWait) {
  outcome_of("web", "right");
  for (int i = 0; i < 20; ++i) {
    attempt("nobody" + std::to_string(i), "x", ("192.0.3." + std::to_string(i)).c_str());
  }

  const std::size_t index = attempt("web", "right");

  EXPECT_EQ(logins_[index]->outcome, Outcome::kAccepted);
}

TEST_F(AuthenticatorTest, ForgetsWhatItKnewWhenTheUsersChange) {
  outcome_of("web", "right");

  authenticator_->replace(web_with("other"));

  EXPECT_EQ(outcome_of("web", "right"), Outcome::kRejected);
  EXPECT_EQ(outcome_of("web", "other"), Outcome::kAccepted);
}

TEST_F(AuthenticatorTest, WhatIsCheckedWhileTheUsersChangeIsNotRemembered) {
  attempt("web", "right");
  authenticator_->replace(web_with("right"));
  work();

  outcome_of("web", "right");

  EXPECT_EQ(checked_, 2);
}

TEST_F(AuthenticatorTest, TellsThatTheUsersChanged) {
  const auto before = authenticator_->version();

  authenticator_->replace(web_with("other"));

  EXPECT_NE(authenticator_->version(), before);
}

TEST_F(AuthenticatorTest, CountsWhatAttemptsCameTo) {
  for (int i = 0; i < 5; ++i) outcome_of("web", "wrong" + std::to_string(i));
  outcome_of("web", "right", "192.0.2.2");

  EXPECT_EQ(authenticator_->count(Outcome::kAccepted), 1U);
  EXPECT_EQ(authenticator_->count(Outcome::kRejected), 4U);
  EXPECT_EQ(authenticator_->count(Outcome::kLimited), 1U);
  EXPECT_EQ(authenticator_->count(Outcome::kBusy), 0U);
}

TEST_F(AuthenticatorTest, AUserWithoutAPasswordTakesAny) {
  authenticator_->replace(Users::open());

  const std::size_t index = attempt("default", "anything");

  EXPECT_EQ(logins_[index]->outcome, Outcome::kAccepted);
  EXPECT_EQ(checked_, 0);
}

// As a connection does, whose authenticator it also is.
TEST_F(AuthenticatorTest, LetsGoOfThoseWhoWaitWhenNobodyWillCheck) {
  const auto connection = std::make_shared<int>();
  for (int i = 0; i < 4; ++i) {
    authenticator_->log_in("nobody" + std::to_string(i), "x", make_address("192.0.2.1"), now_,
                           [connection, self = authenticator_](const Login&) {});
  }

  work_.clear();

  EXPECT_EQ(connection.use_count(), 1);
  EXPECT_EQ(authenticator_.use_count(), 1);
}

TEST_F(AuthenticatorTest, AHugePasswordIsRefusedLikeAnyOther) {
  EXPECT_EQ(outcome_of("web", std::string(std::size_t{8} << 20, 'x')), Outcome::kRejected);
}

TEST(AuthenticatorThreads, ManyThreadsAtOnceAllGetTheirAnswers) {
  constexpr int kThreads = 8;
  constexpr int kAttempts = 50;
  std::deque<std::thread> blocking;
  Mutex mutex;
  std::atomic<int> accepted = 0;
  std::atomic<int> answered = 0;
  const auto authenticator = std::make_shared<Authenticator>(
      web_with("right"),
      [&](std::move_only_function<void()> work) {
        const MutexLock lock{mutex};
        blocking.emplace_back(std::move(work));
      },
      AuthenticatorOptions{.attempts = {.free = 1'000'000}, .waiting = 1'000'000});

  std::barrier start{kThreads};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        start.arrive_and_wait();
        for (int i = 0; i < kAttempts; ++i) {
          const bool right = (i + t) % 2 == 0;
          authenticator->log_in("web", right ? "right" : "wrong" + std::to_string(i % 5),
                                make_address("192.0.2.1"), TimePoint{1h}, [&](const Login& login) {
                                  if (login.outcome == Outcome::kAccepted) ++accepted;
                                  ++answered;
                                  answered.notify_all();
                                });
        }
      });
    }
  }
  for (int seen = answered; seen < kThreads * kAttempts; seen = answered) answered.wait(seen);
  for (std::size_t i = 0;; ++i) {  // a joined thread may have begun another before it ended
    std::thread* next = nullptr;
    {
      const MutexLock lock{mutex};
      if (i < blocking.size()) next = &blocking[i];
    }
    if (next == nullptr) break;
    next->join();
  }

  EXPECT_EQ(accepted, kThreads * kAttempts / 2);
}

}  // namespace
}  // namespace larder
