// What is kept of a password: enough to recognise it, too little to know it.
//
// scrypt (C. Percival, 2009; RFC 7914) makes each guess cost memory and time.
// The text form is the one that passlib writes and others read:
//
//   $scrypt$ln=14,r=8,p=1$SALT$HASH      salt and hash in base64, without '='
//
// `ln` is the binary logarithm of N. The default costs 16 MiB and some 40 ms.
//
// Threads: immutable. of() and verify() COMPUTE FOR TENS OF MILLISECONDS: call them
// on a thread that may wait (Runtime::block), never on an I/O thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "larder/error.hpp"
#include "larder/units.hpp"

namespace larder {

// What one computation costs: memory 128 × block × 2^log_rounds bytes, and time in
// proportion to that and to lanes.
struct PasswordCost {
  unsigned log_rounds = 14;  // ln
  unsigned block = 8;        // r
  unsigned lanes = 1;        // p

  [[nodiscard]] ByteCount memory() const { return {(std::uint64_t{128} * block) << log_rounds}; }
  friend bool operator==(const PasswordCost&, const PasswordCost&) = default;
};

class PasswordHash {
 public:
  // Longer ones are never right: hashing them must stay cheap beside scrypt.
  static constexpr std::size_t kLongestPassword = 1024;
  // Of a hash that parse() takes; a hostile file cannot make a login cost more.
  static constexpr ByteCount kMostMemory{64ULL << 20};

  // Reads the text form. Errors are half sentences that follow the name of what
  // holds the text, and never repeat it: it may be a password by mistake.
  [[nodiscard]] static Result<PasswordHash> parse(std::string_view text);
  // Of a new password, with a random salt. Fails when memory or the system's
  // random numbers fail, and for a password that is empty or too long.
  // REQUIRES: parse() would take the cost.
  [[nodiscard]] static Result<PasswordHash> of(std::string_view password, PasswordCost cost = {});
  // Fits no password that anybody could find, and takes as long as any of that cost
  // to say so.
  [[nodiscard]] static PasswordHash decoy(PasswordCost cost);

  // Whether `password` is the one. Takes the same time whatever the difference.
  // Fails only for lack of memory.
  [[nodiscard]] Result<bool> verify(std::string_view password) const;

  [[nodiscard]] std::string text() const;
  [[nodiscard]] PasswordCost cost() const { return cost_; }

  friend bool operator==(const PasswordHash&, const PasswordHash&) = default;

 private:
  using Hash = std::array<unsigned char, 32>;

  PasswordHash(PasswordCost cost, std::string salt) : cost_{cost}, salt_{std::move(salt)} {}
  [[nodiscard]] Result<Hash> compute(std::string_view password) const;

  PasswordCost cost_;
  std::string salt_;
  Hash hash_{};
};

}  // namespace larder
