#include "cli/access.hpp"

#include <utility>

#include "config/users.hpp"

namespace larder::cli {

namespace {

bool wants_tls(const Config& config) { return !config.tls.certificate.empty(); }

TlsFiles tls_files(const Config& config) {
  return {.certificate = config.tls.certificate,
          .key = config.tls.key,
          .client_ca = config.tls.client_ca};
}

}  // namespace

Result<Access> make_access(Runtime& runtime, const Config& config) {
  Access access;
  if (wants_tls(config)) {
    auto certificates = TlsCertificates::load(tls_files(config));
    if (!certificates) return std::unexpected{certificates.error()};
    access.certificates = *std::move(certificates);
  }
  access.authenticator = std::make_shared<Authenticator>(
      make_users(config),
      [&runtime](std::move_only_function<void()> work) { runtime.block(std::move(work)); });
  return access;
}

Result<void> reload_certificates(const Access& access, const Config& config) {
  if (!access.certificates) return {};
  return access.certificates->reload(tls_files(config));
}

}  // namespace larder::cli
