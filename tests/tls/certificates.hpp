// Certificates made for one test run.
#pragma once

#include <chrono>
#include <string>

namespace larder::test {

// Both in PEM.
struct Certificate {
  std::string certificate;
  std::string key;
};

// A root that signs itself, with a new EC key.
[[nodiscard]] Certificate make_authority(const std::string& name);
// Signed by `authority`, for localhost and 127.0.0.1, with a new EC key.
[[nodiscard]] Certificate issue(const Certificate& authority, const std::string& name,
                                std::chrono::seconds lives = std::chrono::hours{1});

// The same key, under a passphrase.
[[nodiscard]] std::string with_passphrase(const std::string& key);

}  // namespace larder::test
