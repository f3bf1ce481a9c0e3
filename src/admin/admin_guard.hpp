// Who may see the admin pages.
//
// Two attacks are kept out. A web page that a person on this machine looks at can
// send requests here, under a name of its own (DNS rebinding): so the Host of a
// request must be localhost, an IP address, or a name that the configuration lists.
// And whoever reaches the door is asked for a user and a password (HTTP's Basic), as
// soon as the RESP door asks for them. /health alone is open, for load balancers.
//
// Threads: any.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/authenticator.hpp"
#include "larder/clock.hpp"

namespace larder {

// The user and password in an Authorization header; nullopt: none, or damaged.
[[nodiscard]] std::optional<std::pair<std::string, std::string>> basic_credentials(
    std::string_view authorization);

class AdminGuard {
 public:
  // `hosts`, in any case, beside localhost and IP addresses. Null `authenticator`: nobody
  // is asked for a password.
  explicit AdminGuard(std::vector<std::string> hosts = {},
                      std::shared_ptr<Authenticator> authenticator = nullptr,
                      const Clock& clock = steady_clock())
      : hosts_{std::move(hosts)}, authenticator_{std::move(authenticator)}, clock_{clock} {}

  // Whether a request may carry that Host ("localhost:9380"; empty: it had none).
  [[nodiscard]] bool takes_host(std::string_view host) const;

  // Whether a page needs a password.
  [[nodiscard]] bool asks(std::string_view path) const;
  // Checks an Authorization header. Calls `done` once, at once or on a blocking thread.
  void let_in(std::string_view authorization, const boost::asio::ip::address& client,
              Authenticator::Done done) const;

 private:
  std::vector<std::string> hosts_;
  std::shared_ptr<Authenticator> authenticator_;
  const Clock& clock_;
};

}  // namespace larder
