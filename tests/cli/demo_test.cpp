#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fstream>
#include <sstream>

#include "cli/run_larder.hpp"
#include "demo/temporary_directory.hpp"

namespace larder {
namespace {

using testing::HasSubstr;

class DemoTest : public testing::Test {
 protected:
  // A tiny demo in a directory of the test's own, on free ports.
  [[nodiscard]] std::vector<std::string> demo(std::vector<std::string> more) const {
    std::vector<std::string> arguments{"demo",       "--directory", directory_.path().string(),
                                       "--products", "200",         "--reviews",
                                       "2000",       "--seconds",   "0.2",
                                       "--port",     "0",           "--admin-port",
                                       "0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  test::TemporaryDirectory directory_;
};

TEST_F(DemoTest, LeavesOtherPeoplesFilesAlone) {
  const auto file = directory_.path() / "shop.db";
  std::ofstream{file} << "my diary";

  const test::Ran ran = test::run_larder(demo({"--once"}));

  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.err, HasSubstr(file.string()));
  std::ostringstream kept;
  kept << std::ifstream{file}.rdbuf();
  EXPECT_EQ(kept.str(), "my diary");
}

TEST_F(DemoTest, APortInUseIsNamed) {
  boost::asio::io_context context;
  const boost::asio::ip::tcp::acceptor taken{context, {boost::asio::ip::address_v4::loopback(), 0}};
  const std::string port = std::to_string(taken.local_endpoint().port());

  const test::Ran ran = test::run_larder(demo({"--once", "--port", port}));

  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.err, HasSubstr("port " + port + " is in use"));
}

TEST_F(DemoTest, SizesOutOfRangeAreUsage) {
  for (const auto& wrong : std::vector<std::vector<std::string>>{{"--products", "0"},
                                                                 {"--products", "5000000"},
                                                                 {"--viewers", "0"},
                                                                 {"--seconds", "0"},
                                                                 {"--seconds", "nan"},
                                                                 {"--port", "70000"},
                                                                 {"--reviews", "-1"}}) {
    const test::Ran ran = test::run_larder(demo(wrong));

    EXPECT_EQ(ran.exit_code, 2) << wrong[0] << ' ' << wrong[1];
    EXPECT_THAT(ran.err, HasSubstr(wrong[0]));
  }
}

}  // namespace
}  // namespace larder
