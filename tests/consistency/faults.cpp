#include "consistency/faults.hpp"

#include <sys/wait.h>

#include <array>
#include <chrono>
#include <csignal>
#include <string_view>
#include <thread>

namespace larder::consistency {

namespace {

using namespace std::chrono_literals;

constexpr auto kUntilAWrite = 500ms;  // so long a step is waited for

constexpr std::array<std::pair<Step, std::string_view>, 4> kSteps{{
    {Step::kBegun, "before the mark"},
    {Step::kMarked, "between mark and commit"},
    {Step::kCommitted, "between commit and finish"},
    {Step::kAnswered, "behind the finish"},
}};

}  // namespace

void Faults::inject() {
  if (through_ && random_() % 2 == 0) return at_a_step(random_() % 2 == 0);
  switch (random_() % (cluster_ != nullptr ? 11 : 9)) {
    case 0: return restart_server(false);
    case 1: return restart_server(true);
    case 2: return stop_server();
    case 3: return cut_connections();
    case 4: return stop_process();
    case 5: return kill_process();
    case 6: return cut_off(false);
    case 7: return cut_off(true);
    case 8: return slow_down();
    case 9: return fail_over();
    default: return hand_over();
  }
}

void Faults::last(unsigned least, unsigned most) {
  std::this_thread::sleep_for(std::chrono::milliseconds{least + random_() % (most - least)});
}

// With the past: it comes back with what it had some time before, deleted keys among them.
void Faults::restart_server(bool with_the_past) {
  Server& server = any_server();
  with_the_past = with_the_past && server.save;
  ++counts_[with_the_past ? "server restarted with an old RDB file" : "server killed, restarted"];
  if (with_the_past) {
    server.save();
    last(100, 300);
  }
  server.kill();
  last(50, 500);
  server.start();
}

void Faults::stop_server() {
  Server& server = any_server();
  ++counts_["server stopped (SIGSTOP)"];
  server.pause();
  last(50, 800);
  server.resume();
}

void Faults::cut_connections() {
  ++counts_["connections cut"];
  any_server().cut();
}

void Faults::stop_process() {
  ++counts_["process stopped (SIGSTOP)"];
  const pid_t process = any_seat().process;
  ::kill(process, SIGSTOP);
  last(100, 2000);
  ::kill(process, SIGCONT);
}

void Faults::kill_process() {
  ++counts_["process killed (SIGKILL)"];
  kill(any_seat());
}

void Faults::kill(Seat& seat) {
  board_.process_killed(seat.number);
  ::kill(seat.process, SIGKILL);
  ::waitpid(seat.process, nullptr, 0);
  start_(seat);
}

// A write that has come to the step, and no further, is stopped or killed with its process.
void Faults::at_a_step(bool kill_it) {
  Seat& seat = any_seat();
  const auto& [step, where] = kSteps[random_() % kSteps.size()];
  board_.hold_at(step, seat.number);
  const TimePoint deadline = std::chrono::steady_clock::now() + kUntilAWrite;
  while (!board_.holds(seat.number) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(1ms);
  }
  const bool there = board_.holds(seat.number);
  if (there) ++counts_[std::string{kill_it ? "killed " : "stopped "}.append(where)];
  if (there && kill_it) {
    kill(seat);
  } else if (there) {
    ::kill(seat.process, SIGSTOP);
    last(100, 1500);
    ::kill(seat.process, SIGCONT);
  }
  board_.hold_at(Step::kNone, seat.number);
}

Faults::Cut Faults::any_network() {
  if (cluster_ == nullptr) {
    const auto& networks = any_seat().networks;
    return {.whom = "process", .network = networks[random_() % networks.size()].get()};
  }
  return {.whom = "node", .network = cluster_->network(random_() % cluster_->size()).clients.get()};
}

// What it sends, or what it is sent, or both, comes late or not at all.
void Faults::cut_off(bool one_way) {
  using Direction = test::FaultProxy::Direction;
  const Cut cut = any_network();
  test::FaultProxy& network = *cut.network;
  const bool to_server = !one_way || random_() % 2 == 0;
  ++counts_[cut.whom + (!one_way    ? " cut off"
                        : to_server ? " cut off, one way: to the server"
                                    : " cut off, one way: from the server")];
  if (to_server) network.hold(Direction::kToServer);
  if (!one_way || !to_server) network.hold(Direction::kToProgram);
  last(100, 1500);
  if (random_() % 2 == 0) network.cut();
  network.let_go();
}

void Faults::slow_down() {
  using Direction = test::FaultProxy::Direction;
  const Cut cut = any_network();
  ++counts_["network of a " + cut.whom + " slow"];
  test::FaultProxy& network = *cut.network;
  network.delay(Direction::kToServer, std::chrono::milliseconds{random_() % 60});
  network.delay(Direction::kToProgram, std::chrono::milliseconds{random_() % 60});
  last(300, 1000);
  network.let_go();
}

// A master is cut off from all others until one of its replicas has taken its place, or not. It
// may hear of that itself, since what it sends to the others arrives.
void Faults::fail_over() {
  using Direction = test::FaultProxy::Direction;
  auto& [clients, bus] = cluster_->network(random_() % cluster_->size());
  ++counts_["node cut off from clients and nodes, for a failover"];
  for (test::FaultProxy* const each : {clients.get(), bus.get()}) {
    each->hold(Direction::kToServer);
    each->hold(Direction::kToProgram);
  }
  last(1500, 3500);
  for (test::FaultProxy* const each : {clients.get(), bus.get()}) {
    if (random_() % 2 == 0) each->cut();
    each->let_go();
  }
}

// A replica is told to take its master's place; a master refuses.
void Faults::hand_over() {
  ++counts_["failover asked for"];
  cluster_->node(random_() % cluster_->size()).ask({"CLUSTER", "FAILOVER"});
  last(100, 500);
}

}  // namespace larder::consistency
