// Slows down whoever guesses passwords: past a few failures from one address,
// each further attempt has to wait, twice as long each time.
//
// An attempt counts as failed when it begins and is forgiven when it proves right,
// so that many at once cannot all slip through. Success forgives that attempt
// alone: somebody with an account of their own gains no guesses at another's.
// While an address waits, right passwords are refused like wrong ones; otherwise
// the wait would tell them apart.
//
// Pure logic: no clock, no lock. Memory is bounded: of more addresses than fit,
// the one whose last attempt is longest ago is forgotten.
//
// Threads: none of its own; the owner guards it.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>

#include "larder/clock.hpp"

namespace larder {

struct AttemptLimits {
  // Behaviour.
  std::uint32_t free = 10;                        // failures before any wait
  Duration first_wait = std::chrono::seconds{1};  // after the next one; > 0
  Duration longest_wait = std::chrono::minutes{1};
  Duration forgive = std::chrono::minutes{10};  // without an attempt: all is forgotten
  std::size_t addresses = 16'384;               // remembered at a time; > 0
};

class AttemptLimiter {
 public:
  using Address = boost::asio::ip::address;

  explicit AttemptLimiter(AttemptLimits limits = {}) : limits_{limits} {}

  // How long the next attempt from `address` has to wait; zero: it may begin. Of IPv6
  // addresses the first 64 bits count, which one household has. O(1).
  [[nodiscard]] Duration wait(const Address& address, TimePoint now) const;
  // An attempt begins, and counts as failed. REQUIRES: it need not wait.
  void begin(const Address& address, TimePoint now);
  // An attempt that began proved right.
  void forgive(const Address& address);

  // Addresses that are remembered.
  [[nodiscard]] std::size_t size() const { return records_.size(); }

 private:
  struct Record {
    std::uint64_t address;
    std::uint32_t failures = 0;
    TimePoint last{};        // attempt that began
    TimePoint not_before{};  // of the next one
  };

  [[nodiscard]] Record& record_of(std::uint64_t address, TimePoint now);
  [[nodiscard]] Duration wait_after(std::uint32_t failures) const;

  AttemptLimits limits_;
  std::list<Record> records_;  // the latest attempt first
  std::unordered_map<std::uint64_t, std::list<Record>::iterator> by_address_;
};

}  // namespace larder
