// The bytes that both sides of the benchmark chew: what 32 pipelined commands
// and their replies look like, with 16-byte keys and 100-byte values.
#pragma once

#include <string>

namespace larder::resp {

inline constexpr int kPipeline = 32;

inline std::string pipelined(const std::string& one) {
  std::string bytes;
  for (int i = 0; i < kPipeline; ++i) bytes += one;
  return bytes;
}

inline std::string gets() { return pipelined("*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000042\r\n"); }

inline std::string sets() {
  return pipelined("*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000042\r\n$100\r\n" +
                   std::string(100, 'v') + "\r\n");
}

inline std::string bulk_replies() { return pipelined("$100\r\n" + std::string(100, 'v') + "\r\n"); }

// What MGET of 32 keys answers.
inline std::string array_reply() { return "*32\r\n" + bulk_replies(); }

}  // namespace larder::resp
