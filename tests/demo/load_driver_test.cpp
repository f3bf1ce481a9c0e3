#include "demo/load_driver.hpp"

#include <gmock/gmock.h>

#include <map>

#include "demo/scripted_server.hpp"

namespace larder::demo {
namespace {

using namespace std::chrono_literals;
using test::ScriptedServer;
using testing::HasSubstr;

std::string bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

// What larder would say: a page of the product that the key names.
std::string page_of(std::string_view key) {
  return bulk("{\"id\":" + std::string{key.substr(key.find(':') + 1)} + ",\"name\":\"x\"}");
}

// How a run ends against a server that answers everything with `bytes`.
Result<Measured> run_against(const std::string& bytes) {
  ScriptedServer server{[&](ScriptedServer::Arguments) { return bytes; }};
  const Popularity popularity{10, 4, 1};
  auto driver = LoadDriver::connect({.port = server.port(), .viewers = 3}, popularity).value();
  return driver.run({.duration = 10s}, {});
}

TEST(LoadDriver, CountsEveryPage) {
  std::uint64_t served = 0;  // read when the server's thread is gone
  Result<Measured> seen;
  {
    ScriptedServer server{[&](ScriptedServer::Arguments arguments) {
      ++served;
      return page_of(arguments[1]);
    }};
    const Popularity popularity{100, 4, 1};
    auto driver =
        LoadDriver::connect({.port = server.port(), .viewers = 5, .threads = 2}, popularity)
            .value();

    seen = driver.run({.duration = 50ms}, {});
  }

  ASSERT_TRUE(seen) << seen.error().message;
  EXPECT_GE(seen->pages, 5U);
  EXPECT_EQ(seen->pages, served);
  EXPECT_EQ(seen->latencies.count(), served);
  EXPECT_GE(seen->took, 50ms);
}

TEST(LoadDriver, EachViewerAsksForWhatItsSeedSays) {
  const Popularity popularity{100, 4, 7};
  std::string asked;
  {
    ScriptedServer server{[&](ScriptedServer::Arguments arguments) {
      if (asked.size() < 100) asked += std::string{arguments[1]} + ' ';
      return page_of(arguments[1]);
    }};
    auto driver =
        LoadDriver::connect({.port = server.port(), .viewers = 1, .seed = 7}, popularity).value();
    ASSERT_TRUE(driver.run({.duration = 20ms}, {}));
  }

  std::string expected;
  for (Viewer viewer{popularity, 7, 0}; expected.size() < asked.size();) {
    expected += page_key(viewer.next()) + ' ';
  }
  EXPECT_EQ(asked, expected);
}

TEST(LoadDriver, KeepsThePace) {
  ScriptedServer server{[](ScriptedServer::Arguments arguments) { return page_of(arguments[1]); }};
  const Popularity popularity{100, 4, 1};
  auto driver = LoadDriver::connect({.port = server.port(), .viewers = 4}, popularity).value();

  const auto seen = driver.run({.duration = 200ms, .pages_per_second = 500}, {});

  // 100 on average; a slow machine asks for fewer.
  ASSERT_TRUE(seen);
  EXPECT_GE(seen->pages, 1U);
  EXPECT_LE(seen->pages, 170U);
}

TEST(LoadDriver, RunsAgainWhereItStopped) {
  ScriptedServer server{[](ScriptedServer::Arguments arguments) { return page_of(arguments[1]); }};
  const Popularity popularity{100, 4, 1};
  auto driver = LoadDriver::connect({.port = server.port(), .viewers = 2}, popularity).value();

  const auto first = driver.run({.duration = 10ms}, {});
  auto second = driver.run({.duration = 10ms}, {});
  while (second && second->pages < 2) second = driver.run({.duration = 10ms}, {});

  ASSERT_TRUE(first);
  EXPECT_TRUE(second);
}

TEST(LoadDriver, AnotherProductsPageIsAnError) {
  const auto seen = run_against(bulk("{\"id\":99999,\"name\":\"x\"}"));

  ASSERT_FALSE(seen);
  EXPECT_THAT(seen.error().message, HasSubstr("product:"));
}

TEST(LoadDriver, APageThatIsNotThereIsAnError) {
  const auto seen = run_against("$-1\r\n");

  ASSERT_FALSE(seen);
  EXPECT_THAT(seen.error().message, HasSubstr("nothing"));
}

TEST(LoadDriver, AnErrorReplyIsAnErrorThatRepeatsIt) {
  const auto seen = run_against("-ERR the source shop is locked\r\n");

  ASSERT_FALSE(seen);
  EXPECT_THAT(seen.error().message, HasSubstr("the source shop is locked"));
}

TEST(LoadDriver, AConnectionThatClosesIsAnError) {
  const auto seen = run_against("");

  ASSERT_FALSE(seen);
  EXPECT_THAT(seen.error().message, HasSubstr("lost"));
}

TEST(LoadDriver, GarbageIsAnError) { EXPECT_FALSE(run_against("HTTP/1.1 200 OK\r\n\r\n")); }

TEST(LoadDriver, CalledOffItEndsThoughNobodyAnswers) {
  std::stop_source stop;
  ScriptedServer server{[&](ScriptedServer::Arguments) -> std::string {
    stop.request_stop();
    return "$1000\r\n";  // and never the rest
  }};
  const Popularity popularity{10, 4, 1};
  auto driver = LoadDriver::connect({.port = server.port(), .viewers = 2}, popularity).value();

  const auto seen = driver.run({.duration = 1h}, stop.get_token());

  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().code, Errc::kCancelled);
}

}  // namespace
}  // namespace larder::demo
