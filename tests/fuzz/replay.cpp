// A fuzz target as an ordinary test: its corpus, then seeded mutations of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace larder::fuzz {
namespace {

constexpr std::uint64_t kMutations = 5000;

using Random = std::mt19937_64;

std::vector<std::string> corpus() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{FUZZ_CORPUS}) {
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::vector<std::string> inputs;
  for (const auto& file : files) {
    std::ifstream stream{file, std::ios::binary};
    inputs.emplace_back(std::istreambuf_iterator<char>{stream}, std::istreambuf_iterator<char>{});
  }
  return inputs;
}

std::string mutated(Random& random, const std::vector<std::string>& inputs) {
  const auto below = [&random](std::size_t end) { return random() % end; };
  std::string bytes = inputs[below(inputs.size())];
  for (std::size_t n = 1 + below(4); n > 0; --n) {
    const std::size_t at = below(bytes.size() + 1);
    const std::string& other = inputs[below(inputs.size())];
    switch (below(5)) {
      case 0: bytes.erase(at, 1 + below(8)); break;
      case 1: bytes.insert(at, 1 + below(3), static_cast<char>(below(256))); break;
      case 2: bytes.insert(at, other.substr(below(other.size() + 1), below(16))); break;
      case 3: bytes.replace(at, below(8), bytes.substr(below(bytes.size() + 1), below(8))); break;
      default:
        if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
    }
  }
  return bytes;
}

// The input in a form that a C++ string or printf takes.
std::string escaped(const std::string& bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += "\\x";
    text += kHex[byte >> 4U];
    text += kHex[byte & 15U];
  }
  return text;
}

void feed(const std::string& input) {
  // An allocation of the exact size, so that AddressSanitizer sees a read past it.
  const std::vector<std::uint8_t> bytes(input.begin(), input.end());
  try {
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  } catch (const std::exception& violation) {
    ADD_FAILURE() << violation.what() << "\ninput: " << escaped(input);
  }
}

class Replay : public testing::TestWithParam<const char*> {};

TEST_P(Replay, KeepsItsPromisesOnTheCorpus) {
  const std::vector<std::string> inputs = corpus();
  ASSERT_FALSE(inputs.empty()) << "no file in " << FUZZ_CORPUS;

  for (const std::string& input : inputs) feed(input);
}

TEST_P(Replay, KeepsItsPromisesOnMutations) {
  const std::vector<std::string> inputs = corpus();
  ASSERT_FALSE(inputs.empty()) << "no file in " << FUZZ_CORPUS;

  for (std::uint64_t seed = 0; seed < kMutations && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random{seed};
    feed(mutated(random, inputs));
  }
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Replay, testing::Values(FUZZ_TARGET),
                         [](const auto& name) { return std::string{name.param}; });

}  // namespace
}  // namespace larder::fuzz
