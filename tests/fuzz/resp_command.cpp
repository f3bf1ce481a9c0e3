// Requests: CommandDecoder means what the plain reference says, however the bytes
// arrive, and its commands survive being written and decoded again.
#include "fuzz/check.hpp"
#include "resp/reference_decoder.hpp"
#include "resp/request_writer.hpp"

namespace larder::resp {
namespace {

using fuzz::require;

std::string written(const std::vector<Command>& commands) {
  OutputBuffer output;
  RequestWriter writer{output};
  for (const Command& command : commands) {
    const std::vector<std::string_view> arguments(command.begin(), command.end());
    writer.command(arguments);
  }
  std::string bytes;
  std::string_view piece;
  while (output.gather({&piece, 1}) == 1) {
    bytes += piece;
    output.consume(piece.size());
  }
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr CommandLimits kTight{
      .max_arguments = 4, .max_argument = {36}, .max_request = {90}, .max_inline = {20}};
  const fuzz::Input input{data, size};
  const CommandLimits limits = input.control >= 128 ? kTight : CommandLimits{};

  const Decoded expected = reference_decode(input.bytes, limits);

  require(decode_in_pieces(input.bytes, {}, limits) == expected, "whole, as the reference");
  require(decode_in_pieces(input.bytes, input.cuts(), limits) == expected, "cut, as the reference");
  if (size < 512) {
    require(decode_in_pieces(input.bytes, input.every_byte(), limits) == expected,
            "byte by byte, as the reference");
  }
  require(reference_decode(written(expected.commands), {}).commands == expected.commands,
          "what is written again is decoded again");
  return 0;
}

}  // namespace larder::resp
