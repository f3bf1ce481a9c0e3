#include "resp/reply_writer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "resp/request_writer.hpp"

namespace larder::resp {
namespace {

// What `write` writes in one protocol version.
template <class Write>
std::string written(Protocol protocol, Write write) {
  OutputBuffer output;
  ReplyWriter writer{output, protocol};
  write(writer);
  std::vector<std::string_view> pieces(64);
  pieces.resize(output.gather(pieces));
  std::string bytes;
  for (const std::string_view piece : pieces) bytes += piece;
  return bytes;
}

template <class Write>
void expect(Write write, std::string_view resp2, std::string_view resp3) {
  EXPECT_EQ(written(Protocol::kResp2, write), resp2);
  EXPECT_EQ(written(Protocol::kResp3, write), resp3);
}

TEST(ReplyWriter, WritesWhatBothVersionsShareAlike) {
  expect([](auto& w) { w.ok(); }, "+OK\r\n", "+OK\r\n");
  expect([](auto& w) { w.simple("PONG"); }, "+PONG\r\n", "+PONG\r\n");
  expect([](auto& w) { w.error("ERR no"); }, "-ERR no\r\n", "-ERR no\r\n");
  expect([](auto& w) { w.integer(-42); }, ":-42\r\n", ":-42\r\n");
  expect([](auto& w) { w.bulk("a\r\nb"); }, "$4\r\na\r\nb\r\n", "$4\r\na\r\nb\r\n");
  expect([](auto& w) { w.bulk(""); }, "$0\r\n\r\n", "$0\r\n\r\n");
  expect([](auto& w) { w.array(2); }, "*2\r\n", "*2\r\n");
}

TEST(ReplyWriter, FallsBackToWhatResp2Has) {
  expect([](auto& w) { w.null(); }, "$-1\r\n", "_\r\n");
  expect([](auto& w) { w.null_array(); }, "*-1\r\n", "_\r\n");
  expect([](auto& w) { w.map(3); }, "*6\r\n", "%3\r\n");
  expect([](auto& w) { w.set(3); }, "*3\r\n", "~3\r\n");
  expect([](auto& w) { w.push(3); }, "*3\r\n", ">3\r\n");
  expect([](auto& w) { w.boolean(true); }, ":1\r\n", "#t\r\n");
  expect([](auto& w) { w.boolean(false); }, ":0\r\n", "#f\r\n");
  expect([](auto& w) { w.real(3.25); }, "$4\r\n3.25\r\n", ",3.25\r\n");
  expect([](auto& w) { w.big_number("-123"); }, "$4\r\n-123\r\n", "(-123\r\n");
  expect([](auto& w) { w.verbatim("txt", "hi"); }, "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n");
}

TEST(ReplyWriter, WritesExtremeNumbers) {
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  expect([](auto& w) { w.integer(kLeast); }, ":-9223372036854775808\r\n",
         ":-9223372036854775808\r\n");
  expect([](auto& w) { w.real(HUGE_VAL); }, "$3\r\ninf\r\n", ",inf\r\n");
  expect([](auto& w) { w.real(-HUGE_VAL); }, "$4\r\n-inf\r\n", ",-inf\r\n");
  expect([](auto& w) { w.real(-std::nan("")); }, "$3\r\nnan\r\n", ",nan\r\n");
}

TEST(ReplyWriter, NothingFromAClientCanEndALine) {
  expect([](auto& w) { w.error("ERR unknown command 'a\r\n+OK'"); },
         "-ERR unknown command 'a  +OK'\r\n", "-ERR unknown command 'a  +OK'\r\n");
  expect([](auto& w) { w.simple("a\nb"); }, "+a b\r\n", "+a b\r\n");
}

TEST(ReplyWriter, WritesValuesLargerThanABlock) {
  const std::string value(1'000'000, 'v');

  EXPECT_EQ(written(Protocol::kResp2, [&](auto& w) { w.bulk(value); }),
            "$1000000\r\n" + value + "\r\n");
}

TEST(RequestWriter, WritesACommandAsAnArrayOfBulks) {
  OutputBuffer output;
  RequestWriter writer{output};
  writer.command({"SET", "k", ""});
  writer.begin(2);
  writer.argument("INCRBY");
  writer.argument(-5);

  std::array<std::string_view, 1> piece;
  ASSERT_EQ(output.gather(piece), 1U);
  EXPECT_EQ(piece[0], "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n*2\r\n$6\r\nINCRBY\r\n$2\r\n-5\r\n");
}

}  // namespace
}  // namespace larder::resp
