#include "behind/durable_folder.hpp"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

namespace {

std::mutex synced_mutex;
std::vector<std::string> synced;  // by path

}  // namespace

// In the place of the system's, and the same but that it is noted.
extern "C" int fsync(int file) {
  {
    const std::lock_guard lock{synced_mutex};
    std::error_code none;
    synced.push_back(
        std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(file), none).string());
  }
  return static_cast<int>(::syscall(SYS_fsync, file));
}

namespace larder::behind {
namespace {

namespace fs = std::filesystem;

class DurableFolder : public ::testing::Test {
 protected:
  DurableFolder() {
    std::string name = (fs::temp_directory_path() / "larder_folder_XXXXXX").string();
    folder_ = fs::canonical(::mkdtemp(name.data()));
    const std::lock_guard lock{synced_mutex};
    synced.clear();
  }
  ~DurableFolder() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  static std::vector<std::string> folders_synced() {
    const std::lock_guard lock{synced_mutex};
    return synced;
  }

  fs::path folder_;
};

TEST_F(DurableFolder, EachThatIsMadeIsSyncedInTheOneThatHoldsIt) {
  EXPECT_TRUE(make_durable_folder((folder_ / "a" / "b").string()));

  EXPECT_TRUE(fs::is_directory(folder_ / "a" / "b"));
  EXPECT_EQ(folders_synced(),
            (std::vector<std::string>{folder_.string(), (folder_ / "a").string()}));
}

TEST_F(DurableFolder, OneThatIsThereIsLeftAsItIs) {
  EXPECT_TRUE(make_durable_folder(folder_.string() + "/"));

  EXPECT_TRUE(folders_synced().empty());
}

TEST_F(DurableFolder, WhereAFileIsItSaysSo) {
  std::ofstream{folder_ / "a"} << "a file";

  const auto made = make_durable_folder((folder_ / "a").string());

  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("cannot be made"), std::string::npos);
}

}  // namespace
}  // namespace larder::behind
