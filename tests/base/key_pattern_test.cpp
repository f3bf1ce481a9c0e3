#include "base/key_pattern.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <random>
#include <regex>

namespace larder {
namespace {

using Match = KeyPattern::Match;
using testing::HasSubstr;

KeyPattern pattern(std::string_view text) {
  auto parsed = KeyPattern::parse(text);
  if (!parsed) throw Failure{parsed.error()};
  return *parsed;
}

std::string why_no_pattern(std::string_view text) {
  const auto parsed = KeyPattern::parse(text);
  return parsed ? "it is one" : parsed.error().message;
}

// What match() says.
struct Reading {
  Match match = Match::kNo;
  SqlParameters parts;
  std::string problem;
};

Reading read(std::string_view pattern_text, std::string_view key) {
  Reading reading;
  reading.match = pattern(pattern_text).match(key, &reading.parts, &reading.problem);
  return reading;
}

TEST(KeyPattern, ReadsAnIntPart) {
  const Reading reading = read("product:{id:int}", "product:42");

  ASSERT_EQ(reading.match, Match::kYes);
  ASSERT_EQ(reading.parts.size(), 1U);
  EXPECT_EQ(reading.parts[0].name, "id");
  EXPECT_EQ(reading.parts[0].value, SqlValue{std::int64_t{42}});
}

TEST(KeyPattern, ReadsSeveralPartsInOrder) {
  const Reading reading = read("u:{name}:{year:int}:x", "u:ann:1999:x");

  ASSERT_EQ(reading.match, Match::kYes);
  ASSERT_EQ(reading.parts.size(), 2U);
  EXPECT_EQ(reading.parts[0].value, SqlValue{std::string{"ann"}});
  EXPECT_EQ(reading.parts[1].value, SqlValue{std::int64_t{1999}});
}

TEST(KeyPattern, ATextPartEndsAtTheNextLiteralsFirstByte) {
  EXPECT_EQ(read("a:{x}-b", "a:1-b").match, Match::kYes);
  EXPECT_EQ(read("a:{x}-b", "a:1-2-b").match, Match::kNo);
}

TEST(KeyPattern, TheLastTextPartTakesTheRest) {
  const Reading reading = read("page:{path}", "page:/a/b?c=d:e");

  ASSERT_EQ(reading.match, Match::kYes);
  EXPECT_EQ(reading.parts[0].value, SqlValue{std::string{"/a/b?c=d:e"}});
}

TEST(KeyPattern, TextMayBeAnyBytes) {
  const std::string key{"k:\0\xff\n", 5};

  EXPECT_EQ(read("k:{x}", key).parts.at(0).value, SqlValue{key.substr(2)});
}

TEST(KeyPattern, TakesIntsAsTheyWouldBePrintedOnly) {
  EXPECT_EQ(read("p:{id:int}", "p:0").match, Match::kYes);
  EXPECT_EQ(read("p:{id:int}", "p:-7").match, Match::kYes);
  EXPECT_EQ(read("p:{id:int}", "p:9223372036854775807").match, Match::kYes);
  EXPECT_EQ(read("p:{id:int}", "p:-9223372036854775808").match, Match::kYes);
  for (const char* key : {"p:007", "p:-0", "p:+1", "p: 1", "p:1 ", "p:1.0", "p:0x1", "p:-", "p:1e3",
                          "p:9223372036854775808", "p:-9223372036854775809"}) {
    EXPECT_EQ(read("p:{id:int}", key).match, Match::kBadPart) << key;
  }
}

TEST(KeyPattern, AMinusOfAnIntDoesNotEndIt) {
  const Reading reading = read("{a:int}-{b:int}", "-5--6");

  ASSERT_EQ(reading.match, Match::kYes);
  EXPECT_EQ(reading.parts[0].value, SqlValue{std::int64_t{-5}});
  EXPECT_EQ(reading.parts[1].value, SqlValue{std::int64_t{-6}});
}

TEST(KeyPattern, NamesThePartThatDoesNotFit) {
  EXPECT_EQ(read("p:{id:int}", "p:abc").problem, "\"abc\" is no int for {id}");
  EXPECT_EQ(read("p:{id}", "p:").problem, "{id} is empty");
  EXPECT_EQ(read("p:{a:int}:{b:int}", "p:x:y").problem, "\"x\" is no int for {a}");
}

TEST(KeyPattern, ShowsAPartInItsOwnLettersUpToAWholeOne) {
  EXPECT_EQ(read("p:{id:int}", "p:gru\u0308n").problem, "\"gru\u0308n\" is no int for {id}");
  const std::string kept(39, 'x');

  EXPECT_EQ(read("p:{id:int}", "p:" + kept + "\u20ac").problem,
            "\"" + kept + "…\" is no int for {id}");
  EXPECT_EQ(read("p:{id:int}", "p:" + kept + "\x80\x80\x80\x80\x80\x80").problem,
            "\"" + kept.substr(0, 38) + "…\" is no int for {id}");
}

TEST(KeyPattern, GivesNoPartsUnlessTheKeyFits) {
  EXPECT_TRUE(read("p:{a}:{b:int}", "p:x:y").parts.empty());
  EXPECT_TRUE(read("p:{a}:{b:int}", "q:x:1").parts.empty());
  EXPECT_TRUE(read("p:{a}:end", "p:x:eng").parts.empty());
}

TEST(KeyPattern, ShowsHostileKeysShortAndPrintable) {
  const std::string key = "p:\x1b[2J" + std::string(1'000'000, 'x');

  const Reading reading = read("p:{id:int}", key);

  EXPECT_LT(reading.problem.size(), 100U);
  EXPECT_EQ(reading.problem.find('\x1b'), std::string::npos);
}

TEST(KeyPattern, ADoubledBraceIsTheBraceItself) {
  EXPECT_EQ(read("{{user{id:int}}}:x", "{user7}:x").match, Match::kYes);
}

TEST(KeyPattern, WithoutPartsFitsItselfOnly) {
  EXPECT_EQ(read("home", "home").match, Match::kYes);
  EXPECT_EQ(read("home", "homes").match, Match::kNo);
  EXPECT_EQ(read("home", "hom").match, Match::kNo);
}

TEST(KeyPattern, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(why_no_pattern(""), HasSubstr("needs text"));
  EXPECT_THAT(why_no_pattern("a{b"),
              HasSubstr("never closed; the byte itself is written {{ (byte 2)"));
  EXPECT_THAT(why_no_pattern("a}b"), HasSubstr("'}' closes nothing"));
  EXPECT_THAT(why_no_pattern("{a}{b}"), HasSubstr("two parts touch"));
  EXPECT_THAT(why_no_pattern("{a}:{a}"), HasSubstr("{a} stands twice"));
  EXPECT_THAT(why_no_pattern("x{}"), HasSubstr("needs a name"));
  EXPECT_THAT(why_no_pattern("x{1a}"), HasSubstr("begins with no digit (byte 3)"));
  EXPECT_THAT(why_no_pattern("x{a b}"), HasSubstr("(byte 4)"));
  EXPECT_THAT(why_no_pattern("x{a:uuid}"),
              HasSubstr("unknown type \"uuid\"; there are int and text"));
  EXPECT_THAT(why_no_pattern("x{a:int}5"), HasSubstr("digit right after the int {a}"));
  EXPECT_THAT(why_no_pattern(std::string(257, 'x')), HasSubstr("at most 256 bytes"));
  std::string many;
  for (int i = 0; i < 17; ++i) many += "{p" + std::to_string(i) + "}:";
  EXPECT_THAT(why_no_pattern(many), HasSubstr("at most 16 parts"));
}

bool overlap(std::string_view a, std::string_view b) {
  EXPECT_EQ(pattern(a).overlaps(pattern(b)), pattern(b).overlaps(pattern(a))) << a << " " << b;
  return pattern(a).overlaps(pattern(b));
}

TEST(KeyPattern, OverlapsWhereAKeyCouldFitBoth) {
  EXPECT_TRUE(overlap("p:{id:int}", "p:{name}"));
  EXPECT_TRUE(overlap("{x}", "anything"));
  EXPECT_TRUE(overlap("p:{a}", "p:{a}:reviews"));
  EXPECT_TRUE(overlap("{a}:{b}", "p:{id:int}"));
  EXPECT_TRUE(overlap("p:{a:int}", "p:7"));
}

TEST(KeyPattern, DoesNotOverlapWhereNoKeyFitsBoth) {
  EXPECT_FALSE(overlap("p:{id:int}", "p:{id:int}:reviews"));
  EXPECT_FALSE(overlap("p:{id:int}", "q:{id:int}"));
  EXPECT_FALSE(overlap("p:{a}:x", "p:{a}:y"));
  EXPECT_FALSE(overlap("p:{a:int}", "p:new"));
  EXPECT_FALSE(overlap("p:{a:int}", "p:007"));
}

// Small patterns over a small alphabet, so that all keys can be tried.
std::string random_pattern(std::mt19937& random) {
  constexpr std::string_view kLiterals[] = {"a", ":", "-", "ab", "1", ""};
  for (;;) {
    std::string text{kLiterals[random() % 6]};
    const auto parts = random() % 3;
    for (std::size_t part = 0; part < parts; ++part) {
      text += "{p" + std::to_string(part) + (random() % 2 == 0 ? ":int}" : "}");
      text += kLiterals[random() % 6];
    }
    if (KeyPattern::parse(text)) return text;
  }
}

// The plain model: what the header says, as a regular expression.
std::regex model(const KeyPattern& pattern) {
  std::string text;
  for (std::size_t i = 0; i < pattern.literals().size(); ++i) {
    text += pattern.literals()[i];
    if (i == pattern.parts().size()) break;
    const std::string& next = pattern.literals()[i + 1];
    if (pattern.parts()[i].type == KeyPattern::PartType::kInt) {
      text += "(?:0|-?[1-9][0-9]*)";
    } else if (next.empty()) {
      text += ".+";
    } else {
      text += "[^" + std::string{next[0] == '-' ? "\\" : ""} + next[0] + "]+";
    }
  }
  return std::regex{text};
}

void for_each_key(std::size_t longest, std::string_view bytes,
                  const std::function<void(const std::string&)>& visit) {
  std::vector<std::string> keys{""};
  for (std::size_t length = 0; length <= longest; ++length) {
    std::vector<std::string> longer;
    for (const std::string& key : keys) {
      visit(key);
      for (const char c : bytes) longer.push_back(key + c);
    }
    keys = std::move(longer);
  }
}

TEST(KeyPatternProperty, MatchesWhatItsRegularExpressionMatches) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  for (int round = 0; round < 20; ++round) {
    const KeyPattern tried = pattern(random_pattern(random));
    const std::regex wanted = model(tried);
    for_each_key(4, "a:-10b", [&](const std::string& key) {
      const bool fits = tried.match(key, nullptr, nullptr) == Match::kYes;

      ASSERT_EQ(fits, std::regex_match(key, wanted)) << tried.text() << " on " << key;
    });
  }
}

TEST(KeyPatternProperty, PutTogetherAgainThePartsAreTheKey) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  for (int round = 0; round < 50; ++round) {
    const KeyPattern tried = pattern(random_pattern(random));
    for_each_key(4, "a:-10b", [&](const std::string& key) {
      SqlParameters parts;
      if (tried.match(key, &parts, nullptr) != Match::kYes) return;
      std::string together = tried.literals()[0];
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto* number = std::get_if<std::int64_t>(&parts[i].value);
        together +=
            number != nullptr ? std::to_string(*number) : std::get<std::string>(parts[i].value);
        together += tried.literals()[i + 1];
      }

      ASSERT_EQ(together, key) << tried.text();
    });
  }
}

