// A whole session: whatever a client sends, and however it arrives, each reply is well
// formed, there are as many, and what the user may not change stays as it was.
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "access/authenticator.hpp"
#include "cache/keyspace.hpp"
#include "fuzz/check.hpp"
#include "larder/runtime.hpp"
#include "resp/reply_decoder.hpp"
#include "server/hand_source.hpp"
#include "server/server_state.hpp"
#include "server/session.hpp"

namespace larder {
namespace {

using fuzz::require;

constexpr Limits kLimits{.max_request = {32 << 10},
                         .max_arguments = 64,
                         .max_key = {256},
                         .max_value = {16 << 10},
                         .max_reply_buffer = {64 << 10},
                         .max_pipeline = 8,
                         .send_batch = {4 << 10}};

// `product:{id:int}` read through, `tag:{name}` plain, `locked:{name}` only to be read.
// `sam` has the password "x" and may do nothing.
class Conversation {
 public:
  explicit Conversation(Runtime& runtime)
      : keyspace_{runtime, {.capacity = {4 << 20}}, caches(source_)} {
    require(locked().put("locked:a", "kept").has_value(), "there is room");
  }
  // A load that is not ended keeps its cache, and so its source, alive.
  ~Conversation() { source_->forget(); }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  // The replies to `bytes`, cut there; nullopt: the client had itself closed.
  std::optional<std::string> replies(std::string_view bytes, const std::vector<std::size_t>& cuts) {
    std::string replies;
    std::size_t from = 0;
    for (std::size_t piece = 0; piece <= cuts.size(); ++piece) {
      const std::size_t to = piece < cuts.size() ? cuts[piece] : bytes.size();
      if (to > from && session_.wants_input()) session_.receive(bytes.substr(from, to - from));
      from = to;
      settle(replies);
      if (session_.killed()) return std::nullopt;
    }
    session_.end_input();
    settle(replies);
    require(session_.killed() || session_.finished(), "a session whose input ended is finished");
    return replies;
  }

  bool kept() {
    const auto answer = locked().peek("locked:a");
    return answer && *answer == "kept";
  }

 private:
  static std::vector<KeyspaceCache> caches(std::shared_ptr<test::HandSource> source) {
    const auto pattern = [](std::string_view text) { return KeyPattern::parse(text).value(); };
    std::vector<KeyspaceCache> all;
    all.push_back(
        {pattern("product:{id:int}"), {.name = "product", .source = source, .jitter = 0}});
    all.push_back({pattern("tag:{name}"), {.name = "tag", .jitter = 0}});
    all.push_back({pattern("locked:{name}"), {.name = "locked", .jitter = 0}});
    return all;
  }

  static std::shared_ptr<const Users> users() {
    const std::vector<Grant> grants{{Right::kRead, "*"},
                                    {Right::kWrite, "tag"},
                                    {Right::kAdmin, "tag"},
                                    {Right::kWrite, "product"},
                                    {Right::kAdmin, "product"}};
    static const PasswordHash password =
        PasswordHash::of("x", {.log_rounds = 10, .block = 8, .lanes = 1}).value();
    return Users::of({User{"default", std::nullopt, Rights{grants}}, User{"sam", password, {}}});
  }

  BytesCache& locked() { return *keyspace_.members()->at(2).cache; }

  // Sends all replies, ends all loads, checks all passwords, until nothing is left.
  void settle(std::string& replies) {
    for (bool more = true; more;) {
      more = send(replies);
      for (; loads_ended_ < source_->asked().size(); more = true) source_->succeed(loads_ended_++);
      for (; !checks_.empty(); more = true) {
        auto check = std::move(checks_.front());
        checks_.pop_front();
        check();
      }
      session_.collect();
      session_.resume();
    }
    session_.replies().keep();
  }

  bool send(std::string& replies) {
    auto& ready = session_.replies().ready();
    bool some = false;
    std::string_view piece;
    while (!ready.empty() && ready.gather({&piece, 1}) == 1) {
      replies += piece;
      ready.consume(piece.size());
      some = true;
    }
    return some;
  }

  std::shared_ptr<test::HandSource> source_ = std::make_shared<test::HandSource>();
  std::size_t loads_ended_ = 0;
  Keyspace keyspace_;
  std::deque<std::move_only_function<void()>> checks_;
  std::shared_ptr<Authenticator> authenticator_ = std::make_shared<Authenticator>(
      users(),
      [this](std::move_only_function<void()> check) { checks_.push_back(std::move(check)); });
  ServerState state_{
      keyspace_, kLimits, 1, {.config_file = "larder.toml", .port = 6380}, authenticator_};
  SessionContext context_{.server = state_,
                          .limits = state_.limits(),
                          .counters = state_.counters(0),
                          .keys = KeyspaceView{keyspace_}};
  Session session_{context_, state_.next_client_id(), [] {}};
};

std::size_t count(std::string_view replies) {
  resp::ReplyDecoder decoder;
  std::size_t count = 0;
  while (!replies.empty()) {
    const auto outcome = decoder.decode(replies);
    require(outcome == resp::ReplyDecoder::Outcome::kReply,
            "replies are well formed, not: " + decoder.error());
    static_cast<void>(decoder.take());
    replies.remove_prefix(decoder.consumed());
    ++count;
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Its threads would cost more than the session; nothing of one input stays in it.
  static ManualClock clock;
  static Runtime runtime{{.io_threads = 1, .blocking_threads = 1, .clock = &clock}};
  const fuzz::Input input{data, size};

  Conversation whole{runtime};
  const auto expected = whole.replies(input.bytes, {});
  Conversation cut{runtime};
  const auto replies =
      cut.replies(input.bytes, input.control >= 128 ? input.every_byte() : input.cuts());

  if (expected && replies) {
    require(count(*expected) == count(*replies), "as many replies, however the bytes arrive");
  }
  require(whole.kept() && cut.kept(), "what the user may not change stays");
  return 0;
}

}  // namespace larder
