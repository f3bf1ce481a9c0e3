// Random commands for the differential test: all that larder has, right and wrong.
//
// Threads: confined to one.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "server/differential/peer.hpp"

namespace larder::test {

// A command and which of two clients sends it.
struct Step {
  int client;
  Words words;
};

class RandomCommands {
 public:
  explicit RandomCommands(std::uint64_t seed) : random_{seed} {}

  // Some steps that belong together: one command, or a transaction.
  std::vector<Step> next();

  // All the keys that commands name.
  static const std::vector<std::string>& keys();

 private:
  std::vector<Step> transaction();
  Words from(std::string_view text);
  void expand(std::string_view token, Words& words);
  void spoil(Words& words);
  std::string some_case(std::string_view word);

  std::string key() { return pick(keys()); }
  std::string value();
  std::string integer();
  std::string no_life();
  std::string number();
  std::string life(std::int64_t unit, bool since_1970);
  void options(Words& words, bool of_set);

  std::size_t below(std::size_t n) { return random_() % n; }
  bool once_in(std::size_t n) { return below(n) == 0; }
  template <class Range>
  std::string pick(const Range& range) {
    return std::string{range[below(std::size(range))]};
  }

  std::mt19937_64 random_;
};

}  // namespace larder::test
