#include "admin/admin_guard.hpp"

#include <openssl/evp.h>

#include <algorithm>

#include "base/ascii_case.hpp"

namespace larder {

namespace {

bool starts_with_name(std::string_view text, std::string_view name) {
  return text.size() >= name.size() && same_but_case(text.substr(0, name.size()), name);
}

// "[::1]:9380" → "::1", "localhost:9380" → "localhost".
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.rfind(':'));
}

}  // namespace

std::optional<std::pair<std::string, std::string>> basic_credentials(
    std::string_view authorization) {
  constexpr std::string_view kScheme = "Basic ";
  constexpr std::size_t kMost = 4096;  // bytes of base64
  if (!starts_with_name(authorization, kScheme)) return std::nullopt;
  const std::string_view text = authorization.substr(kScheme.size());
  if (text.empty() || text.size() > kMost || text.size() % 4 != 0) return std::nullopt;

  std::string plain(text.size(), '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(plain.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  const auto padding =
      static_cast<std::size_t>(std::ranges::count(text.substr(text.size() - 2), '='));
  plain.resize(static_cast<std::size_t>(size) - padding);
  const std::size_t colon = plain.find(':');
  if (colon == std::string::npos) return std::nullopt;
  return std::pair{plain.substr(0, colon), plain.substr(colon + 1)};
}

bool AdminGuard::takes_host(std::string_view host) const {
  if (host.empty()) return true;  // HTTP/1.0; browsers always send one
  const std::string_view name = without_port(host);
  if (same_but_case(name, "localhost")) return true;
  boost::system::error_code error;
  boost::asio::ip::make_address(name, error);
  if (!error) return true;
  return std::ranges::any_of(hosts_,
                             [&](const std::string& each) { return same_but_case(each, name); });
}

bool AdminGuard::asks(std::string_view path) const {
  return path != "/health" && authenticator_ && authenticator_->users()->anonymous() == nullptr;
}

void AdminGuard::let_in(std::string_view authorization, const boost::asio::ip::address& client,
                        Authenticator::Done done) const {
  const auto credentials = basic_credentials(authorization);
  if (!credentials) return done({.outcome = Login::Outcome::kRejected});
  authenticator_->log_in(credentials->first, credentials->second, client, clock_.now(),
                         std::move(done));
}

}  // namespace larder
