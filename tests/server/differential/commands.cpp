#include "server/differential/commands.hpp"

#include <array>
#include <cctype>
#include <chrono>
#include <sstream>
#include <stdexcept>

namespace larder::test {

namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

// $k key, $v value, $i integer, $j one that is no life, $f number, $p glob pattern, $s $m lives in
// seconds and milliseconds, $S $M the same since 1970, $x a flag of EXPIRE or none, $o options of
// SET, $g options of GETEX, $n any short word.
constexpr std::string_view kTemplates[] = {
    "GET $k",
    "GET $k",
    "GET $k",
    "SET $k $v",
    "SET $k $v",
    "SET $k $v",
    "SET $k $v $o",
    "SET $k $v $o",
    "SET $k $v $o",
    "MGET $k",
    "MGET $k $k $k",
    "MGET $k $k $k $k $k $k",
    "GETEX $k",
    "GETEX $k $g",
    "GETEX $k $g",
    "GETDEL $k",
    "GETSET $k $v",
    "SETEX $k $s $v",
    "SETEX $k $j $v",
    "PSETEX $k $m $v",
    "PSETEX $k $j $v",
    "DEL $k",
    "DEL $k $k $k",
    "UNLINK $k $k",
    "EXISTS $k",
    "EXISTS $k $k $k",
    "TOUCH $k $k",
    "TYPE $k",
    "TTL $k",
    "TTL $k",
    "PTTL $k",
    "PTTL $k",
    "EXPIRETIME $k",
    "PEXPIRETIME $k",
    "EXPIRE $k $s $x",
    "EXPIRE $k $s $x",
    "EXPIRE $k $j",
    "EXPIRE $k $s $x $x",
    "PEXPIRE $k $m $x",
    "PEXPIRE $k $j",
    "EXPIREAT $k $S $x",
    "EXPIREAT $k $j",
    "PEXPIREAT $k $M $x",
    "PEXPIREAT $k $j",
    "EXPIRE $k $s $n",
    "PERSIST $k",
    "PERSIST $k",
    "KEYS $p",
    "RANDOMKEY",
    "DBSIZE",
    "SCAN 0",
    "SCAN 0 COUNT $i",
    "SCAN $i",
    "SCAN $n MATCH",
    "SCAN 0 MATCH $p COUNT 100000",
    "SCAN 0 TYPE string COUNT 100000",
    "SCAN 0 TYPE list COUNT 100000",
    "SCAN 0 COUNT 100000 NONSENSE 1",
    "SETNX $k $v",
    "MSET $k $v",
    "MSET $k $v $k $v $k $v",
    "MSET $k $v $k",
    "MSETNX $k $v $k $v",
    "APPEND $k $v",
    "APPEND $k $v",
    "STRLEN $k",
    "STRLEN $k",
    "GETRANGE $k $i $i",
    "GETRANGE $k 0 $i",
    "GETRANGE $k $i -1",
    "SUBSTR $k $i $i",
    "SETRANGE $k $i $v",
    "SETRANGE $k 3 $v",
    "INCR $k",
    "INCR $k",
    "DECR $k",
    "INCRBY $k $i",
    "DECRBY $k $i",
    "INCRBYFLOAT $k $f",
    "INCRBYFLOAT $k $f",
    "PING",
    "PING $v",
    "ECHO $v",
    "SELECT 0",
    "SELECT $i",
    "HELLO",
    "HELLO 2",
    "HELLO 3",
    "HELLO $i",
    "HELLO 3 SETNAME $n",
    "HELLO 3 $n",
    "CLIENT ID",
    "CLIENT INFO",
    "CLIENT LIST",
    "CLIENT LIST TYPE $n",
    "CLIENT LIST TYPE replica",
    "CLIENT LIST ID $i",
    "CLIENT LIST $n $i",
    "CLIENT KILL $n",
    "CLIENT KILL ID $j SKIPME yes",
    "CLIENT KILL ID 999999",
    "CLIENT KILL TYPE $n",
    "CLIENT KILL USER $n",
    "CLIENT KILL TYPE replica",
    "CLIENT KILL $n $j",
    "CLIENT NO-EVICT $n",
    "CLIENT NO-EVICT ON",
    "CLIENT UNBLOCK 999999 $n",
    "CLIENT UNBLOCK $j",
    "CLIENT TRACKINGINFO",
    "CLIENT TRACKING $n",
    "CLIENT TRACKING OFF",
    "CLIENT GETREDIR",
    "CLIENT CACHING $n",
    "CLIENT UNPAUSE",
    "CLIENT REPLY $n",
    "CLIENT GETNAME",
    "CLIENT SETNAME $n",
    "CLIENT SETNAME $v",
    "CLIENT $n",
    "CONFIG GET $n",
    "CONFIG GET save appendonly",
    "CONFIG GET max* $n",
    "CONFIG RESETSTAT",
    "CONFIG $n",
    "INFO",
    "INFO $n",
    "SLOWLOG GET",
    "SLOWLOG GET $i",
    "SLOWLOG LEN",
    "SLOWLOG RESET",
    "SLOWLOG $n",
    "LATENCY LATEST",
    "LATENCY HISTORY $n",
    "LATENCY RESET $n",
    "LATENCY DOCTOR",
    "COMMAND GETKEYS GET $k",
    "COMMAND GETKEYS MSET $k $v $k $v",
    "COMMAND GETKEYS PING",
    "COMMAND GETKEYS $n",
    "COMMAND INFO $n",
    "COMMAND $n",
    "OBJECT ENCODING $k",
    "OBJECT IDLETIME $k",
    "OBJECT FREQ $k",
    "OBJECT $n $k",
    "MEMORY USAGE $k",
    "MEMORY USAGE $k SAMPLES $i",
    "MEMORY USAGE $k $n",
    "TIME",
    "EXEC",
    "DISCARD",
    "UNWATCH",
    "RESET",
    "NONSENSE $v $v",
    "$n",
    "$n $v",
};

// Rare: they leave little for the others to find.
constexpr std::string_view kFlushes[] = {"FLUSHALL", "FLUSHDB", "FLUSHALL ASYNC", "FLUSHDB SYNC",
                                         "FLUSHALL $n"};

// What may happen to a key that is watched: nothing, or one change.
constexpr std::string_view kChanges[] = {
    "SET $k $v",   "DEL $k", "INCR $k", "EXPIRE $k 5000",
    "APPEND $k x", "GET $k", "TTL $k",  "FLUSHALL",
};

constexpr std::string_view kWordsOfNone[] = {
    "x", "nx", "NX", "xx",   "GET", "foo bar", "",        "get",    "string",
    "0", "-1", "id", "\xff", "EX",  "PX",      "KEEPTTL", "PERSIST"};

constexpr std::string_view kIntegers[] = {"0",
                                          "1",
                                          "-1",
                                          "2",
                                          "5",
                                          "7",
                                          "-3",
                                          "10",
                                          "100",
                                          "-100",
                                          "3",
                                          "4",
                                          "9223372036854775807",
                                          "-9223372036854775808",
                                          "9223372036854775808",
                                          "-9223372036854775809",
                                          "18446744073709551615",
                                          "99999999999999999999999",
                                          "+1",
                                          "-0",
                                          "00",
                                          "01",
                                          " 1",
                                          "1 ",
                                          "1.5",
                                          "",
                                          "abc",
                                          "0x10",
                                          "1e3",
                                          "2147483648",
                                          "-2147483649",
                                          "4294967296",
                                          "9223372036854775",
                                          "9223372036854776",
                                          "-"};

constexpr std::string_view kNumbers[] = {"0",
                                         "1",
                                         "-1",
                                         "0.1",
                                         "1.5",
                                         "-2.25",
                                         "3.0e2",
                                         "1e10",
                                         "1e-10",
                                         "1e17",
                                         "123456789.123456789",
                                         "inf",
                                         "-inf",
                                         "nan",
                                         "+1",
                                         " 1",
                                         "1 ",
                                         "",
                                         "abc",
                                         "1e400",
                                         "1e5000",
                                         "1e-5000",
                                         "0x1p3",
                                         ".5",
                                         "5.",
                                         "-0",
                                         "99999999999999999999",
                                         "0.00000000000000001",
                                         "1.7976931348623157e308",
                                         "infinity",
                                         "1e4932"};

constexpr std::string_view kValues[] = {"",
                                        "a",
                                        "hello",
                                        "10",
                                        "-5",
                                        "0",
                                        "3.25",
                                        "9223372036854775807",
                                        "-9223372036854775808",
                                        "007",
                                        " 12",
                                        "1e5",
                                        "\r\n",
                                        "\0\1\xff"sv,
                                        "{\"id\": 42}",
                                        "+OK\r\n",
                                        "-0",
                                        "inf",
                                        "a value that is longer than forty-four bytes, it is"};

constexpr std::string_view kPatterns[] = {"*",   "k:*",   "k:?",   "k:[a-c]", "k:[^a]",
                                          "?:a", "nope*", "k:\\a", "*a*b*c*", "k:[",
                                          "",    "k:a*",  "*\xff*"};

}  // namespace

