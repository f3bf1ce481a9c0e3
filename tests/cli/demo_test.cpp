#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>

#include "cli/run_larder.hpp"
#include "demo/resp_client.hpp"
#include "demo/temporary_directory.hpp"

namespace larder {
namespace {

using testing::HasSubstr;
using testing::Not;

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
  // The columns of the table's line that begins with `name`.
  [[nodiscard]] static std::vector<double> row(const std::string& out, const std::string& name) {
    const std::size_t at = out.find("\n" + name);
    if (at == std::string::npos) return {};
    std::string line = out.substr(at + 1 + name.size());
    line.resize(line.find('\n'));
    std::erase(line, ',');
    std::vector<double> numbers;
    std::istringstream words{line};
    for (std::string word; words >> word;) {
      std::istringstream number{word};
      if (double value = 0; number >> value) numbers.push_back(value);
    }
    return numbers;
  }

  test::TemporaryDirectory directory_;
};

TEST_F(DemoTest, ShowsFewerQueriesForTheSamePages) {
  const test::Ran ran = test::run_larder(demo({"--once"}));

  ASSERT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  EXPECT_EQ(ran.err, "");
  // SQLite alone, larder serve, larder library
  const auto pages = row(ran.out, "pages per second, at most");
  const auto queries = row(ran.out, "SQL queries per second");
  const auto hits = row(ran.out, "hit ratio");
  for (const char* name : {"pages per second, at most", "SQL queries per second",
                           "CPU a page, making it", "  p50", "  p99", "  p99.9"}) {
    ASSERT_EQ(row(ran.out, name).size(), 3U) << name << '\n' << ran.out;
  }
  EXPECT_EQ(queries[0], pages[0]);
  ASSERT_EQ(hits.size(), 2U) << ran.out;  // SQLite alone has none
  for (const std::size_t larder : {1U, 2U}) {
    EXPECT_GT(pages[larder], 0);
    EXPECT_LT(queries[larder], queries[0] / 20);
    EXPECT_GE(hits[larder - 1], 98);
  }
  EXPECT_THAT(ran.out, HasSubstr("byte for byte"));
  EXPECT_THAT(ran.out, Not(HasSubstr("\033")));  // this is no terminal
}

TEST_F(DemoTest, AFleetSharesOneRedisAndOutlivesIt) {
  const test::Ran ran = test::run_larder(demo({"--fleet", "--once"}));
  if (ran.err.find("no redis-server") != std::string::npos) GTEST_SKIP() << ran.err;

  ASSERT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("150 answers cost SQLite 50 queries."));
  EXPECT_THAT(ran.out, HasSubstr("All three answer the new page"));
  EXPECT_THAT(ran.out, HasSubstr("pages of 0.2 s came"));
  EXPECT_THAT(ran.out, HasSubstr("one query answers all three again."));
}

TEST_F(DemoTest, APageOfPostgresqlIsWrittenWhileItIsReadAndNeverOld) {
  const test::Ran ran = test::run_larder(demo({"--postgres", "--once"}));
  if (ran.err.find("no PostgreSQL") != std::string::npos) GTEST_SKIP() << ran.err;

  ASSERT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(ran.out, HasSubstr("with 200 products and 2,000 reviews"));
  EXPECT_THAT(ran.out, HasSubstr("before they were asked for: 0."));
  EXPECT_THAT(ran.out, HasSubstr("price_is_positive"));
  EXPECT_THAT(ran.out, HasSubstr("SQLSTATE 23514"));
}

TEST_F(DemoTest, KeepsTheShopForTheNextRun) {
  const test::Ran first = test::run_larder(demo({"--once"}));
  const test::Ran second = test::run_larder(demo({"--once"}));

  EXPECT_THAT(first.out, HasSubstr("built in"));
  EXPECT_THAT(second.out, HasSubstr("kept from an earlier run"));
  EXPECT_EQ(second.exit_code, 0);
}

TEST_F(DemoTest, BuildsAnotherShopWhenAskedForOne) {
  (void)test::run_larder(demo({"--once"}));
  const test::Ran second = test::run_larder(demo({"--once", "--seed", "7"}));

  EXPECT_THAT(second.out, HasSubstr("built in"));
}

// The port that the demo says to try.
std::uint16_t told_port(const std::string& out) {
  constexpr std::string_view kBefore = "redis-cli -p ";
  return static_cast<std::uint16_t>(std::stoi(out.substr(out.find(kBefore) + kBefore.size())));
}

TEST_F(DemoTest, StaysUpToBeTriedUntilItIsInterrupted) {
  test::Larder larder{demo({})};
  ASSERT_TRUE(larder.says("Ctrl-C")) << larder.finish().err;

  auto client = demo::RespClient::connect(told_port(larder.out())).value();
  const auto page = client.ask({"GET", "product:42"});
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_THAT(page->value_or(""), HasSubstr("\"latest_reviews\":["));
  const auto explained = client.ask({"LARDER", "EXPLAIN", "product:42"});
  ASSERT_TRUE(explained) << explained.error().message;
  EXPECT_THAT(explained->value_or(""), HasSubstr("memory"));
  EXPECT_EQ(client.ask({"DEL", "product:42"}).value(), "1");
  EXPECT_EQ(client.ask({"SET", "session:you", "hello", "EX", "60"}).value(), "OK");
  EXPECT_EQ(client.ask({"GET", "session:you"}).value(), "hello");

  larder.signal(SIGINT);
  const test::Ran ran = larder.finish();
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("Stopped."));
  EXPECT_FALSE(demo::RespClient::connect(told_port(ran.out)));  // the server is gone, too
}

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

TEST_F(DemoTest, TwoInOneDirectoryAreRefused) {
  test::Larder first{demo({})};
  ASSERT_TRUE(first.says("Ctrl-C")) << first.finish().err;

  const test::Ran second = test::run_larder(demo({"--once"}));

  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.err, HasSubstr("another `larder demo`"));
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
