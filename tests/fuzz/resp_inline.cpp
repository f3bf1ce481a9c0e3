// Inline commands: split_inline splits as the plain reference, and whatever
// arguments there are can be quoted so that they come back.
#include <algorithm>

#include "fuzz/check.hpp"
#include "resp/inline_command.hpp"
#include "resp/reference_decoder.hpp"

namespace larder::resp {
namespace {

using fuzz::require;

std::optional<Command> split(std::string_view line) {
  std::string storage;
  std::vector<std::string_view> arguments;
  if (!split_inline(line, storage, arguments)) return std::nullopt;
  return Command(arguments.begin(), arguments.end());
}

// Every byte by its number, so that none can mean anything.
std::string quoted(const Command& command) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string line;
  for (const std::string& argument : command) {
    line += " \"";
    for (const char c : argument) {
      const auto byte = static_cast<unsigned char>(c);
      line += {'\\', 'x', kHex[byte >> 4U], kHex[byte & 15U]};
    }
    line += '"';
  }
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Input input{data, size};

  const std::optional<Command> command = split(input.bytes);

  require(command == reference_split(input.bytes), "split as the reference");
  if (command) require(split(quoted(*command)) == command, "quoted arguments come back");
  return 0;
}

}  // namespace larder::resp
