// One step on an item of a real Memcached, by a clock that the test moves.
#include "shared/item_step.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "larder/runtime.hpp"
#include "memcached/client_fixture.hpp"
#include "memcached/memcached_server.hpp"
#include "memcached/scripted_memcached.hpp"

namespace larder::shared {
namespace {

using namespace std::chrono_literals;
using test::MemcachedDiary;
using test::MemcachedServer;
using test::ScriptedMemcached;

// A clock for what asks nobody to call it back.
class StandingTimers final : public Timers {
 public:
  [[nodiscard]] TimePoint now() const override { return clock.now(); }
  std::unique_ptr<Timer> after(Duration /*delay*/,
                               std::move_only_function<void()> /*due*/) override {
    ADD_FAILURE() << "a step waits for nothing";
    return nullptr;
  }

  ManualClock clock;
};

// Others change the key all the time, and the server is slow: not for a timeout a command.
TEST(ItemStep, HasOneDeadline) {
  if (!MemcachedServer::installed()) GTEST_SKIP() << "memcached is not installed";
  const MemcachedServer real;
  const auto timers = std::make_shared<StandingTimers>();
  std::atomic<int> tries{0};
  const ScriptedMemcached busy{real, [&](std::string_view line) -> std::optional<std::string> {
                                 if (!line.starts_with("ms key ")) return std::nullopt;
                                 ++tries;
                                 timers->clock.advance(20ms);
                                 return "NS\r\n";
                               }};
  Runtime runtime{{.io_threads = 1}};
  const auto diary = std::make_shared<MemcachedDiary>();
  const auto client = memcached::Client::start(
      runtime,
      {.place = memcached::parse_memcached_url(busy.url()).value().servers.front(), .timeout = 5s},
      diary);
  std::promise<Result<Change::Kind>> ended;

  const auto refused = ItemStep::carry_out(
      client, {.connection = diary->session().number, .timers = timers, .patience = 100ms}, "key",
      [](const Item& /*item*/) { return take_lease(std::string(kTokenSize, 'm'), 3s); },
      [&](Result<Change::Kind> outcome) { ended.set_value(std::move(outcome)); });

  ASSERT_FALSE(refused);
  const Result<Change::Kind> outcome = ended.get_future().get();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::kTimeout);
  EXPECT_EQ(tries, 5) << "of 20 ms each";
  client->close();
}

}  // namespace
}  // namespace larder::shared
