#include "demo/free_port.hpp"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace larder::demo {
namespace {

using boost::asio::ip::tcp;
using testing::HasSubstr;

class FreePort : public testing::Test {
 protected:
  boost::asio::io_context context_;
  tcp::acceptor listener_{context_, {boost::asio::ip::address_v4::loopback(), 0}};
  std::uint16_t taken_ = listener_.local_endpoint().port();
};

TEST_F(FreePort, AnyIsOneOnWhichOneCanListen) {
  const auto port = free_port(0, 6380);

  ASSERT_TRUE(port);
  EXPECT_NO_THROW((tcp::acceptor{context_, {boost::asio::ip::address_v4::loopback(), *port}}));
}

TEST_F(FreePort, TheOneThatIsWantedButTakenIsAnErrorThatNamesIt) {
  const auto port = free_port(taken_, 6380);

  ASSERT_FALSE(port);
  EXPECT_THAT(port.error().message, HasSubstr(std::to_string(taken_)));
}

TEST_F(FreePort, NextToTheUsualOneThatIsTakenIsAnother) {
  const auto port = free_port(std::nullopt, taken_);

  ASSERT_TRUE(port);
  EXPECT_NE(*port, taken_);
  EXPECT_LE(*port, taken_ + 100);
}

}  // namespace
}  // namespace larder::demo
