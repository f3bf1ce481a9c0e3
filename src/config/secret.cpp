#include "config/secret.hpp"

namespace larder {

std::string describe_url(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string{url};

  const std::size_t authority = scheme + 3;
  const std::string_view rest = url.substr(authority);
  // Up to the last '@', wherever it stands: a password may hold a '/' that its
  // owner forgot to escape, and showing too little is the safe side.
  const std::size_t at = rest.rfind('@');
  if (at == std::string_view::npos) return std::string{url};
  const std::string_view user = rest.substr(0, rest.substr(0, at).find(':'));
  return std::string{url.substr(0, authority)} + std::string{user.substr(0, at)} +
         std::string{rest.substr(at)};
}

}  // namespace larder
