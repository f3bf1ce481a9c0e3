// LARDER LEASE, FILL and RELEASE: of many clients that miss a key, one loads it.
#include <gmock/gmock.h>

#include <map>
#include <random>

#include "server/session_fixture.hpp"

namespace larder::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::string bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string{text} + "\r\n";
}
std::string value_reply(std::string_view value) { return "*2\r\n" + bulk(value) + "$-1\r\n"; }
const std::string kInVain = "*2\r\n$-1\r\n$-1\r\n";

// The token of a reply that is one; empty of any other.
std::string token_of(const std::string& reply) {
  const std::string head = "*2\r\n$-1\r\n$";
  if (!reply.starts_with(head) || reply == kInVain) return {};
  const std::size_t begin = reply.find('\n', head.size()) + 1;
  return reply.substr(begin, reply.size() - begin - 2);
}

// One of many clients.
class Client {
 public:
  Client(SessionContext& context, std::uint64_t id) : session_{context, id, [this] { ++wakes; }} {}

  std::string ask(std::string_view line) { return send(command(line)); }
  std::string send(std::string_view bytes) {
    session_.receive(bytes);
    return received();
  }
  // What it received since.
  std::string hear() {
    session_.collect();
    return received();
  }

  int wakes = 0;

 private:
  std::string received() {
    std::string bytes;
    auto& ready = session_.replies().ready();
    while (!ready.empty()) {
      std::string_view piece[1];
      if (ready.gather(piece) == 0) break;
      bytes += piece[0];
      ready.consume(piece[0].size());
    }
    session_.replies().keep();
    return bytes;
  }

  Session session_;
};

class SessionLease : public SessionTest {
 protected:
  explicit SessionLease(Limits limits = {}) : SessionTest{limits} {}

  std::unique_ptr<Client> client() {
    return std::make_unique<Client>(context_, state_.next_client_id());
  }
  std::vector<std::unique_ptr<Client>> clients(std::size_t count) {
    std::vector<std::unique_ptr<Client>> all;
    while (all.size() < count) all.push_back(client());
    return all;
  }
  void pass(Duration time) {
    clock_.advance(time);
    state_.leases().end_due(clock_.now());
  }

  std::unique_ptr<Client> a_ = client();
  std::unique_ptr<Client> b_ = client();
};

TEST_F(SessionLease, AnswersTheValueThatIsThere) {
  ask("SET tag:a 1");
  EXPECT_EQ(a_->ask("LARDER LEASE tag:a"), value_reply("1"));
  EXPECT_EQ(state_.leases().counts().given, 0U);
}

TEST_F(SessionLease, OfAHundredClientsOneLoadsAndAllGetTheValue) {
  const auto all = clients(100);
  std::vector<std::string> tokens;
  for (const auto& each : all) {
    const std::string reply = each->ask("LARDER LEASE tag:a");
    if (!reply.empty()) tokens.push_back(token_of(reply));
  }
  ASSERT_EQ(tokens.size(), 1U);
  ASSERT_THAT(tokens[0], Not(IsEmpty()));

  EXPECT_EQ(all[0]->ask("LARDER FILL tag:a " + tokens[0] + " loaded"), "+OK\r\n");

  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_EQ(all[i]->hear(), value_reply("loaded")) << i;
  }
  EXPECT_EQ(ask("GET tag:a"), bulk("loaded"));
  EXPECT_EQ(state_.leases().counts().held, 0U);
  EXPECT_EQ(state_.leases().counts().waiting, 0U);
  EXPECT_EQ(state_.leases().counts().bytes, 0U);
}

TEST_F(SessionLease, AnyConnectionMayFillWithTheToken) {
  const std::string token = token_of(a_->ask("LARDER LEASE tag:a"));

  EXPECT_EQ(b_->ask("LARDER FILL tag:a " + token + " 1"), "+OK\r\n");
  EXPECT_EQ(ask("GET tag:a"), bulk("1"));
}

TEST_F(SessionLease, FillsForTheCachesTtlOrItsOwn) {
  const std::string first = token_of(ask("LARDER LEASE tag:a"));
  const std::string second = token_of(ask("LARDER LEASE tag:b"));
  ask("LARDER FILL tag:a " + first + " 1");
  ask("LARDER FILL tag:b " + second + " 1 EX 7");

  EXPECT_EQ(ask("TTL tag:a"), ":300\r\n");
  EXPECT_EQ(ask("TTL tag:b"), ":7\r\n");
}

