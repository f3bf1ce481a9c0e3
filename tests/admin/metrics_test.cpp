#include "admin/metrics.hpp"

#include <gmock/gmock.h>

#include <regex>
#include <sstream>
#include <string>

#include "admin/health.hpp"
#include "server/session_fixture.hpp"

namespace larder {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Metrics : public test::SessionTest {
 protected:
  std::string text() { return metrics_text(state_, sources_); }

  AssembledSources sources() {
    AssembledSources sources(1);
    sources[0].config.name = "shop";
    sources[0].state = std::make_shared<SourceState>(clock_);
    return sources;
  }

  AssembledSources sources_ = sources();
};

TEST_F(Metrics, CountWhatACacheDid) {
  ask("GET product:1");
  source_->succeed(0);
  collect();
  ask("GET product:1");
  ask("GET product:2");
  source_->fail(1, "no such table");
  collect();

  EXPECT_THAT(text(), AllOf(HasSubstr("\nlarder_cache_hits_total{cache=\"product\"} 1\n"),
                            HasSubstr("\nlarder_cache_misses_total{cache=\"product\"} 2\n"),
                            HasSubstr("\nlarder_cache_loads_total{cache=\"product\"} 2\n"),
                            HasSubstr("\nlarder_cache_load_failures_total{cache=\"product\"} 1\n"),
                            HasSubstr("\nlarder_cache_entries{cache=\"product\"} 1\n"),
                            HasSubstr("\nlarder_cache_hits_total{cache=\"tag\"} 0\n")));
}

TEST_F(Metrics, CountCommandsAndErrors) {
  ask("PING");
  ask("PING");
  ask("GET nonsense");
  send("*x\r\n");

  EXPECT_THAT(text(), AllOf(HasSubstr("\nlarder_commands_total{command=\"ping\"} 2\n"),
                            HasSubstr("\nlarder_commands_total{command=\"get\"} 1\n"),
                            HasSubstr("\nlarder_error_replies_total 2\n"),
                            HasSubstr("\nlarder_protocol_errors_total 1\n"),
                            HasSubstr("\nlarder_source_queries_total{source=\"shop\"} 0\n"),
                            HasSubstr("\nlarder_source_up{source=\"shop\"} 1\n")));
}

// Every line is a comment or a sample, and every sample's metric is described.
TEST_F(Metrics, AreWellFormed) {
  const std::regex sample{R"re(([a-z_]+)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.e+-]+)re"};
  std::string described;
  std::istringstream lines{text()};
  for (std::string line; std::getline(lines, line);) {
    std::smatch parts;
    if (line.starts_with("# TYPE ")) {
      described = line.substr(7, line.find(' ', 7) - 7);
    } else if (!line.starts_with("# HELP ")) {
      ASSERT_TRUE(std::regex_match(line, parts, sample)) << line;
      EXPECT_EQ(parts[1], described);
    }
  }
}

TEST_F(Metrics, HealthIsBadOnceTheServerStops) {
  EXPECT_EQ(health_page(state_, sources_).status, 200U);

  state_.stop();

  EXPECT_EQ(health_page(state_, sources_).status, 503U);
  EXPECT_THAT(health_page(state_, sources_).body, HasSubstr("\"status\":\"stopping\""));
}

TEST_F(Metrics, HealthTellsHowLongASourceHasFailed) {
  sources_[0].state->failed();
  clock_.advance(7s);
  sources_[0].state->failed();

  const AdminPage page = health_page(state_, sources_);

  EXPECT_EQ(page.status, 200U);
  EXPECT_THAT(page.body, HasSubstr(R"("sources":{"shop":{"status":"failing","since_seconds":7}})"));
  EXPECT_THAT(text(), HasSubstr("\nlarder_source_up{source=\"shop\"} 0\n"));
}

TEST_F(Metrics, HealthTellsThatASourceAnswersAgain) {
  sources_[0].state->failed();
  clock_.advance(7s);
  sources_[0].state->answered();
  clock_.advance(3s);

  EXPECT_THAT(health_page(state_, sources_).body,
              HasSubstr(R"("sources":{"shop":{"status":"ok","since_seconds":3}})"));
}

}  // namespace
}  // namespace larder
