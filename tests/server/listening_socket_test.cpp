#include "server/listening_socket.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <fstream>
#include <string>

#include "demo/temporary_directory.hpp"

namespace larder {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class UnixSocketTest : public testing::Test {
 protected:
  // Whether somebody listens there.
  [[nodiscard]] bool answers() const {
    const Descriptor client{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    return ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
           0;
  }
  [[nodiscard]] bool there() const {
    struct stat status{};
    return ::lstat(path_.c_str(), &status) == 0;
  }
  test::TemporaryDirectory folder_;
  std::string path_ = folder_.path() / "door.sock";
};

TEST_F(UnixSocketTest, TakesClientsWithItsPermissions) {
  const auto listening = listen_on_unix(path_, 0620);

  ASSERT_TRUE(listening);
  EXPECT_TRUE(answers());
  struct stat status{};
  ::lstat(path_.c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777, 0620U);
  EXPECT_EQ(listening->shown, "unix:" + path_);
}

TEST_F(UnixSocketTest, GoesWithItsOwner) {
  {
    const auto listening = listen_on_unix(path_, 0600);
  }

  EXPECT_FALSE(there());
}

TEST_F(UnixSocketTest, LeavesWhatAnotherPutInItsPlace) {
  {
    const auto listening = listen_on_unix(path_, 0600);
    ::unlink(path_.c_str());
    std::ofstream{path_} << "another's";
  }

  EXPECT_TRUE(there());
}

TEST_F(UnixSocketTest, TakesOverOneThatNobodyListensOn) {
  {
    // Closed without being removed: as after a kill.
    const Descriptor dead{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ASSERT_TRUE(there());

  const auto listening = listen_on_unix(path_, 0600);

  EXPECT_TRUE(listening) << listening.error().message;
  EXPECT_TRUE(answers());
}

TEST_F(UnixSocketTest, LeavesOneAloneThatSomebodyListensOn) {
  const auto first = listen_on_unix(path_, 0600);

  const auto second = listen_on_unix(path_, 0600);

  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, AllOf(HasSubstr("unix:" + path_), HasSubstr("in use"),
                                            HasSubstr("server.unix_socket")));
  EXPECT_TRUE(answers());
}

TEST_F(UnixSocketTest, LeavesAFileAloneThatIsNoSocket) {
  std::ofstream{path_} << "precious";

  const auto listening = listen_on_unix(path_, 0600);

  ASSERT_FALSE(listening);
  EXPECT_THAT(listening.error().message, HasSubstr("a file that is no socket"));
  EXPECT_TRUE(there());
}

TEST_F(UnixSocketTest, APathThatTheSystemDoesNotTakeIsAnError) {
  EXPECT_FALSE(listen_on_unix(std::string(200, 'x'), 0600));
  EXPECT_FALSE(listen_on_unix("/nowhere/at/all/door.sock", 0600));
}

}  // namespace
}  // namespace larder
