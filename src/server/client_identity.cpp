#include "server/client_identity.hpp"

#include <utility>

namespace larder {

ClientIdentity::ClientIdentity(const Authenticator& authenticator) : authenticator_{authenticator} {
  begin();
}

void ClientIdentity::begin() {
  version_ = authenticator_.version();  // first: users that come meanwhile are looked at again
  const auto users = authenticator_.users();
  set({users, users->anonymous()}, /*logged_in=*/false);
}

void ClientIdentity::become(std::shared_ptr<const User> user) {
  set(std::move(user), /*logged_in=*/true);
  version_ = 0;  // the users may have been replaced while the password was checked
}

bool ClientIdentity::look_again() {
  if (!logged_in_) {
    begin();
    return true;
  }
  version_ = authenticator_.version();
  const auto users = authenticator_.users();
  const User* now = users->find(user_->name);
  if (now != nullptr && now->password == user_->password) {
    set({users, now}, /*logged_in=*/true);
    return true;
  }
  set(nullptr, /*logged_in=*/false);
  return false;
}

void ClientIdentity::set(std::shared_ptr<const User> user, bool logged_in) {
  ++changes_;
  user_ = std::move(user);
  logged_in_ = logged_in;
  introduced_ = introduced_ || user_ != nullptr;
  unlimited_ = user_ != nullptr && user_->rights.unlimited();
}

std::optional<std::string> ClientIdentity::objection(const Command& command, Arguments words,
                                                     const KeyspaceView& keys) const {
  if ((command.flags & kNoAuth) != 0) return std::nullopt;
  if (user_ == nullptr) return "NOAUTH Authentication required.";
  if ((command.flags & (kReads | kWrites | kAdmin)) == 0) return std::nullopt;
  if (command.keys.first == 0 && !may_everywhere(command)) return no_permission(command.name);

  bool allowed = true;
  command.each_key(words, [&](std::string_view key) {
    const auto member = keys.route(key);
    allowed = allowed && (!member || may_on(command, (*member)->cache->name()));
  });
  if (allowed) return std::nullopt;
  return "NOPERM this user has no permissions to access one of the keys used as arguments";
}

bool ClientIdentity::may_everywhere(const Command& command) const {
  const bool only_reads = (command.flags & (kReads | kWrites | kAdmin)) == kReads;
  return user_->rights.allow_everywhere(only_reads ? Right::kRead : Right::kAdmin);
}

bool ClientIdentity::may_on(const Command& command, std::string_view cache) const {
  const auto needs = [&](std::uint32_t flags, Right right) {
    return (command.flags & flags) == 0 || user_->rights.allow(right, cache);
  };
  return needs(kReads | kTells, Right::kRead) && needs(kWrites, Right::kWrite) &&
         needs(kAdmin, Right::kAdmin);
}

std::string no_permission(std::string_view command) {
  return "NOPERM this user has no permissions to run the '" + std::string{command} + "' command";
}

}  // namespace larder
