// The request decoder again, plain and slow: what tests and fuzz targets hold
// CommandDecoder against. It sees all bytes at once and copies everything.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "resp/command_decoder.hpp"

namespace larder::resp {

using Command = std::vector<std::string>;

struct Decoded {
  std::vector<Command> commands;
  std::size_t consumed = 0;  // bytes of whole commands, empty ones included
  std::string error;         // empty: the rest of the bytes may yet become a command

  friend bool operator==(const Decoded&, const Decoded&) = default;
};

[[nodiscard]] Decoded reference_decode(std::string_view bytes, const CommandLimits& limits);

// An inline command's arguments; nullopt when a quote is not closed.
[[nodiscard]] std::optional<Command> reference_split(std::string_view line);

// What CommandDecoder makes of `bytes` when they arrive in pieces that end at
// `cuts` (ascending). The buffer is moved before each call, so that a view kept
// too long reads freed memory.
[[nodiscard]] Decoded decode_in_pieces(std::string_view bytes, const std::vector<std::size_t>& cuts,
                                       const CommandLimits& limits);

}  // namespace larder::resp