// Every pattern of up to two parts with literals of one byte or none.
std::vector<KeyPattern> all_small_patterns() {
  constexpr std::string_view kLiterals[] = {"", "a", ":", "-", "1"};
  std::vector<std::string> texts{kLiterals, kLiterals + 5};
  std::vector<KeyPattern> patterns;
  for (int parts = 0; parts <= 2; ++parts) {
    std::vector<std::string> longer;
    for (const std::string& text : texts) {
      if (auto parsed = KeyPattern::parse(text)) patterns.push_back(*parsed);
      for (const std::string_view type : {":int}", ":text}"}) {
        for (const std::string_view literal : kLiterals) {
          longer.push_back(text + "{p" + std::to_string(parts) + std::string{type} +
                           std::string{literal});
        }
      }
    }
    texts = std::move(longer);
  }
  return patterns;
}

// Which of many keys fit a pattern, a bit for each.
class Fits {
 public:
  void add(bool fits) {
    if (count_ % 64 == 0) words_.push_back(0);
    words_.back() |= std::uint64_t{fits} << (count_++ % 64);
  }
  [[nodiscard]] bool meets(const Fits& other) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      if ((words_[i] & other.words_[i]) != 0) return true;
    }
    return false;
  }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t count_ = 0;
};

// Six bytes are enough: where two such patterns overlap, a key as short fits both.
TEST(KeyPatternProperty, OverlapsExactlyWhenSomeKeyFitsBoth) {
  const std::vector<KeyPattern> patterns = all_small_patterns();
  ASSERT_GT(patterns.size(), 200U);
  std::vector<Fits> fits(patterns.size());
  for_each_key(6, "a:-102", [&](const std::string& key) {
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      fits[i].add(patterns[i].match(key, nullptr, nullptr) == Match::kYes);
    }
  });

  for (std::size_t i = 0; i < patterns.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      ASSERT_EQ(patterns[i].overlaps(patterns[j]), fits[i].meets(fits[j]))
          << patterns[i].text() << " and " << patterns[j].text();
    }
  }
}

TEST(KeyPatternProperty, AnyTextIsAPatternOrAnError) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  constexpr std::string_view kBytes = "{}:aint1_-x";
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto left = random() % 24; left > 0; --left) text += kBytes[random() % kBytes.size()];

    const auto parsed = KeyPattern::parse(text);

    if (!parsed) {
      EXPECT_THAT(parsed.error().message, HasSubstr("(byte ")) << text;
      continue;
    }
    EXPECT_EQ(parsed->literals().size(), parsed->parts().size() + 1);
    EXPECT_TRUE(parsed->overlaps(*parsed)) << text;
  }
}

}  // namespace
}  // namespace larder