const std::vector<std::string>& RandomCommands::keys() {
  static const std::vector<std::string> keys{"k:a",    "k:b",
                                             "k:c",    "k:d",
                                             "k:e",    "k:1",
                                             "k:2",    "k:aa",
                                             "k: ",    std::string{"k:\0\r\n", 5},
                                             "k:\xff", "k:*",
                                             "k:[a",   "k:"s + std::string(300, 'z')};
  return keys;
}

std::vector<Step> RandomCommands::next() {
  if (once_in(40)) return transaction();
  const int client = static_cast<int>(below(2));
  Words words = from(once_in(300) ? kFlushes[below(std::size(kFlushes))]
                                  : kTemplates[below(std::size(kTemplates))]);
  if (once_in(20)) spoil(words);
  return {{client, std::move(words)}};
}

std::vector<Step> RandomCommands::transaction() {
  const int client = static_cast<int>(below(2));
  std::vector<Step> steps;
  const bool watches = once_in(2);
  if (watches) {
    steps.push_back({client, from(once_in(2) ? "WATCH $k" : "WATCH $k $k $k")});
    if (once_in(2)) {
      steps.push_back({static_cast<int>(below(2)), from(kChanges[below(std::size(kChanges))])});
    }
    if (once_in(8)) steps.push_back({client, {"UNWATCH"}});
  }
  steps.push_back({client, {some_case("MULTI")}});
  for (std::size_t left = below(7); left > 0; --left) {
    Words words = from(kTemplates[below(std::size(kTemplates))]);
    if (once_in(40)) spoil(words);
    // larder refuses a key that no cache has before the transaction runs, Redis
    // has no such key: they would not carry out the same.
    if (words.size() > 1 && words[1].empty()) words[1] = "x";
    // larder refuses it there: what is left out would be missing in EXEC's replies.
    if (words.size() > 1 && words[1] == "REPLY") words[1] = "NOSUCH";
    steps.push_back({client, std::move(words)});
  }
  if (once_in(10)) steps.push_back({client, {"MULTI"}});
  if (once_in(10)) steps.push_back({client, {"WATCH", key()}});
  if (once_in(8)) {
    steps.push_back({client, {once_in(2) ? "DISCARD" : "RESET"}});
  } else {
    steps.push_back({client, {once_in(20) ? "EXEC extra" : "EXEC"}});
  }
  // Whatever became of it, nothing of it is left.
  steps.push_back({client, {"DISCARD"}});
  steps.push_back({client, {"UNWATCH"}});
  return steps;
}