TEST_F(SessionLease, GetAndSetNeverWait) {
  const std::string token = token_of(a_->ask("LARDER LEASE tag:a"));
  ASSERT_THAT(b_->ask("LARDER LEASE tag:a"), IsEmpty());

  EXPECT_EQ(ask("GET tag:a"), "$-1\r\n");
  EXPECT_EQ(ask("SET tag:a mine"), "+OK\r\n");

  EXPECT_EQ(b_->hear(), value_reply("mine"));
  EXPECT_EQ(a_->ask("LARDER FILL tag:a " + token + " older"), "+CHANGED\r\n");
  EXPECT_EQ(ask("GET tag:a"), bulk("mine"));
}

TEST_F(SessionLease, WhatWasLoadedBeforeAChangeIsRefused) {
  const std::vector<std::string> changes = {"SET tag:a 1",
                                            "DEL tag:a",
                                            "UNLINK tag:a",
                                            "SETEX tag:a 5 1",
                                            "APPEND tag:a x",
                                            "INCR tag:a",
                                            "MSET tag:a 1",
                                            "SETRANGE tag:a 0 x",
                                            "GETSET tag:a 1",
                                            "FLUSHALL",
                                            "FLUSHDB",
                                            "LARDER INVALIDATE KEY tag:a",
                                            "LARDER INVALIDATE CACHE tag",
                                            "SET tag:a 1 PX 1",
                                            "GETDEL tag:a"};
  for (const std::string& change : changes) {
    ask("DEL tag:a");
    const std::string token = token_of(a_->ask("LARDER LEASE tag:a"));
    ASSERT_THAT(token, Not(IsEmpty())) << change;

    ask(change);

    EXPECT_EQ(a_->ask("LARDER FILL tag:a " + token + " loaded"), "+CHANGED\r\n") << change;
    EXPECT_THAT(ask("GET tag:a"), Not(HasSubstr("loaded"))) << change;
    // It was told; the token is good for nothing more.
    EXPECT_EQ(a_->ask("LARDER FILL tag:a " + token + " loaded"), "+OVER\r\n") << change;
  }
  EXPECT_EQ(state_.leases().counts().bytes, 0U);
}

TEST_F(SessionLease, WhatChangesNothingLeavesTheLeaseBe) {
  const std::string token = token_of(a_->ask("LARDER LEASE tag:a"));
  for (const char* each :
       {"GET tag:a", "EXPIRE tag:a 10", "PERSIST tag:a", "SET tag:a 1 XX", "SET tag:b 1",
        "DEL tag:b", "TTL tag:a", "GETEX tag:a EX 5", "LARDER INVALIDATE CACHE product"}) {
    ask(each);
  }
  keyspace_.tier().expire(clock_.now(), 1000);
  EXPECT_EQ(a_->ask("LARDER FILL tag:a " + token + " 1"), "+OK\r\n");
}

