// Who a client is, and so what it may do.
//
// A connection begins as the user `default`, if that user has no password, or else
// as nobody, until it logs in. When the users are replaced, rights change at once;
// who is no user any more, or has another password now, is nobody again.
//
// Logic without I/O. Threads: confined to its session's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "access/authenticator.hpp"
#include "cache/keyspace.hpp"
#include "server/command.hpp"

namespace larder {

class ClientIdentity {
 public:
  // The authenticator outlives it.
  explicit ClientIdentity(const Authenticator& authenticator);

  // As a new connection begins.
  void begin();
  // The client proved to be `user`.
  void become(std::shared_ptr<const User> user);
  // Takes notice of users that were replaced; cheap when they were not. False: the
  // client had logged in, and is nobody now.
  [[nodiscard]] bool refresh() { return version_ == authenticator_.version() || look_again(); }

  // Null: nobody.
  [[nodiscard]] const User* user() const { return user_.get(); }
  // Whether it is somebody, or was once.
  [[nodiscard]] bool introduced() const { return introduced_; }
  // Whether nothing is forbidden: the one question on the path of every command.
  [[nodiscard]] bool unlimited() const { return unlimited_; }
  // Whether it may do what concerns the server itself, and other clients.
  [[nodiscard]] bool administers() const {
    return user_ != nullptr && user_->rights.allow_everywhere(Right::kAdmin);
  }
  // Another number after each change of who it is.
  [[nodiscard]] unsigned changes() const { return changes_; }
  [[nodiscard]] bool may(Right right, std::string_view cache) const {
    return user_ != nullptr && user_->rights.allow(right, cache);
  }

  // What stands against a command, as the error reply that Redis gives; nullopt when
  // nothing does. What concerns no key concerns all caches: reading them needs
  // read:*, anything else admin:*. Keys that belong to no cache are left to the command.
  [[nodiscard]] std::optional<std::string> objection(const Command& command, Arguments words,
                                                     const KeyspaceView& keys) const;

 private:
  [[nodiscard]] bool look_again();
  void set(std::shared_ptr<const User> user, bool logged_in);
  [[nodiscard]] bool may_everywhere(const Command& command) const;
  [[nodiscard]] bool may_on(const Command& command, std::string_view cache) const;

  const Authenticator& authenticator_;
  std::shared_ptr<const User> user_;
  std::uint64_t version_ = 0;  // of the users that user_ is one of
  bool logged_in_ = false;     // rather than anonymous
  bool introduced_ = false;
  bool unlimited_ = false;
  unsigned changes_ = 0;
};

// What Redis answers to a command of somebody who may not run it.
[[nodiscard]] std::string no_permission(std::string_view command);

}  // namespace larder
