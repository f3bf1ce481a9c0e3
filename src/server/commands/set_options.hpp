// The options of SET and GETEX.
//
// Threads: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "server/command.hpp"
#include "server/commands/lifetime.hpp"

namespace larder::commands {

struct SetOptions {
  enum class If : std::uint8_t { kAlways, kAbsent, kPresent };
  If store = If::kAlways;
  bool get = false;
  bool keep_ttl = false;
  bool persist = false;
  std::optional<std::string_view> amount{};  // of the life, as it was written …
  TimeUnit unit{};                           // … and what it counts
};

// What `words` (those behind key and value) ask of SET; none: a syntax error.
[[nodiscard]] std::optional<SetOptions> read_set_options(Arguments words);
// The same of GETEX: a life, or PERSIST.
[[nodiscard]] std::optional<SetOptions> read_getex_options(Arguments words);

// When the life ends that `amount` names, in the command of that name. None
// after an error reply.
[[nodiscard]] std::optional<TimePoint> read_life(Session& session, std::string_view amount,
                                                 TimeUnit unit, std::string_view command);

}  // namespace larder::commands
