#include "demo/directory_lock.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "demo/temporary_directory.hpp"

namespace larder::demo {
namespace {

using testing::HasSubstr;

class DirectoryLockTest : public testing::Test {
 protected:
  test::TemporaryDirectory parent_;
  std::filesystem::path directory_ = parent_.path() / "var" / "demo";
};

TEST_F(DirectoryLockTest, MakesTheDirectory) {
  const auto lock = DirectoryLock::take(directory_);

  EXPECT_TRUE(lock);
  EXPECT_TRUE(std::filesystem::is_directory(directory_));
}

TEST_F(DirectoryLockTest, IsForOneAtATime) {
  {
    const auto first = DirectoryLock::take(directory_);
    const auto second = DirectoryLock::take(directory_);

    ASSERT_TRUE(first);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, HasSubstr(directory_.string()));
  }
  EXPECT_TRUE(DirectoryLock::take(directory_));
}

TEST_F(DirectoryLockTest, WhereAFileStandsItSaysSo) {
  std::ofstream{parent_.path() / "var"} << "a file";

  const auto lock = DirectoryLock::take(directory_);

  ASSERT_FALSE(lock);
  EXPECT_THAT(lock.error().message, HasSubstr("--directory"));
}

}  // namespace
}  // namespace larder::demo
