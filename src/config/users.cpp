#include "config/users.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace larder {

namespace {

std::optional<PasswordHash> hash_of(const Secret& secret) {
  if (secret.empty()) return std::nullopt;
  return PasswordHash::parse(secret.reveal()).value();
}

Rights rights_of(const UserConfig& user) {
  std::vector<Grant> grants;
  for (const std::string& text : user.rights) grants.push_back(Grant::parse(text).value());
  return Rights{grants};
}

}  // namespace

std::shared_ptr<const Users> make_users(const Config& config) {
  const auto& password = config.server.password;
  if (password.empty() && config.users.empty()) return Users::open();
  std::vector<User> users;
  if (!password.empty()) {
    users.push_back({std::string{kDefaultUser}, hash_of(password), Rights::all()});
  }
  for (const UserConfig& user : config.users) {
    users.push_back({user.name, hash_of(user.password), rights_of(user)});
  }
  return Users::of(std::move(users));
}

}  // namespace larder
