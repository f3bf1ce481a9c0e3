// Who may connect to `larder serve`, and how: users and certificates, from the
// configuration.
//
// Threads: functions block while they read files; not on an I/O thread.
#pragma once

#include <memory>

#include "access/authenticator.hpp"
#include "config/config.hpp"
#include "larder/error.hpp"
#include "larder/runtime.hpp"
#include "tls/tls_context.hpp"

namespace larder::cli {

struct Access {
  std::shared_ptr<Authenticator> authenticator;
  std::shared_ptr<TlsCertificates> certificates;  // null: no TLS
};

// The runtime outlives what it returns. An error names the file that is wrong.
[[nodiscard]] Result<Access> make_access(Runtime& runtime, const Config& config);

// Reads the certificates anew, if there are any; connections keep those they began with.
// An error changes nothing. REQUIRES: TLS neither came nor went.
[[nodiscard]] Result<void> reload_certificates(const Access& access, const Config& config);

}  // namespace larder::cli
