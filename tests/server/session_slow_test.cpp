// SLOWLOG of commands that stand in one batch: which of them is told to have been slow.
//
// Each look at the clock finds it a step later, so that what is timed took a step exactly,
// and who was timed is seen in the log.
#include <gmock/gmock.h>

#include <atomic>

#include "server/session_fixture.hpp"

namespace larder::test {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SteppingClock final : public Clock {
 public:
  static constexpr Duration kStep = 20ms;  // more than slowlog_slower_than

  [[nodiscard]] TimePoint now() const override { return TimePoint{kStep * ++looks_}; }

 private:
  mutable std::atomic<std::int64_t> looks_{1000};
};

// Before the fixture, which is made with it.
struct WithSteppingClock {
  SteppingClock stepping;
};

class SessionSlow : private WithSteppingClock, public SessionTest {
 protected:
  SessionSlow() : SessionTest{{}, &stepping} {
    ask("SET tag:big " + std::string(64 << 10, 'x'));
    ask("SLOWLOG RESET");
    state_.slow_log().clear();  // of the reset itself
  }

  // The first words of what SLOWLOG keeps, the newest in front.
  std::vector<std::string> slow() {
    std::vector<std::string> names;
    for (const SlowLog::Entry& each : state_.slow_log().latest(100)) {
      names.push_back(each.words.front() + (each.words.size() > 1 ? " " + each.words[1] : ""));
    }
    return names;
  }
};

TEST_F(SessionSlow, InABatchTheOneThatAnswersMuchIsTold) {
  send(command("PING a") + command("PING b") + command("GET tag:big") + command("PING c"));

  EXPECT_THAT(slow(), ElementsAre("GET tag:big"));
}

TEST_F(SessionSlow, InABatchTheOneThatTakesMuchIsTold) {
  send(command("PING a") + command("SET tag:b " + std::string(64 << 10, 'y')) + command("PING c"));

  EXPECT_THAT(slow(), ElementsAre("SET tag:b"));
}

TEST_F(SessionSlow, InABatchTheOneThatIsNotQuickByNatureIsTold) {
  send(command("PING a") + command("KEYS *") + command("PING c"));

  EXPECT_THAT(slow(), ElementsAre("KEYS *"));
}

TEST_F(SessionSlow, EachOfSeveralIsTold) {
  send(command("GET tag:big") + command("PING a") + command("DEL tag:a") + command("GET tag:big"));

  EXPECT_THAT(slow(), ElementsAre("GET tag:big", "DEL tag:a", "GET tag:big"));
}

TEST_F(SessionSlow, NoneOfQuickOnesThatWereTimedTogetherIsTold) {
  send(command("PING a") + command("GET tag:a") + command("PING b"));

  EXPECT_THAT(slow(), IsEmpty());
}

TEST_F(SessionSlow, OneThatCameByItselfIsTold) {
  ask("PING a");

  EXPECT_THAT(slow(), ElementsAre("PING a"));
}

TEST_F(SessionSlow, EachInsideATransactionIsTimedByItself) {
  send(command("MULTI") + command("SET tag:a x") + command("GET tag:a"));
  send(command("PING a") + command("EXEC"));

  EXPECT_THAT(slow(), ElementsAre("PING a", "GET tag:a", "SET tag:a"));
}

}  // namespace
}  // namespace larder::test
