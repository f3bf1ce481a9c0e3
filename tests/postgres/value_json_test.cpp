#include "postgres/value_json.hpp"

#include <gmock/gmock.h>

namespace larder {
namespace {

using testing::HasSubstr;
using enum PostgresKind;

std::string json(std::string_view text, PostgresKind kind, bool array = false) {
  std::string out;
  const auto done = append_postgres_value(out, text, {.kind = kind, .array = array});
  return done ? out : "error: " + done.error().message;
}

TEST(PostgresValue, TimesBecomeIso8601) {
  EXPECT_EQ(json("2024-02-01 03:04:05+02", kTimestampWithZone), R"("2024-02-01T03:04:05+02:00")");
  EXPECT_EQ(json("2024-02-01 03:04:05.5-03:30", kTimestampWithZone),
            R"("2024-02-01T03:04:05.5-03:30")");
  EXPECT_EQ(json("0044-03-15 12:00:00+00 BC", kTimestampWithZone),
            R"("0044-03-15T12:00:00+00:00 BC")");
  EXPECT_EQ(json("1850-01-01 00:53:28+00:53:28", kTimestampWithZone),
            R"("1850-01-01T00:53:28+00:53:28")");
  EXPECT_EQ(json("-infinity", kTimestamp), R"("-infinity")");
}

TEST(PostgresValue, BrokenJsonIsAnErrorAndNoBrokenDocument) {
  EXPECT_THAT(json("{\"a\":", kJson), HasSubstr("should hold JSON"));
  EXPECT_THAT(json("{1,2", kNumber, true), HasSubstr("should hold an array"));
}

TEST(PostgresValue, BothFormsOfByteaAreRead) {
  EXPECT_EQ(json("\\x0001ff", kBytes), R"("AAH/")");
  EXPECT_EQ(json("a\\000\\\\", kBytes), R"("YQBc")");
}

}  // namespace
}  // namespace larder
