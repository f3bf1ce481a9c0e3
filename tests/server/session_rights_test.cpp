// What each command needs, of everybody: the table below against every command there
// is and every kind of user, alone and between MULTI and EXEC.
#include <gmock/gmock.h>

#include <algorithm>
#include <ostream>
#include <set>

#include "server/session_fixture.hpp"

namespace larder::test {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

enum class Needs : std::uint8_t {
  kNothing,       // not even to be somebody
  kUser,          // to be somebody
  kRead,          // of the cache of its keys
  kWrite,         // likewise
  kReadAndWrite,  // likewise
  kAdmin,         // likewise
  kReadAll,       // of all caches
  kAdminAll,      // likewise
};

struct Line {
  std::string_view text;
  Needs needs;
};

// One or more of each command; their keys are of the cache `tag`.
constexpr Line kLines[] = {
    {"ACL HELP", Needs::kUser},
    {"ACL WHOAMI", Needs::kUser},
    {"APPEND tag:a x", Needs::kReadAndWrite},
    {"AUTH x", Needs::kNothing},
    {"CLIENT CACHING YES", Needs::kUser},
    {"CLIENT GETNAME", Needs::kUser},
    {"CLIENT GETREDIR", Needs::kUser},
    {"CLIENT HELP", Needs::kUser},
    {"CLIENT ID", Needs::kUser},
    {"CLIENT INFO", Needs::kUser},
    {"CLIENT KILL ID 999", Needs::kUser},
    {"CLIENT LIST", Needs::kUser},
    {"CLIENT NO-EVICT OFF", Needs::kUser},
    {"CLIENT NO-TOUCH OFF", Needs::kUser},
    {"CLIENT PAUSE 1", Needs::kUser},
    {"CLIENT REPLY ON", Needs::kUser},
    {"CLIENT SETINFO LIB-NAME x", Needs::kUser},
    {"CLIENT SETNAME x", Needs::kUser},
    {"CLIENT TRACKING OFF", Needs::kUser},
    {"CLIENT TRACKINGINFO", Needs::kUser},
    {"CLIENT UNBLOCK 999", Needs::kUser},
    {"CLIENT UNPAUSE", Needs::kUser},
    {"COMMAND", Needs::kUser},
    {"COMMAND COUNT", Needs::kUser},
    {"COMMAND DOCS get", Needs::kUser},
    {"COMMAND GETKEYS get tag:a", Needs::kUser},
    {"COMMAND HELP", Needs::kUser},
    {"COMMAND INFO get", Needs::kUser},
    {"COMMAND LIST", Needs::kUser},
    {"CONFIG GET *", Needs::kAdminAll},
    {"CONFIG HELP", Needs::kUser},
    {"CONFIG RESETSTAT", Needs::kAdminAll},
    {"CONFIG REWRITE", Needs::kAdminAll},
    {"CONFIG SET save x", Needs::kAdminAll},
    {"DBSIZE", Needs::kReadAll},
    {"DECR tag:a", Needs::kReadAndWrite},
    {"DECRBY tag:a 2", Needs::kReadAndWrite},
    {"DEL tag:a", Needs::kWrite},
    {"DISCARD", Needs::kUser},
    {"ECHO x", Needs::kUser},
    {"EXEC", Needs::kUser},
    {"EXISTS tag:a", Needs::kRead},
    {"EXPIRE tag:a 5", Needs::kWrite},
    {"EXPIREAT tag:a 5", Needs::kWrite},
    {"EXPIRETIME tag:a", Needs::kRead},
    {"FLUSHALL", Needs::kAdminAll},
    {"FLUSHDB", Needs::kAdminAll},
    {"GET tag:a", Needs::kRead},
    {"GETDEL tag:a", Needs::kReadAndWrite},
    {"GETEX tag:a EX 5", Needs::kReadAndWrite},
    {"GETRANGE tag:a 0 1", Needs::kRead},
    {"GETSET tag:a x", Needs::kReadAndWrite},
    {"HELLO", Needs::kUser},
    {"INCR tag:a", Needs::kReadAndWrite},
    {"INCRBY tag:a 2", Needs::kReadAndWrite},
    {"INCRBYFLOAT tag:a 2.5", Needs::kReadAndWrite},
    {"INFO", Needs::kUser},
    {"KEYS *", Needs::kReadAll},
    {"LARDER CACHES", Needs::kUser},
    {"LARDER EXPLAIN tag:a", Needs::kRead},
    {"LARDER FILL tag:a 1-1 1", Needs::kWrite},
    {"LARDER HELP", Needs::kUser},
    {"LARDER INVALIDATE CACHE tag", Needs::kAdmin},
    {"LARDER INVALIDATE KEY tag:a", Needs::kWrite},
    {"LARDER LEASE tag:a", Needs::kReadAndWrite},
    {"LARDER REFRESH tag:a", Needs::kReadAndWrite},
    {"LARDER RELEASE tag:a 1-1", Needs::kWrite},
    {"LARDER RELOAD", Needs::kAdminAll},
    {"LARDER STATS", Needs::kUser},
    {"LARDER STATS tag", Needs::kRead},
    {"LATENCY DOCTOR", Needs::kAdminAll},
    {"LATENCY GRAPH command", Needs::kAdminAll},
    {"LATENCY HELP", Needs::kUser},
    {"LATENCY HISTOGRAM get", Needs::kAdminAll},
    {"LATENCY HISTORY command", Needs::kAdminAll},
    {"LATENCY LATEST", Needs::kAdminAll},
    {"LATENCY RESET", Needs::kAdminAll},
    {"MEMORY HELP", Needs::kUser},
    {"MEMORY USAGE tag:a", Needs::kRead},
    {"MGET tag:a tag:b", Needs::kRead},
    {"MONITOR", Needs::kAdminAll},
    {"MSET tag:a x tag:b y", Needs::kWrite},
    {"MSETNX tag:b x tag:c y", Needs::kWrite},
    {"MULTI", Needs::kUser},
    {"OBJECT ENCODING tag:a", Needs::kRead},
    {"OBJECT FREQ tag:a", Needs::kRead},
    {"OBJECT HELP", Needs::kUser},
    {"OBJECT IDLETIME tag:a", Needs::kRead},
    {"PERSIST tag:a", Needs::kWrite},
    {"PEXPIRE tag:a 5000", Needs::kWrite},
    {"PEXPIREAT tag:a 5000", Needs::kWrite},
    {"PEXPIRETIME tag:a", Needs::kRead},
    {"PING", Needs::kUser},
    {"PSETEX tag:a 5000 x", Needs::kWrite},
    {"PTTL tag:a", Needs::kRead},
    {"QUIT", Needs::kNothing},
    {"RANDOMKEY", Needs::kReadAll},
    {"RESET", Needs::kNothing},
    {"SCAN 0", Needs::kReadAll},
    {"SELECT 0", Needs::kUser},
    {"SET tag:a x", Needs::kWrite},
    {"SET tag:a x GET", Needs::kReadAndWrite},
    {"SETEX tag:a 5 x", Needs::kWrite},
    {"SETNX tag:b x", Needs::kWrite},
    {"SETRANGE tag:a 1 x", Needs::kWrite},
    {"SLOWLOG GET", Needs::kAdminAll},
    {"SLOWLOG HELP", Needs::kUser},
    {"SLOWLOG LEN", Needs::kAdminAll},
    {"SLOWLOG RESET", Needs::kAdminAll},
    {"STRLEN tag:a", Needs::kRead},
    {"SUBSTR tag:a 0 1", Needs::kRead},
    {"TIME", Needs::kUser},
    {"TOUCH tag:a", Needs::kRead},
    {"SUBSCRIBE __redis__:invalidate", Needs::kUser},
    {"TTL tag:a", Needs::kRead},
    {"TYPE tag:a", Needs::kRead},
    {"UNLINK tag:a", Needs::kWrite},
    {"UNSUBSCRIBE", Needs::kUser},
    {"UNWATCH", Needs::kUser},
    {"WATCH tag:a", Needs::kRead},
};

struct Kind {
  std::string_view name;
  bool somebody;
  std::vector<Grant> grants;

