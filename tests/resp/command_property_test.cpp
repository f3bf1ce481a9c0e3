#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "resp/command_decoder.hpp"
#include "resp/reference_decoder.hpp"
#include "resp/request_writer.hpp"

namespace larder::resp {
namespace {

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t end) {
  return std::uniform_int_distribution<std::size_t>{0, end - 1}(random);
}

// Bytes that mean something to the protocol come often.
std::string random_bytes(Random& random, std::size_t most) {
  constexpr std::string_view kTelling = "\r\n*$-019 \"'\\x";
  std::string bytes(below(random, most + 1), '\0');
  for (char& byte : bytes) {
    byte = below(random, 3) == 0 ? kTelling[below(random, kTelling.size())]
                                 : static_cast<char>(below(random, 256));
  }
  return bytes;
}

std::vector<std::size_t> random_cuts(Random& random, std::size_t size) {
  std::vector<std::size_t> cuts(below(random, 8));
  for (std::size_t& cut : cuts) cut = below(random, size + 1);
  std::ranges::sort(cuts);
  return cuts;
}

std::vector<std::size_t> every_byte(std::size_t size) {
  std::vector<std::size_t> cuts(size);
  for (std::size_t i = 0; i < size; ++i) cuts[i] = i;
  return cuts;
}

std::string drained(const OutputBuffer& output) {
  std::vector<std::string_view> pieces(64);
  pieces.resize(output.gather(pieces));
  std::string bytes;
  for (const std::string_view piece : pieces) bytes += piece;
  return bytes;
}

// A pipeline of commands, most of them whole, and what they are.
std::string random_pipeline(Random& random, std::vector<Command>& commands) {
  OutputBuffer output;
  RequestWriter writer{output};
  for (std::size_t n = 1 + below(random, 6); n > 0; --n) {
    Command command(1 + below(random, 5));
    for (std::string& argument : command) argument = random_bytes(random, 40);
    const std::vector<std::string_view> views(command.begin(), command.end());
    writer.command(views);
    commands.push_back(command);
  }
  return drained(output);
}

void damage(Random& random, std::string& bytes) {
  for (std::size_t n = below(random, 4); n > 0 && !bytes.empty(); --n) {
    const std::size_t at = below(random, bytes.size());
    switch (below(random, 3)) {
      case 0: bytes.erase(at, 1 + below(random, 3)); break;
      case 1: bytes.insert(at, random_bytes(random, 3)); break;
      default: bytes[at] = random_bytes(random, 30).append("*")[0];
    }
  }
}

TEST(CommandProperty, CommandsWrittenAreDecodedAgainHoweverTheyArrive) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random{seed};
    std::vector<Command> commands;
    const std::string bytes = random_pipeline(random, commands);

    const Decoded decoded = decode_in_pieces(bytes, random_cuts(random, bytes.size()), {});

    ASSERT_EQ(decoded, (Decoded{.commands = commands, .consumed = bytes.size(), .error = {}}));
  }
}

TEST(CommandProperty, DamagedBytesMeanWhatTheReferenceSays) {
  const CommandLimits tight{
      .max_arguments = 4, .max_argument = {36}, .max_request = {90}, .max_inline = {20}};
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random{seed};
    std::vector<Command> commands;
    std::string bytes = below(random, 4) == 0 ? random_bytes(random, 60) + "\r\n"
                                              : random_pipeline(random, commands);
    damage(random, bytes);
    const CommandLimits limits = below(random, 2) == 0 ? tight : CommandLimits{};
    const Decoded expected = reference_decode(bytes, limits);

    ASSERT_EQ(decode_in_pieces(bytes, {}, limits), expected);
    ASSERT_EQ(decode_in_pieces(bytes, random_cuts(random, bytes.size()), limits), expected);
    ASSERT_EQ(decode_in_pieces(bytes, every_byte(bytes.size()), limits), expected);
  }
}

TEST(CommandProperty, NoCommandComesOfFewerBytesThanNeeded) {
  using Outcome = CommandDecoder::Outcome;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random{seed};
    std::vector<Command> commands;
    const std::string bytes = random_pipeline(random, commands);
    const std::size_t cut = below(random, bytes.size());
    CommandDecoder decoder;
    std::string_view rest = std::string_view{bytes}.substr(0, cut);
    while (decoder.decode(rest) == Outcome::kCommand) rest.remove_prefix(decoder.consumed());
    const std::size_t needed = decoder.needed();
    ASSERT_GE(needed, 1U);

    const std::string_view longer{rest.data(), rest.size() + needed - 1};
    ASSERT_EQ(decoder.decode(longer), Outcome::kNeedMore);
  }
}

}  // namespace
}  // namespace larder::resp
