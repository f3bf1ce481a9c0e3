// Who may connect: how many connections an address has open, and how fast it, and all
// addresses together, open them.
//
// Whoever is let in holds a Seat, and gives it back by letting go of it.
//
// IPv6 addresses count by their first 64 bits, which one household has. Clients of a
// Unix socket have no address, and these limits are not for them: whoever may open the
// file is let in.
//
// The rate is a token bucket that holds a second's worth (as GCRA: the time at which
// the next connection is due, rather than tokens and a timer).
//
// Memory: one record for each address that has a connection open, or opened one
// within the last second.
//
// Threads: any.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "larder/clock.hpp"
#include "larder/thread_annotations.hpp"

namespace larder {

struct AdmissionLimits {
  unsigned clients_per_address = 0;  // open at a time; 0: as many as there may be in all
  unsigned connection_rate = 0;      // of one address, a second; 0: any
  unsigned total_rate = 0;           // of all together
};

class Admission : public std::enable_shared_from_this<Admission> {
 public:
  enum class Verdict : std::uint8_t { kLetIn, kTooMany, kTooFast, kAllTooFast };

  // A connection's place among those of its address.
  class Seat {
   public:
    Seat() = default;
    Seat(Seat&& other) noexcept : admission_{std::move(other.admission_)}, place_{other.place_} {}
    Seat& operator=(Seat&&) = delete;
    ~Seat() {
      if (admission_) admission_->leave(place_);
    }

   private:
    friend class Admission;
    Seat(std::shared_ptr<Admission> admission, std::uint64_t place)
        : admission_{std::move(admission)}, place_{place} {}

    std::shared_ptr<Admission> admission_;  // null: none was taken
    std::uint64_t place_ = 0;
  };
  struct Answer {
    Verdict verdict;
    Seat seat;  // of who is let in
  };

  // Held by shared_ptr, for the seats.
  explicit Admission(AdmissionLimits limits) : limits_{limits} {}

  // Those that are let in from now on are held to these; who is in stays.
  void set_limits(AdmissionLimits limits) LARDER_EXCLUDES(mutex_);

  // May somebody from `address` connect at `now`? One who is turned away counts against
  // no rate, so that who is too fast takes nobody else's turn. O(1), amortised.
  [[nodiscard]] Answer ask(const boost::asio::ip::address& address, TimePoint now)
      LARDER_EXCLUDES(mutex_);

  // Addresses that are remembered.
  [[nodiscard]] std::size_t remembered() const LARDER_EXCLUDES(mutex_);

 private:
  // A token bucket: when the next connection would be in step with a rate.
  struct Pace {
    // 0: any rate.
    [[nodiscard]] bool allows(unsigned rate, TimePoint now) const;
    void count(unsigned rate, TimePoint now);

    TimePoint due{};
  };
  struct Record {
    std::size_t open = 0;
    Pace pace{};
  };

  void leave(std::uint64_t place) LARDER_EXCLUDES(mutex_);
  void forget_idle(TimePoint now) LARDER_REQUIRES(mutex_);

  mutable Mutex mutex_;
  AdmissionLimits limits_ LARDER_GUARDED_BY(mutex_);
  std::unordered_map<std::uint64_t, Record> records_ LARDER_GUARDED_BY(mutex_);  // by place
  Pace all_ LARDER_GUARDED_BY(mutex_);
  std::size_t tidy_at_ LARDER_GUARDED_BY(mutex_) = 1024;  // as many records
};

}  // namespace larder
