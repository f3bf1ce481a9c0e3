// What a fuzz target says when a promise is broken, and how it reads its input.
//
// A Violation that leaves LLVMFuzzerTestOneInput ends libFuzzer with the input
// kept, and fails the replaying test with the input printed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace larder::fuzz {

struct Violation : std::logic_error {
  using std::logic_error::logic_error;
};

inline void require(bool holds, const std::string& promise) {
  if (!holds) throw Violation{promise};
}

// The input less its last byte, which drives what the bytes do not say: limits,
// where they are cut. So a corpus file reads as what it is about.
struct Input {
  std::string_view bytes;
  std::uint8_t control = 0;

  Input(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return;
    bytes = {reinterpret_cast<const char*>(data), size - 1};
    control = data[size - 1];
  }

  // Up to seven places to cut the bytes at, ascending.
  [[nodiscard]] std::vector<std::size_t> cuts() const {
    std::minstd_rand random{control + 1U};
    std::vector<std::size_t> cuts(control % 8U);
    for (std::size_t& cut : cuts) cut = random() % (bytes.size() + 1);
    std::ranges::sort(cuts);
    return cuts;
  }

  // A cut after every byte.
  [[nodiscard]] std::vector<std::size_t> every_byte() const {
    std::vector<std::size_t> cuts(bytes.size());
    for (std::size_t i = 0; i < cuts.size(); ++i) cuts[i] = i;
    return cuts;
  }
};

}  // namespace larder::fuzz
