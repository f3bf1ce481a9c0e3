// The real `larder serve`, as a process of its own, on ports that it chose.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace larder::test {

class RunningLarder {
 public:
  // Writes `config` to a file in `directory` with a [server] section in front that
  // listens on free ports of 127.0.0.1, or on `port`, and has `server_settings`;
  // returns once it serves. Throws std::runtime_error with what it said if it does not.
  RunningLarder(const std::string& directory, const std::string& config,
                const std::string& server_settings = "", std::uint16_t port = 0);
  // Kills it, unless wait() saw it end.
  ~RunningLarder();
  RunningLarder(const RunningLarder&) = delete;
  RunningLarder& operator=(const RunningLarder&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::uint16_t admin_port() const { return admin_port_; }
  [[nodiscard]] pid_t pid() const { return pid_; }

  void signal(int number) const;
  // Stops it; returns once it has stopped, since the signal alone leaves it time for an answer.
  void pause() const;
  void resume() const;
  // Waits for its end: its exit code, or 128 + the signal that ended it.
  int wait();
  // Waits until it has written `text` to standard error; false: it ended without.
  bool says(const std::string& text);
  // What it has written to standard error. Call it after wait().
  [[nodiscard]] const std::string& log() const { return log_; }

  // The most memory that it ever had resident, in bytes.
  [[nodiscard]] std::uint64_t peak_memory() const;
  // The body of a page of its admin port; the status and headers before it.
  [[nodiscard]] std::string page(const std::string& path) const;
  // The value of a line of /metrics, by its name with labels.
  [[nodiscard]] double metric(const std::string& name) const;
  // Waits until nothing is pending of a cache that writes behind: all is in its source, or is
  // refused. False: not within a minute.
  [[nodiscard]] bool flushed(const std::string& cache) const;

 private:
  void read_until_served();
  void end();

  pid_t pid_ = -1;
  int standard_error_ = -1;
  std::string log_;  // guarded by mutex_ while reader_ runs
  bool ended_ = false;
  std::mutex mutex_;
  std::condition_variable more_;
  std::thread reader_;  // of standard error, so that the process never waits for us
  std::uint16_t port_ = 0;
  std::uint16_t admin_port_ = 0;
};

}  // namespace larder::test
