// What MULTI and WATCH keep for one client: commands that wait for EXEC, and how
// the watched keys were.
//
// A watched key is remembered by when its value was stored, what it was and when
// it expires; EXEC looks whether that is still so. Nobody who writes needs to
// know who watches. docs/decisions/transactions.md.
//
// Threads: confined to its session's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/clock.hpp"
#include "larder/entry.hpp"
#include "server/command.hpp"

namespace larder {

// How a key was at one time.
struct KeyState {
  TimePoint filled_at{};
  TimePoint expires_at{};
  std::uint64_t value = 0;  // its hash

  static KeyState of(std::string_view value, const EntryInfo& info);
  friend bool operator==(const KeyState&, const KeyState&) = default;
};

class Watches {
 public:
  // By key; no state: there was no value.
  using States = std::map<std::string, std::optional<KeyState>, std::less<>>;

  // Remembers the first state of each key that is added. False: nothing was, for it
  // would have been more than `most` bytes.
  [[nodiscard]] bool add(std::string_view key, std::optional<KeyState> state, std::size_t most);
  [[nodiscard]] const States& all() const { return watched_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  void clear() {
    watched_.clear();
    bytes_ = 0;
  }

 private:
  States watched_;
  std::size_t bytes_ = 0;
};

class Transaction {
 public:
  struct Queued {
    const Command* command;
    std::vector<std::string> words;
  };

  // `caches`: the keyspace's table that the commands are checked against.
  explicit Transaction(std::uint64_t caches) : caches_{caches} {}

  [[nodiscard]] std::uint64_t caches() const { return caches_; }

  // False, and the transaction can no more be carried out: it would hold more
  // than `most` bytes.
  bool queue(const Command& command, Arguments words, std::size_t most);
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // A command was refused: EXEC will carry out nothing.
  void spoil() { spoiled_ = true; }
  [[nodiscard]] bool spoiled() const { return spoiled_; }
  [[nodiscard]] const std::vector<Queued>& queued() const { return queued_; }

 private:
  std::uint64_t caches_;
  std::vector<Queued> queued_;
  std::size_t bytes_ = 0;
  bool spoiled_ = false;
};

}  // namespace larder
