#include "server/commands/client_name.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "server/session.hpp"

namespace larder::commands {

bool take_name(Session& session, std::string_view name) {
  if (std::ranges::any_of(name, [](char c) { return c < '!' || c > '~'; })) {
    session.error("ERR Client names cannot contain spaces, newlines or special characters.");
    return false;
  }
  if (name.size() > kLongestClientName) {
    session.error("ERR Client names have at most " + std::to_string(kLongestClientName) + " bytes");
    return false;
  }
  Introduction introduction = session.introduction();
  introduction.name = name;
  session.introduce(std::move(introduction));
  return true;
}

}  // namespace larder::commands
