#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>

#include "resp/reply_decoder.hpp"
#include "resp/reply_writer.hpp"
#include "resp/write_reply.hpp"

namespace larder::resp {
namespace {

using Kind = Reply::Kind;
using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t end) { return random() % end; }

std::string random_text(Random& random, std::string_view letters, std::size_t least = 0) {
  std::string text(least + below(random, 20), '\0');
  for (char& c : text) c = letters[below(random, letters.size())];
  return text;
}

Reply random_reply(Random& random, int depth) {
  constexpr std::string_view kLine = "abc ERR$*:-";
  constexpr std::string_view kBytes{"ab\r\n$*_.;:\0\xff", 12};
  Reply reply;
  reply.kind = static_cast<Kind>(below(random, depth > 0 ? 12 : 9));
  switch (reply.kind) {
    case Kind::kNull: break;
    case Kind::kSimple:
    case Kind::kError: reply.text = random_text(random, kLine); break;
    case Kind::kBulk:
    case Kind::kVerbatim: reply.text = random_text(random, kBytes); break;
    case Kind::kBigNumber: reply.text = random_text(random, "0123456789", 1); break;
    case Kind::kInteger: reply.integer = static_cast<std::int64_t>(random()); break;
    case Kind::kBoolean: reply.integer = static_cast<std::int64_t>(below(random, 2)); break;
    case Kind::kReal: reply.real = static_cast<double>(random()) / 1e7 - 1e10; break;
    case Kind::kArray:
    case Kind::kSet:
    case Kind::kMap:
    case Kind::kPush: reply.items.resize(below(random, 4) * (reply.kind == Kind::kMap ? 2 : 1));
  }
  for (Reply& item : reply.items) item = random_reply(random, depth - 1);
  return reply;
}

TEST(ReplyProperty, RepliesWrittenAreDecodedAgainHoweverTheyArrive) {
  using Outcome = ReplyDecoder::Outcome;
  for (std::uint64_t seed = 0; seed < 5000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random{seed};
    OutputBuffer output;
    ReplyWriter writer{output, Protocol::kResp3};
    std::vector<Reply> replies(1 + below(random, 4));
    for (Reply& reply : replies) write(writer, reply = random_reply(random, 4));
    std::vector<std::string_view> pieces(64);
    pieces.resize(output.gather(pieces));
    std::string bytes;
    for (const std::string_view piece : pieces) bytes += piece;

    ReplyDecoder decoder;
    std::vector<Reply> decoded;
    std::size_t begin = 0;
    std::size_t end = 0;
    while (end < bytes.size()) {
      end += std::min(1 + below(random, 30), bytes.size() - end);
      for (auto outcome = Outcome::kReply; outcome != Outcome::kNeedMore;) {
        const auto moved = std::make_unique<char[]>(end - begin);
        std::copy_n(bytes.data() + begin, end - begin, moved.get());
        outcome = decoder.decode({moved.get(), end - begin});
        ASSERT_NE(outcome, Outcome::kError) << decoder.error();
        begin += decoder.consumed();
        if (outcome == Outcome::kReply) decoded.push_back(decoder.take());
      }
    }

    ASSERT_EQ(decoded, replies);
    ASSERT_EQ(begin, bytes.size());
  }
}

}  // namespace
}  // namespace larder::resp
