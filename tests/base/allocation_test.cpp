// What must not allocate. A program of its own: it counts every allocation.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <new>

#include "base/key_pattern.hpp"

namespace {

thread_local std::size_t allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace larder {
namespace {

TEST(Allocation, IsCountedHere) {
  const std::size_t before = allocations;

  const auto number = std::make_unique<std::size_t>(1);

  EXPECT_EQ(allocations, before + *number);
}

TEST(KeyPatternAllocation, MatchingWithoutPartsAllocatesNothing) {
  const KeyPattern pattern = *KeyPattern::parse("user:{name}:order:{id:int}");
  const std::string fits = "user:" + std::string(200, 'a') + ":order:123456789012";
  const std::string bad = "user:" + std::string(200, 'a') + ":order:no-int";
  const std::size_t before = allocations;

  const auto yes = pattern.match(fits, nullptr, nullptr);
  const auto bad_part = pattern.match(bad, nullptr, nullptr);
  const auto no = pattern.match("basket:7", nullptr, nullptr);

  EXPECT_EQ(allocations, before);
  EXPECT_EQ(yes, KeyPattern::Match::kYes);
  EXPECT_EQ(bad_part, KeyPattern::Match::kBadPart);
  EXPECT_EQ(no, KeyPattern::Match::kNo);
}

}  // namespace
}  // namespace larder
