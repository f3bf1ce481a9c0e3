// What a client may call itself.
#pragma once

#include <cstddef>
#include <string_view>

namespace larder {
class Session;
}

namespace larder::commands {

inline constexpr std::size_t kLongestClientName = 256;  // bytes

// Takes `name` as the connection's; false after an error reply.
bool take_name(Session& session, std::string_view name);

}  // namespace larder::commands
