// Who may use a server, and what each may do: the set that a configuration gives.
//
// A connection begins as the user `default`, if that user has no password, and
// otherwise as nobody. As soon as a password or a user is configured, nobody is
// let in without: a `default` without a password must then be asked for by name.
//
// Threads: immutable; held by shared_ptr, since a reload brings another set while
// connections still use this one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/password_hash.hpp"
#include "access/rights.hpp"

namespace larder {

inline constexpr std::string_view kDefaultUser = "default";

struct User {
  std::string name;
  std::optional<PasswordHash> password;  // none: any password will do
  Rights rights;

  friend bool operator==(const User&, const User&) = default;
};

class Users {
 public:
  // One user, `default`, who needs no password and may do everything: a server
  // that only its own machine reaches.
  [[nodiscard]] static std::shared_ptr<const Users> open();
  // REQUIRES: the names differ; only `default` may lack a password.
  [[nodiscard]] static std::shared_ptr<const Users> of(std::vector<User> users);

  // Null: there is none of that name. Lives as long as the set.
  [[nodiscard]] const User* find(std::string_view name) const;
  // Who a connection is before it says so; null: nobody.
  [[nodiscard]] const User* anonymous() const;

  // What a password is compared with when `name` is nobody: takes as long as a
  // user's own, so that time does not tell who exists. Always the same for one name.
  [[nodiscard]] const PasswordHash& decoy(std::string_view name) const;

  // How many there are.
  [[nodiscard]] std::size_t size() const { return users_.size(); }

 private:
  explicit Users(std::vector<User> users);

  std::map<std::string, User, std::less<>> users_;
  std::vector<PasswordHash> decoys_;  // one for each user's password; never empty
  std::size_t seed_;                  // of the choice of a decoy, so that it cannot be foreseen
};

}  // namespace larder