TEST_F(SessionLease, EvictionOfOtherKeysLeavesTheLeaseBe) {
  const std::string token = token_of(a_->ask("LARDER LEASE tag:a"));
  const std::string large(200'000, 'x');
  for (int i = 0; i < 200; ++i) ask("SET tag:x" + std::to_string(i) + " " + large);
  ASSERT_GT(keyspace_.tier().stats().evictions, 0U);

  EXPECT_EQ(a_->ask("LARDER FILL tag:a " + token + " 1"), "+OK\r\n");
}

// After a change whoever waited loads anew, one of them.
TEST_F(SessionLease, ADropMakesOneOfTheWaitingTheLoader) {
  const auto all = clients(50);
  const std::string first = token_of(a_->ask("LARDER LEASE tag:a"));
  for (const auto& each : all) ASSERT_THAT(each->ask("LARDER LEASE tag:a"), IsEmpty());

  ask("DEL tag:a");

  std::vector<std::string> tokens;
  for (const auto& each : all) {
    if (const std::string heard = each->hear(); !heard.empty()) tokens.push_back(token_of(heard));
  }
  ASSERT_EQ(tokens.size(), 1U);
  EXPECT_NE(tokens[0], first);
  EXPECT_EQ(a_->ask("LARDER FILL tag:a " + first + " old"), "+CHANGED\r\n");
  EXPECT_EQ(b_->ask("LARDER FILL tag:a " + tokens[0] + " new"), "+OK\r\n");
  for (const auto& each : all) EXPECT_THAT(each->hear(), AnyOf(IsEmpty(), value_reply("new")));
  EXPECT_EQ(state_.leases().counts().waiting, 0U);
}

TEST_F(SessionLease, AClientThatGoesMakesTheNextOneTheLoader) {
  a_->ask("LARDER LEASE tag:a");
  const auto all = clients(10);
  for (const auto& each : all) ASSERT_THAT(each->ask("LARDER LEASE tag:a"), IsEmpty());

  a_.reset();

  std::vector<std::string> tokens;
  for (const auto& each : all) {
    if (const std::string heard = each->hear(); !heard.empty()) tokens.push_back(token_of(heard));
  }
  ASSERT_EQ(tokens.size(), 1U);
  EXPECT_EQ(all[0]->ask("LARDER FILL tag:a " + tokens[0] + " 1"), "+OK\r\n");
}

TEST_F(SessionLease, AClientThatWaitsMayGo) {
  const std::string token = token_of(a_->ask("LARDER LEASE tag:a"));
  ASSERT_THAT(b_->ask("LARDER LEASE tag:a"), IsEmpty());
  const auto third = client();
  ASSERT_THAT(third->ask("LARDER LEASE tag:a"), IsEmpty());

  b_.reset();

  EXPECT_EQ(a_->ask("LARDER RELEASE tag:a " + token), ":1\r\n");
  EXPECT_THAT(token_of(third->hear()), Not(IsEmpty()));
}

TEST_F(SessionLease, AReleaseMakesTheNextOneTheLoader) {
  const std::string token = token_of(a_->ask("LARDER LEASE tag:a"));
  ASSERT_THAT(b_->ask("LARDER LEASE tag:a"), IsEmpty());

  EXPECT_EQ(a_->ask("LARDER RELEASE tag:a " + token), ":1\r\n");
  EXPECT_EQ(a_->ask("LARDER RELEASE tag:a " + token), ":0\r\n");

  const std::string next = token_of(b_->hear());
  EXPECT_EQ(a_->ask("LARDER FILL tag:a " + token + " 1"), "+OVER\r\n");
  EXPECT_EQ(b_->ask("LARDER FILL tag:a " + next + " 2"), "+OK\r\n");
}

TEST_F(SessionLease, ALeaseEndsWithItsTime) {
  const std::string token = token_of(a_->ask("LARDER LEASE tag:a LEASE 2000"));
  ASSERT_THAT(b_->ask("LARDER LEASE tag:a"), IsEmpty());
  pass(1999ms);
  ASSERT_THAT(b_->hear(), IsEmpty());

  pass(1ms);

  EXPECT_THAT(token_of(b_->hear()), Not(IsEmpty()));
  EXPECT_EQ(a_->ask("LARDER FILL tag:a " + token + " late"), "+OVER\r\n");
  EXPECT_EQ(ask("GET tag:a"), "$-1\r\n");
}

TEST_F(SessionLease, ALeaseThatEndedUnnoticedIsOverAllTheSame) {
  const std::string token = token_of(a_->ask("LARDER LEASE tag:a LEASE 2000"));
  clock_.advance(2s);

  EXPECT_EQ(a_->ask("LARDER FILL tag:a " + token + " late"), "+OVER\r\n");
  EXPECT_THAT(token_of(b_->ask("LARDER LEASE tag:a")), Not(IsEmpty()));
}

TEST_F(SessionLease, AWaitEndsWithItsTime) {
  a_->ask("LARDER LEASE tag:a");
  ASSERT_THAT(b_->ask("LARDER LEASE tag:a WAIT 300"), IsEmpty());

  pass(299ms);
  EXPECT_THAT(b_->hear(), IsEmpty());
  pass(1ms);
  EXPECT_EQ(b_->hear(), kInVain);

  EXPECT_EQ(b_->ask("LARDER LEASE tag:a WAIT 0"), kInVain);
  EXPECT_EQ(state_.leases().counts().in_vain, 2U);
}

// A change does not make a wait longer.
TEST_F(SessionLease, AWaitThatLooksAgainEndsWithItsFirstTime) {
  a_->ask("LARDER LEASE tag:a");
  ASSERT_THAT(b_->ask("LARDER LEASE tag:a WAIT 300"), IsEmpty());
  pass(200ms);
  ask("DEL tag:a");
  a_->ask("LARDER LEASE tag:a");
  ASSERT_THAT(b_->hear(), IsEmpty());

  pass(100ms);

  EXPECT_EQ(b_->hear(), kInVain);
}

TEST_F(SessionLease, RepliesKeepTheirOrderAndCommandsBehindAWaitGoOn) {
  const std::string token = token_of(a_->ask("LARDER LEASE tag:a"));

  // One connection that many share: it waits for what it fills itself.
  EXPECT_THAT(a_->send(command("PING") + command("LARDER LEASE tag:a") + command("GET tag:b") +
                       command("LARDER LEASE tag:a")),
              "+PONG\r\n");
  a_->ask("LARDER FILL tag:a " + token + " 1");

  EXPECT_EQ(a_->hear(), value_reply("1") + "$-1\r\n" + value_reply("1") + "+OK\r\n");
}

TEST_F(SessionLease, SpeaksResp3) {
  a_->ask("HELLO 3");
  EXPECT_THAT(a_->ask("LARDER LEASE tag:a"), StartsWith("*2\r\n_\r\n$"));
  ask("SET tag:b 1");
  EXPECT_EQ(a_->ask("LARDER LEASE tag:b"), "*2\r\n$1\r\n1\r\n_\r\n");
}

TEST_F(SessionLease, IsRefusedWithAReasonWhereItCannotWork) {
  EXPECT_THAT(ask("LARDER LEASE product:1"),
              AllOf(StartsWith("-REFUSED cache \"product\" has a source"), HasSubstr("GET loads")));
  EXPECT_THAT(ask("LARDER FILL product:1 x y"), StartsWith("-REFUSED"));
  EXPECT_THAT(ask("LARDER RELEASE product:1 x"), StartsWith("-REFUSED"));
  EXPECT_THAT(ask("LARDER LEASE basket:1"),
              StartsWith("-ERR key \"basket:1\" belongs to no cache"));

  ask("MULTI");
  for (const char* each :
       {"LARDER LEASE tag:a", "LARDER FILL tag:a x y", "LARDER RELEASE tag:a x"}) {
    EXPECT_EQ(ask(each), "-ERR Command not allowed inside a transaction\r\n");
  }
  EXPECT_THAT(ask("EXEC"), StartsWith("-EXECABORT"));
}

TEST_F(SessionLease, ChecksItsWords) {
  EXPECT_EQ(ask("LARDER LEASE tag:a NOW"), "-ERR syntax error\r\n");
  EXPECT_EQ(ask("LARDER LEASE tag:a WAIT"), "-ERR syntax error\r\n");
  EXPECT_EQ(ask("LARDER LEASE tag:a WAIT -1"), "-ERR WAIT takes milliseconds, 0 to 60000\r\n");
  EXPECT_EQ(ask("LARDER LEASE tag:a WAIT 60001"), "-ERR WAIT takes milliseconds, 0 to 60000\r\n");
  EXPECT_EQ(ask("LARDER LEASE tag:a LEASE 0"), "-ERR LEASE takes milliseconds, 1 to 600000\r\n");
  EXPECT_EQ(ask("LARDER FILL tag:a x y KEEPTTL"), "-ERR syntax error\r\n");
  EXPECT_EQ(ask("LARDER FILL tag:a x y PERSIST"), "-ERR syntax error\r\n");
  EXPECT_EQ(ask("LARDER FILL tag:a x y EX 0"),
            "-ERR invalid expire time in 'larder|fill' command\r\n");
  EXPECT_THAT(ask("LARDER FILL tag:a x"), StartsWith("-ERR wrong number of arguments"));
  EXPECT_EQ(state_.leases().counts().given, 0U);
}

TEST_F(SessionLease, TokensThatWereNeverGivenAreOver) {
  const std::string token = token_of(a_->ask("LARDER LEASE tag:a"));
  for (const std::string& wrong :
       {std::string{"x"}, std::string{"0"}, token + "0", token.substr(0, token.find('-')),
        "+" + token, std::string(10'000, 'f'), std::string{"-"}}) {
    EXPECT_EQ(ask("LARDER FILL tag:a " + wrong + " y"), "+OVER\r\n") << wrong;
    EXPECT_EQ(ask("LARDER RELEASE tag:a " + wrong), ":0\r\n") << wrong;
  }
  EXPECT_EQ(ask("LARDER FILL tag:b " + token + " y"), "+OVER\r\n");  // another key's

  EXPECT_EQ(a_->ask("LARDER FILL tag:a " + token + " 1"), "+OK\r\n");
}

TEST_F(SessionLease, WhatMemoryDoesNotTakeIsAnsweredAllTheSame) {
  const std::string token = token_of(a_->ask("LARDER LEASE tag:a"));
  ASSERT_THAT(b_->ask("LARDER LEASE tag:a"), IsEmpty());
  const std::string large(3 << 20, 'x');

  EXPECT_THAT(a_->ask("LARDER FILL tag:a " + token + " " + large),
              StartsWith("-ERR cache \"tag\""));
  EXPECT_EQ(b_->hear(), value_reply(large));
  EXPECT_EQ(ask("GET tag:a"), "$-1\r\n");
}

TEST_F(SessionLease, IsShownToWhoOperates) {
  a_->ask("LARDER LEASE tag:a");
  ASSERT_THAT(b_->ask("LARDER LEASE tag:a"), IsEmpty());
  clock_.advance(2s);

  EXPECT_THAT(ask("LARDER EXPLAIN tag:a"), HasSubstr("given 2.00s ago, and 1 wait"));
  EXPECT_THAT(ask("LARDER HELP"), AllOf(HasSubstr("LEASE key"), HasSubstr("FILL key token value"),
                                        HasSubstr("RELEASE key token")));
  EXPECT_THAT(ask("COMMAND GETKEYS LARDER FILL tag:a x y"), HasSubstr("tag:a"));
}

TEST_F(SessionLease, IsWatchedAndTracked) {
  ask("MONITOR");
  a_->ask("HELLO 3");
  a_->ask("CLIENT TRACKING ON");
  const std::string token = token_of("*2\r\n$-1\r\n" + a_->ask("LARDER LEASE tag:a").substr(7));
  EXPECT_THAT(collect(), HasSubstr("\"LARDER\" \"LEASE\" \"tag:a\""));

  b_->ask("LARDER FILL tag:a " + token + " 1");

  EXPECT_THAT(a_->hear(), HasSubstr("invalidate"));
}

// A client that is told nothing keeps its order.
TEST_F(SessionLease, AnswersNothingToAClientThatWantsNoReplies) {
  const std::string token = token_of(a_->ask("LARDER LEASE tag:a"));
  b_->ask("CLIENT REPLY SKIP");
  b_->ask("LARDER LEASE tag:a");
  b_->ask("PING");
  a_->ask("LARDER FILL tag:a " + token + " 1");

  EXPECT_EQ(b_->hear(), "+PONG\r\n");
}

TEST_F(SessionLease, NobodyWaitsForAServerThatGoesDown) {
  a_->ask("LARDER LEASE tag:a");
  ASSERT_THAT(b_->ask("LARDER LEASE tag:a"), IsEmpty());

  state_.stop();

  EXPECT_EQ(b_->hear(), kInVain);
  EXPECT_EQ(b_->ask("LARDER LEASE tag:a"), kInVain);
}

TEST_F(SessionLease, WakesWhoWaits) {
  const std::string token = token_of(a_->ask("LARDER LEASE tag:a"));
  b_->ask("LARDER LEASE tag:a");
  const int before = b_->wakes;

  a_->ask("LARDER FILL tag:a " + token + " 1");

  EXPECT_EQ(b_->wakes, before + 1);
}

class SessionLeaseLimits : public SessionLease {
 protected:
  SessionLeaseLimits() : SessionLease{{.max_lease_memory = {256 << 10}}} {}
};

TEST_F(SessionLeaseLimits, AClientThatTakesManyIsRefusedAndHarmsNobody) {
  std::size_t given = 0;
  std::string refused;
  for (int i = 0; i < 10'000; ++i) {
    const std::string reply = a_->ask("LARDER LEASE tag:" + std::to_string(i));
    if (!token_of(reply).empty()) {
      ++given;
    } else {
      refused = reply;
    }
  }

  EXPECT_GT(given, 40U);
  EXPECT_LT(given, 60U);
  EXPECT_THAT(refused, AllOf(StartsWith("-BUSY"), HasSubstr("max_lease_memory")));
  EXPECT_THAT(token_of(b_->ask("LARDER LEASE tag:mine")), Not(IsEmpty()));
  a_.reset();
  b_.reset();
  EXPECT_EQ(state_.leases().counts().bytes, 0U);
}

TEST_F(SessionLeaseLimits, AllClientsTogetherAreBounded) {
  const auto all = clients(100);
  std::string refused;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (int j = 0; j < 40; ++j) {
      const std::string reply =
          all[i]->ask("LARDER LEASE tag:" + std::to_string(i) + "-" + std::to_string(j));
      if (token_of(reply).empty()) refused = reply;
    }
  }

  EXPECT_THAT(refused, StartsWith("-BUSY all leases together"));
  EXPECT_LE(state_.leases().counts().bytes, 256U << 10);
}

// Values that come late are not to take more than the replies of a connection may.
class SessionLeaseReplies : public SessionLease {
 protected:
  SessionLeaseReplies() : SessionLease{{.max_reply_buffer = {64 << 10}}} {}
};

TEST_F(SessionLeaseReplies, WhatHasNoRoomIsAnError) {
  std::vector<std::string> tokens;
  for (int i = 0; i < 10; ++i) {
    tokens.push_back(token_of(a_->ask("LARDER LEASE tag:" + std::to_string(i))));
    ASSERT_THAT(b_->ask("LARDER LEASE tag:" + std::to_string(i)), IsEmpty());
  }

  // The first is filled last: until then nothing can be sent.
  for (std::size_t i = 10; i-- > 0;) {
    a_->ask("LARDER FILL tag:" + std::to_string(i) + " " + tokens[i] + " " +
            std::string(20'000, 'x'));
  }
  const std::string heard = b_->hear();

  EXPECT_THAT(heard, HasSubstr("max_reply_buffer"));
  EXPECT_LE(heard.size(), 64U << 10);
}

// Against a model: whatever happens in whatever order, a token fills once, and only if no
// change came since; at most one is good for a key; and nobody waits for nothing.
TEST_F(SessionLease, KeepsItsPromisesInAnyOrder) {
  constexpr std::uint32_t kSeed = 20260731;
  SCOPED_TRACE(kSeed);
  std::mt19937 random{kSeed};
  const auto below = [&](std::size_t most) { return random() % most; };
  auto all = clients(8);
  std::vector<std::map<std::string, std::string>> waits(all.size());  // what each waits for
  struct Good {
    std::string token;
    TimePoint until;
  };
  std::map<std::string, Good> good;                                   // by key
  std::map<std::string, std::pair<std::string, std::size_t>> tokens;  // key, and client
  std::size_t filled = 0;

  for (int step = 0; step < 20'000; ++step) {
    const std::size_t who = below(all.size());
    const std::string key = "tag:" + std::to_string(below(3));
    const auto given = [&](const std::string& reply, const std::string& of, std::size_t whom) {
      const std::string token = token_of(reply);
      if (token.empty()) return;
      if (const auto old = good.find(of); old != good.end()) {
        ASSERT_LE(old->second.until, clock_.now()) << "two leases of " << of;
      }
      good[of] = {token, clock_.now() + 1s};
      tokens[token] = {of, whom};
    };
    switch (below(8)) {
      case 0:
      case 1: {
        if (!waits[who].empty()) break;
        const std::string reply = all[who]->ask("LARDER LEASE " + key + " LEASE 1000 WAIT 1500");
        if (reply.empty()) {
          waits[who][key] = "";
        } else {
          given(reply, key, who);
        }
        break;
      }
      case 2:
      case 3: {
        if (tokens.empty()) break;
        auto chosen = tokens.begin();
        std::advance(chosen, below(tokens.size()));
        const auto [token, of] = *chosen;
        const auto now_good = good.find(of.first);
        const bool may = now_good != good.end() && now_good->second.token == token &&
                         now_good->second.until > clock_.now();
        const std::string reply =
            ask("LARDER FILL " + of.first + " " + token + " v" + std::to_string(step));
        EXPECT_EQ(reply == "+OK\r\n", may) << reply;
        if (may) {
          good.erase(now_good);
          ++filled;
        }
        tokens.erase(chosen);
        break;
      }
      case 4:
        ask("DEL " + key);
        good.erase(key);
        break;
      case 5:
        if (below(10) == 0) {
          ask("FLUSHALL");
          good.clear();
        }
        break;
      case 6: pass(std::chrono::milliseconds{below(300)}); break;
      case 7:
        if (below(20) != 0) break;
        std::erase_if(good, [&](const auto& each) {
          return tokens.contains(each.second.token) && tokens[each.second.token].second == who;
        });
        all[who] = client();
        waits[who].clear();
        break;
      default: break;
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::string heard = all[i]->hear();
      if (heard.empty()) continue;
      ASSERT_EQ(waits[i].size(), 1U);
      given(heard, waits[i].begin()->first, i);
      waits[i].clear();
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (waits[i].empty()) continue;
      ASSERT_TRUE(good.contains(waits[i].begin()->first)) << "it waits for nobody";
    }
  }
  EXPECT_GT(filled, 500U);
  all.clear();
  EXPECT_EQ(state_.leases().counts().waiting, 0U);
}

}  // namespace
}  // namespace larder::test
