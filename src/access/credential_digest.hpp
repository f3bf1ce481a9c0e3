// Recognises a user and password seen before, within one process, in a
// microsecond: a keyed digest (HMAC-SHA-256) of both.
//
// The key is random and never leaves the object, so a digest says nothing to
// anybody who does not already read this process's memory.
//
// Threads: immutable; any.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace larder {

class CredentialDigester {
 public:
  using Digest = std::array<unsigned char, 32>;

  // Throws Failure when the system gives no random numbers.
  CredentialDigester();
  ~CredentialDigester();
  CredentialDigester(const CredentialDigester&) = delete;
  CredentialDigester& operator=(const CredentialDigester&) = delete;

  // Of a user, the password that was given, and the hash it is to be compared with.
  // Differs when any of them does.
  [[nodiscard]] Digest digest(std::string_view user, std::string_view password,
                              std::string_view hash) const;

 private:
  std::array<unsigned char, 32> key_;
};

// In constant time.
[[nodiscard]] bool same_digest(const CredentialDigester::Digest& a,
                               const CredentialDigester::Digest& b);

}  // namespace larder