Words RandomCommands::from(std::string_view text) {
  Words words;
  std::istringstream tokens{std::string{text}};
  for (std::string token; tokens >> token;) expand(token, words);
  if (!words.empty() && once_in(4)) words[0] = some_case(words[0]);
  return words;
}

void RandomCommands::expand(std::string_view token, Words& words) {
  if (token[0] != '$') return words.push_back(std::string{token});
  switch (token[1]) {
    case 'k': return words.push_back(key());
    case 'v': return words.push_back(value());
    case 'i': return words.push_back(integer());
    case 'j': return words.push_back(no_life());
    case 'f': return words.push_back(number());
    case 'p': return words.push_back(pick(kPatterns));
    case 'n': return words.push_back(pick(kWordsOfNone));
    case 's': return words.push_back(life(1000, false));
    case 'm': return words.push_back(life(1, false));
    case 'S': return words.push_back(life(1000, true));
    case 'M': return words.push_back(life(1, true));
    case 'o': return options(words, true);
    case 'g': return options(words, false);
    case 'x':
      if (once_in(2)) words.push_back(pick(std::array{"NX", "XX", "GT", "LT", "gt", "lT"}));
      return;
    default: throw std::logic_error{"no such token: " + std::string{token}};
  }
}

// One word too few, too many, or another.
void RandomCommands::spoil(Words& words) {
  if (words.empty()) return;
  // Redis keeps the name of a HELLO that it then refuses; larder changes nothing.
  if (words.size() == 4 && words[2] == "SETNAME") return;
  const std::size_t at = below(words.size());
  switch (below(4)) {
    case 0:
      if (words.size() > 1) words.pop_back();
      return;
    case 1: return words.push_back("x" + value());
    case 2:
      if (at > 0 && !words[at].starts_with("k:")) words[at] = "x" + value();
      return;
    default:
      if (at > 0 && !words[at].starts_with("k:")) words[at] = no_life();
  }
}

