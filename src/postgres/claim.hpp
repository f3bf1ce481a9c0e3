// A lock of the database's own, which one session in it has at a time: to do alone what must
// not be done by two.
//
// It ends with its session. Then a thread of its own connects anew and asks for it again, until
// it has it; meanwhile held() is false.
//
// Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "postgres/target.hpp"

namespace larder {

class PostgresClaim {
 public:
  // Told, on its own thread, that it is lost, with the reason, and, null, that it is held again.
  using Report = std::function<void(const Error* lost)>;

  // Takes the lock named `key` in the database. Blocks: while another has it, for `patience`,
  // then that is kRefused; and then while what sessions of this name and role do that they began
  // before goes on, for some seconds at most: whoever had the lock may have died and left it.
  // Errors of connecting are kSourceFailed. `waits` is called when it is another's, before it is
  // waited for.
  [[nodiscard]] static Result<std::unique_ptr<PostgresClaim>> take(
      PostgresTarget target, std::int64_t key, Duration patience, Report report,
      const std::function<void()>& waits = [] {});
  // Not held yet: it is taken when the database can be reached and nobody else has it. Told of
  // either.
  [[nodiscard]] static std::unique_ptr<PostgresClaim> take_later(PostgresTarget target,
                                                                 std::int64_t key, Report report);
  // Lets go. Blocks for a moment: as long as it takes to connect, at most.
  ~PostgresClaim();
  PostgresClaim(const PostgresClaim&) = delete;
  PostgresClaim& operator=(const PostgresClaim&) = delete;

  [[nodiscard]] bool held() const { return held_; }

 private:
  PostgresClaim(PostgresTarget target, std::int64_t key, PostgresSession session, Report report);
  [[nodiscard]] static Result<PostgresSession> lock(const PostgresTarget& target, std::int64_t key,
                                                    int stop);
  void watch();
  // Waits until the session ends, or for a second where there is none; false: to stop.
  [[nodiscard]] bool wait_for_change();

  const PostgresTarget target_;
  const std::int64_t key_;
  const Report report_;
  PostgresSession session_;       // null: lost; of the thread
  bool told_of_another_ = false;  // likewise: since it was lost
  int stop_;                      // an eventfd
  std::atomic<bool> held_;
  std::thread thread_;
};

}  // namespace larder
