// The loads of one source, bounded over four processes and one real Redis.
#include "shared/fleet_loads.hpp"

#include <deque>

#include "larder/load_gate.hpp"
#include "shared/process.hpp"

namespace larder::shared {
namespace {

// Who may load, in the order in which it was told.
class Loading {
 public:
  void add(LoadGate::Permit permit) {
    const MutexLock lock{mutex_};
    permits_.push_back(std::move(permit));
    news_.notify_all();
  }
  // Ends a load, when there is one; how many were under way with it.
  std::size_t end_one() {
    std::deque<LoadGate::Permit> ended;  // outside the lock: another may begin
    const MutexLock lock{mutex_};
    while (permits_.empty()) news_.wait(mutex_);
    const std::size_t under_way = permits_.size();
    ended.push_back(std::move(permits_.front()));
    permits_.pop_front();
    return under_way;
  }
  std::size_t wait_for(std::size_t count) {
    const MutexLock lock{mutex_};
    while (permits_.size() < count) news_.wait(mutex_);
    return permits_.size();
  }

 private:
  Mutex mutex_;
  Condition news_;
  std::deque<LoadGate::Permit> permits_ LARDER_GUARDED_BY(mutex_);
};

class FleetLoadsTest : public RedisTierTest {
 protected:
  static std::shared_ptr<LoadGate> gate(Process& process, unsigned loads,
                                        Duration longest_load = 60s) {
    return std::make_shared<LoadGate>(
        LoadLimits{}, process.tier().fleet_gate(
                          {.source = "shop", .loads = loads, .longest_load = longest_load}));
  }
  void begin(LoadGate& gate) {
    EXPECT_TRUE(gate.enter([this](LoadGate::Permit permit) { loading_.add(std::move(permit)); }));
  }
  std::int64_t permits() { return server_->ask({"ZCARD", "larder/shop/loads"}).integer; }

  Loading loading_;
};

TEST_F(FleetLoadsTest, FourProcessesNeverHaveMoreUnderWayThanTheirFleetMay) {
  std::vector<std::unique_ptr<Process>> processes;
  std::vector<std::shared_ptr<LoadGate>> gates;
  for (int i = 0; i < 4; ++i) {
    processes.push_back(std::make_unique<Process>(*server_));
    gates.push_back(gate(processes.back()->ready(), 3));
  }
  for (int load = 0; load < 40; ++load) begin(*gates[static_cast<std::size_t>(load) % 4]);

  EXPECT_EQ(loading_.wait_for(3), 3U);
  for (int load = 0; load < 40; ++load) EXPECT_LE(loading_.end_one(), 3U);

  while (permits() > 0) std::this_thread::yield();
}

TEST_F(FleetLoadsTest, ThePermitsOfAProcessThatDiesComeBack) {
  auto one = std::make_unique<Process>(*server_);
  Process other{*server_};
  begin(*gate(one->ready(), 1, 300ms));
  EXPECT_EQ(loading_.wait_for(1), 1U);
  one.reset();

  begin(*gate(other.ready(), 1, 300ms));

  EXPECT_EQ(loading_.wait_for(2), 2U) << "of which the first is nobody's";
}

TEST_F(FleetLoadsTest, WithoutTheTierTheProcesssOwnLimitHolds) {
  Process alone{"unix:///nowhere/redis.sock"};
  const auto own = gate(alone, 1);

  for (int load = 0; load < 3; ++load) begin(*own);

  EXPECT_EQ(loading_.wait_for(3), 3U);
}

TEST_F(FleetLoadsTest, WhoWaitsGoesOnWhenTheTierIsLost) {
  Process one{*server_};
  Process other{*server_, {.timeout = 100ms}};
  begin(*gate(one.ready(), 1));
  EXPECT_EQ(loading_.wait_for(1), 1U);
  const auto own = gate(other.ready(), 1);
  begin(*own);

  server_->kill();

  EXPECT_EQ(loading_.wait_for(2), 2U);
}

TEST_F(FleetLoadsTest, WhoWaitsAtTheEndIsLetGo) {
  Process one{*server_};
  Process other{*server_};
  begin(*gate(one.ready(), 1));
  EXPECT_EQ(loading_.wait_for(1), 1U);
  const auto own = gate(other.ready(), 1);
  begin(*own);

  other.tier().close();

  EXPECT_EQ(loading_.wait_for(2), 2U);
}

}  // namespace
}  // namespace larder::shared
