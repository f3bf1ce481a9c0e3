#include "consistency/faults.hpp"

#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <exception>
#include <thread>

namespace larder::consistency {

void Faults::inject() {
  switch (random_() % 6) {
    case 0: return restart_server(false);
    case 1: return restart_server(true);
    case 2: return stop_server();
    case 3: return cut_connections();
    case 4: return stop_process();
    default: return kill_process();
  }
}

void Faults::last(unsigned least, unsigned most) {
  std::this_thread::sleep_for(std::chrono::milliseconds{least + random_() % (most - least)});
}

// With the past: it comes back with what it had some time before, deleted keys among them.
void Faults::restart_server(bool with_the_past) {
  test::RedisServer& server = any_server();
  ++counts_[with_the_past ? "server restarted with an old RDB file" : "server killed, restarted"];
  if (with_the_past) {
    server.ask({"SAVE"});
    last(100, 300);
  }
  server.kill();
  last(50, 500);
  server.start();
}

void Faults::stop_server() {
  test::RedisServer& server = any_server();
  ++counts_["server stopped (SIGSTOP)"];
  server.pause();
  last(50, 800);
  server.resume();
}

void Faults::cut_connections() {
  ++counts_["connections cut"];
  any_server().ask({"CLIENT", "KILL", "TYPE", "normal"});
  any_server().ask({"CLIENT", "KILL", "TYPE", "pubsub"});
}

void Faults::stop_process() {
  ++counts_["process stopped (SIGSTOP)"];
  const pid_t process = processes_[random_() % processes_.size()];
  ::kill(process, SIGSTOP);
  last(100, 1000);
  ::kill(process, SIGCONT);
}

void Faults::kill_process() {
  ++counts_["process killed (SIGKILL)"];
  const std::size_t index = random_() % processes_.size();
  pid_t& process = processes_[index];
  doomed_(index);
  ::kill(process, SIGKILL);
  ::waitpid(process, nullptr, 0);
  process = fork_(index);
}

}  // namespace larder::consistency
