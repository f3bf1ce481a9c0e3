#include "larder/answer.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "larder/error.hpp"

namespace larder {
namespace {

TEST(Answer, AnAbsenceHasNeitherValueNorError) {
  const Answer<std::string> answer{Origin::kSource};

  EXPECT_TRUE(answer.absent());
  EXPECT_THROW((void)answer.value(), Failure);
  EXPECT_THROW((void)answer.error(), std::logic_error);
}

TEST(Answer, AValueHasNoError) {
  const Answer<std::string> answer{std::make_shared<const std::string>("teapot"), Origin::kMemory};

  EXPECT_EQ(*answer, "teapot");
  EXPECT_EQ(answer->size(), 6U);
  EXPECT_THROW((void)answer.error(), std::logic_error);
}

TEST(Answer, AFailureIsThrownWhereItsValueIsDemanded) {
  const Answer<std::string> answer{Error{Errc::kTimeout, "too slow"}, Origin::kNone};

  EXPECT_EQ(answer.error().message, "too slow");
  try {
    (void)answer.value();
    FAIL() << "value() of a failed answer came back";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), answer.error());
  }
}

}  // namespace
}  // namespace larder