  [[nodiscard]] bool has(Right right, std::string_view cache) const {
    return std::ranges::any_of(grants, [&](const Grant& grant) {
      return grant.right == right && (grant.cache == "*" || grant.cache == cache);
    });
  }
  // The rights as docs/security.md tells them, once more.
  [[nodiscard]] bool may(Needs needs) const {
    switch (needs) {
      case Needs::kNothing: return true;
      case Needs::kUser: return somebody;
      case Needs::kRead: return has(Right::kRead, "tag");
      case Needs::kWrite: return has(Right::kWrite, "tag");
      case Needs::kReadAndWrite: return has(Right::kRead, "tag") && has(Right::kWrite, "tag");
      case Needs::kAdmin: return has(Right::kAdmin, "tag");
      case Needs::kReadAll: return has(Right::kRead, "*every*");
      case Needs::kAdminAll: return has(Right::kAdmin, "*every*");
    }
    return false;
  }
};

std::vector<Grant> all_rights_to(std::string cache) {
  return {{Right::kRead, cache}, {Right::kWrite, cache}, {Right::kAdmin, cache}};
}

std::ostream& operator<<(std::ostream& out, const Kind& kind) { return out << kind.name; }

class SessionRights : public SessionTest, public ::testing::WithParamInterface<Kind> {
 protected:
  // A new client that is of this kind, and a tag that it may or may not change.
  void begin(const Kind& kind) {
    User user{"default", std::nullopt, Rights{kind.grants}};
    if (!kind.somebody) user.password = PasswordHash::of("x", {.log_rounds = 1}).value();
    authenticator_->replace(Users::of({std::move(user)}));
    checks_.clear();
    open();
    keyspace_.clear();
    ASSERT_TRUE(keyspace_.members()->at(1).cache->put("tag:a", "5"));
  }
  // Every entry with its value and its end.
  [[nodiscard]] std::set<std::string> content() {
    std::set<std::string> all;
    std::uint64_t cursor = 0;
    do {
      cursor = keyspace_.tier().scan(
          cursor, 100, clock_.now(),
          [&](std::string_view key, std::string_view value, const EntryInfo& info) {
            all.insert(std::string{key} + " " + std::string{value} + " " +
                       std::to_string(info.usable_until.time_since_epoch().count()));
          });
    } while (cursor != 0);
    return all;
  }
};

// A cache that one may do nothing with is not even said to be there.
const auto kForbidden =
    AnyOf(StartsWith("-NOPERM"), StartsWith("-NOAUTH"), StartsWith("-ERR there is no cache"));

TEST_P(SessionRights, AreAskedForByEveryCommand) {
  for (const Line& line : kLines) {
    SCOPED_TRACE(line.text);
    begin(GetParam());
    const auto before = content();

    const std::string reply = ask(line.text);

    if (GetParam().may(line.needs)) {
      EXPECT_THAT(reply, Not(kForbidden));
    } else {
      EXPECT_THAT(reply, kForbidden);
      EXPECT_EQ(content(), before);
    }
  }
}

TEST_P(SessionRights, AreAskedForBetweenMultiAndExec) {
  if (!GetParam().somebody) return;
  for (const Line& line : kLines) {
    SCOPED_TRACE(line.text);
    begin(GetParam());
    const auto before = content();
    ask("MULTI");

    const std::string queued = ask(line.text);
    if (session_->finished() || !session_->transaction()) continue;  // QUIT, RESET, EXEC …
    const std::string result = ask("EXEC");

    if (GetParam().may(line.needs)) {
      EXPECT_THAT(queued, Not(kForbidden));
      EXPECT_THAT(result, Not(HasSubstr("-NOPERM")));
    } else {
      EXPECT_THAT(queued + result, AnyOf(HasSubstr("-NOPERM"), HasSubstr("there is no cache")));
      EXPECT_EQ(content(), before);
    }
  }
}

// Rights may be taken, by a reload, from who has queued commands.
TEST_P(SessionRights, AreAskedForAgainByExec) {
  if (!GetParam().somebody) return;
  const Kind master{"master", true, all_rights_to("*")};
  for (const Line& line : kLines) {
    SCOPED_TRACE(line.text);
    begin(master);
    ask("MULTI");
    if (ask(line.text) != "+QUEUED\r\n") continue;
    authenticator_->replace(Users::of({User{"default", std::nullopt, Rights{GetParam().grants}}}));
    const auto before = content();

    const std::string result = ask("EXEC");

    EXPECT_THAT(result, StartsWith("*1\r\n"));
    if (GetParam().may(line.needs)) {
      EXPECT_THAT(result.substr(4), Not(kForbidden));
    } else {
      EXPECT_THAT(result.substr(4), kForbidden);
      EXPECT_EQ(content(), before);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, SessionRights,
    ::testing::Values(Kind{"nobody", false, {}}, Kind{"reader", true, {{Right::kRead, "tag"}}},
                      Kind{"writer", true, {{Right::kWrite, "tag"}}},
                      Kind{"user", true, {{Right::kRead, "tag"}, {Right::kWrite, "tag"}}},
                      Kind{"owner", true, all_rights_to("tag")},
                      Kind{"neighbour", true, all_rights_to("product")},
                      Kind{"watcher", true, {{Right::kRead, "*"}}},
                      Kind{"administrator", true, {{Right::kAdmin, "*"}}},
                      Kind{"master", true, all_rights_to("*")}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(Rights, OfEveryCommandAreSaidAbove) {
  std::set<std::string, std::less<>> said;
  for (const Line& line : kLines) {
    const std::size_t blank = std::min(line.text.find(' '), line.text.size());
    const Command* command = find_command(line.text.substr(0, blank));
    ASSERT_NE(command, nullptr) << line.text;
    const std::string_view rest = line.text.substr(std::min(blank + 1, line.text.size()));
    const Command* sub = find_subcommand(*command, rest.substr(0, rest.find(' ')));
    said.emplace(sub != nullptr ? sub->name : command->name);
  }

  for (const Command& command : all_commands()) {
    if (command.run != nullptr) EXPECT_TRUE(said.contains(command.name)) << command.name;
    for (const Command& sub : command.subcommands) {
      EXPECT_TRUE(said.contains(sub.name)) << sub.name << ": add a line with what it needs";
    }
  }
}

}  // namespace
}  // namespace larder::test
