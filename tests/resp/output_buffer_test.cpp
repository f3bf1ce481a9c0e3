#include "resp/output_buffer.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>

namespace larder::resp {
namespace {

std::string contents(const OutputBuffer& buffer) {
  std::vector<std::string_view> pieces(10'000);
  pieces.resize(buffer.gather(pieces));
  std::string bytes;
  for (const std::string_view piece : pieces) bytes += piece;
  return bytes;
}

TEST(OutputBuffer, HoldsNoMemoryBeforeTheFirstAppend) {
  const OutputBuffer buffer;

  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.memory(), 0U);
  EXPECT_EQ(contents(buffer), "");
}

TEST(OutputBuffer, KeepsItsMemoryForTheNextReply) {
  OutputBuffer buffer;
  buffer.append("first");
  const std::size_t memory = buffer.memory();
  for (int i = 0; i < 10'000; ++i) {
    buffer.consume(buffer.size());
    buffer.append("and the next");
  }

  EXPECT_EQ(buffer.memory(), memory);
  EXPECT_EQ(contents(buffer), "and the next");
}

TEST(OutputBuffer, BytesStayInPlaceUntilConsumed) {
  OutputBuffer buffer;
  buffer.append("under way");
  std::array<std::string_view, 1> piece;
  ASSERT_EQ(buffer.gather(piece), 1U);

  for (int i = 0; i < 1000; ++i) buffer.append(std::string(1000, 'x'));

  EXPECT_EQ(piece[0], "under way");
}

TEST(OutputBuffer, AGapOpenedAtTheFrontIsGivenBack) {
  OutputBuffer buffer;
  for (int i = 0; i < 1000; ++i) buffer.append(std::string(10'000, 'x'));
  ASSERT_GE(buffer.memory(), 10'000'000U);

  buffer.consume(buffer.size() - 1);

  EXPECT_EQ(buffer.size(), 1U);
  EXPECT_LE(buffer.memory(), 64U << 10);
}

TEST(OutputBuffer, DoesNotKeepWhatOneLargeValueNeeded) {
  OutputBuffer buffer;
  buffer.append(std::string(10 << 20, 'x'));

  buffer.consume(buffer.size());

  EXPECT_EQ(buffer.memory(), 0U);
}

TEST(OutputBuffer, ReleasesOnlyWhenNothingIsToBeSent) {
  OutputBuffer buffer;
  buffer.append("text");

  buffer.release_if_empty();
  EXPECT_EQ(contents(buffer), "text");
  buffer.consume(4);
  buffer.release_if_empty();

  EXPECT_EQ(buffer.memory(), 0U);
}

TEST(OutputBuffer, TakesBackWhatWasAppendedLast) {
  OutputBuffer buffer;
  buffer.append("kept");
  buffer.append(std::string(200'000, 'x'));

  buffer.retract(200'000);
  buffer.append(" and more");

  EXPECT_EQ(contents(buffer), "kept and more");
}

TEST(OutputBuffer, BehavesAsOneLongString) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random{seed};
    const auto below = [&random](std::size_t end) { return random() % end; };
    OutputBuffer buffer;
    std::string model;
    for (int step = 0; step < 200; ++step) {
      const std::string bytes(below(below(20) == 0 ? 100'000 : 300),
                              static_cast<char>('a' + below(26)));
      if (below(2) == 0) {
        buffer.append(bytes);
        model += bytes;
      } else {
        char* const room = buffer.prepare(bytes.size() + below(100));
        bytes.copy(room, bytes.size());
        buffer.commit(bytes.size());
        model += bytes;
      }
      const std::size_t back = below(4) == 0 ? below(model.size() + 1) : 0;
      buffer.retract(back);
      model.resize(model.size() - back);
      const std::size_t gone = below(3) == 0 ? model.size() : below(model.size() + 1) / 2;
      buffer.consume(gone);
      model.erase(0, gone);

      ASSERT_EQ(buffer.size(), model.size());
      ASSERT_EQ(contents(buffer), model);
    }
  }
}

}  // namespace
}  // namespace larder::resp