std::string RandomCommands::some_case(std::string_view word) {
  std::string text{word};
  for (char& c : text) {
    if (once_in(2)) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return text;
}

std::string RandomCommands::value() {
  if (once_in(10)) return std::string(below(6000), static_cast<char>(below(256)));
  if (once_in(3)) return integer();
  if (once_in(6)) return number();
  return pick(kValues);
}

std::string RandomCommands::integer() {
  if (once_in(3)) return std::to_string(static_cast<int>(below(40)) - 10);
  return pick(kIntegers);
}

// None that would let a key expire while the test runs.
std::string RandomCommands::no_life() {
  for (;;) {
    std::string text = integer();
    const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
    if (text.empty() || text == "0" || text.size() > 9 || !digits) return text;
  }
}

std::string RandomCommands::number() { return pick(kNumbers); }

// So far in the future, and so seldom twice the same, that the time a test takes
// decides nothing; or in the past.
std::string RandomCommands::life(std::int64_t unit, bool since_1970) {
  std::int64_t milliseconds = 1'000'000 + static_cast<std::int64_t>(below(80'000'000'000));
  if (once_in(15)) milliseconds = -milliseconds;
  if (since_1970) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    milliseconds += std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  }
  return std::to_string(milliseconds / unit);
}

void RandomCommands::options(Words& words, bool of_set) {
  for (std::size_t left = 1 + below(3); left > 0; --left) {
    switch (below(of_set ? 10 : 6)) {
      case 0: words.insert(words.end(), {"EX", life(1000, false)}); break;
      case 1: words.insert(words.end(), {"px", life(1, false)}); break;
      case 2: words.insert(words.end(), {"EXAT", life(1000, true)}); break;
      case 3: words.insert(words.end(), {"PXAT", life(1, true)}); break;
      case 4: words.push_back(of_set ? "KEEPTTL" : "PERSIST"); break;
      case 5:
        words.insert(words.end(), {pick(std::array{"EX", "Px", "EXAT", "PXAT"}), no_life()});
        break;
      case 6: words.push_back("NX"); break;
      case 7: words.push_back("xx"); break;
      case 8: words.push_back("GET"); break;
      default: words.push_back(pick(kWordsOfNone));
    }
  }
}

}  // namespace larder::test
