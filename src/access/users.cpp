#include "access/users.hpp"

#include <cassert>
#include <functional>
#include <random>
#include <utility>

namespace larder {

std::shared_ptr<const Users> Users::open() {
  return of({User{std::string{kDefaultUser}, std::nullopt, Rights::all()}});
}

std::shared_ptr<const Users> Users::of(std::vector<User> users) {
  return std::shared_ptr<const Users>{new Users{std::move(users)}};
}

Users::Users(std::vector<User> users) : seed_{std::random_device{}()} {
  for (User& user : users) {
    assert(user.password || user.name == kDefaultUser);
    if (user.password) decoys_.push_back(PasswordHash::decoy(user.password->cost()));
    std::string name = user.name;
    [[maybe_unused]] const bool added = users_.emplace(std::move(name), std::move(user)).second;
    assert(added);
  }
  if (decoys_.empty()) decoys_.push_back(PasswordHash::decoy({}));
}

const User* Users::find(std::string_view name) const {
  const auto found = users_.find(name);
  return found == users_.end() ? nullptr : &found->second;
}

const User* Users::anonymous() const {
  const User* user = find(kDefaultUser);
  return user != nullptr && !user->password ? user : nullptr;
}

const PasswordHash& Users::decoy(std::string_view name) const {
  const std::size_t hash = std::hash<std::string_view>{}(name) ^ seed_;
  return decoys_[(hash ^ hash >> 29) % decoys_.size()];
}

}  // namespace larder
