#include "access/password_hash.hpp"

#include <gmock/gmock.h>

#include <random>
#include <string>

namespace larder {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// The least that parse() takes; some 3 ms.
constexpr PasswordCost kCheap{.log_rounds = 10, .block = 8, .lanes = 1};

std::string why_not(std::string_view text) {
  const auto hash = PasswordHash::parse(text);
  return hash ? "" : hash.error().message;
}

// passlib's documentation.
TEST(PasswordHash, KnowsAHashThatAnotherProgramMade) {
  const auto hash = PasswordHash::parse(
      "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E");

  ASSERT_TRUE(hash) << hash.error().message;
  EXPECT_TRUE(hash->verify("password").value());
  EXPECT_FALSE(hash->verify("Password").value());
}

// RFC 7914, section 12; the first 32 of its 64 bytes.
TEST(PasswordHash, ComputesTheVectorOfTheStandard) {
  const auto hash = PasswordHash::parse(
      "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI");

  ASSERT_TRUE(hash) << hash.error().message;
  EXPECT_TRUE(hash->verify("pleaseletmein").value());
}

TEST(PasswordHash, KnowsItsOwnPasswordFromItsText) {
  const auto made = PasswordHash::of("correct horse", kCheap);
  ASSERT_TRUE(made);

  const auto read = PasswordHash::parse(made->text());

  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, *made);
  EXPECT_TRUE(read->verify("correct horse").value());
  EXPECT_FALSE(read->verify("correct horsf").value());
  EXPECT_FALSE(read->verify("correct hors").value());
  EXPECT_FALSE(read->verify("").value());
}

TEST(PasswordHash, TakesAnyBytes) {
  const std::string password{"\0\xff\r\n $", 6};

  const auto made = PasswordHash::of(password, kCheap);

  ASSERT_TRUE(made);
  EXPECT_TRUE(made->verify(password).value());
  EXPECT_FALSE(made->verify(std::string{"\0\xff\r\n !", 6}).value());
}

TEST(PasswordHash, SaltsEachHashAnew) {
  EXPECT_NE(PasswordHash::of("same", kCheap)->text(), PasswordHash::of("same", kCheap)->text());
}

TEST(PasswordHash, DoesNotHoldThePassword) {
  EXPECT_THAT(PasswordHash::of("hunter2", kCheap)->text(), Not(HasSubstr("hunter2")));
}

TEST(PasswordHash, TheDefaultCostsSixteenMebibytes) {
  EXPECT_EQ(PasswordCost{}.memory(), ByteCount{16ULL << 20});
  EXPECT_THAT(PasswordHash::of("x")->text(), StartsWith("$scrypt$ln=14,r=8,p=1$"));
}

TEST(PasswordHash, RefusesAnEmptyAndAnEndlessPassword) {
  EXPECT_EQ(PasswordHash::of("", kCheap).error().message, "the password is empty");
  EXPECT_EQ(PasswordHash::of(std::string(1025, 'x'), kCheap).error().message,
            "the password has more than 1024 bytes");
}

TEST(PasswordHash, AnEndlessPasswordIsWrongEvenWhenItsBeginningIsRight) {
  const std::string longest(PasswordHash::kLongestPassword, 'x');
  const auto made = PasswordHash::of(longest, kCheap);

  EXPECT_TRUE(made->verify(longest).value());
  EXPECT_FALSE(made->verify(longest + "x").value());
}

TEST(PasswordHash, ADecoyFitsNothing) {
  const PasswordHash decoy = PasswordHash::decoy(kCheap);

  EXPECT_EQ(decoy.cost(), kCheap);
  EXPECT_FALSE(decoy.verify("").value());
  EXPECT_FALSE(decoy.verify("password").value());
}

TEST(PasswordHash, SaysWhatToDoWithAPlainPasswordAndDoesNotRepeatIt) {
  const std::string message = why_not("hunter2");

  EXPECT_THAT(message, HasSubstr("`larder password`"));
  EXPECT_THAT(message, Not(HasSubstr("hunter2")));
}

TEST(PasswordHash, RefusesWhatWouldEatMemoryOrTime) {
  const std::string rest = "$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E";

  EXPECT_THAT(why_not("$scrypt$ln=17,r=8,p=1" + rest), HasSubstr("needs 128 MiB"));
  EXPECT_THAT(why_not("$scrypt$ln=10,r=1024,p=1" + rest), HasSubstr("needs 128 MiB"));
  EXPECT_THAT(why_not("$scrypt$ln=16,r=8,p=5" + rest), HasSubstr("would take seconds"));
  EXPECT_THAT(why_not("$scrypt$ln=63,r=8,p=1" + rest), HasSubstr("out of range"));
  EXPECT_THAT(why_not("$scrypt$ln=14,r=4294967295,p=1" + rest), HasSubstr("out of range"));
  EXPECT_THAT(why_not("$scrypt$ln=14,r=8,p=0" + rest), HasSubstr("out of range"));
}

TEST(PasswordHash, RefusesWhatIsSoonGuessed) {
  EXPECT_THAT(why_not("$scrypt$ln=9,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$"
                      "nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E"),
              HasSubstr("soon guessed"));
}

TEST(PasswordHash, RefusesDamagedTexts) {
  const std::string cost = "$scrypt$ln=14,r=8,p=1$";
  const std::string salt = "aM15713r3Xsvxbi31lqr1Q$";
  const std::string hash = "nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E";

  EXPECT_THAT(why_not("$scrypt$"), HasSubstr("without its cost"));
  EXPECT_THAT(why_not("$scrypt$ln=14$" + salt + hash), HasSubstr("without its cost"));
  EXPECT_THAT(why_not("$scrypt$ln=14,r=8,p=1,x=2$" + salt + hash), HasSubstr("without its cost"));
  EXPECT_THAT(why_not("$scrypt$ln=-4,r=8,p=1$" + salt + hash), HasSubstr("without its cost"));
  EXPECT_THAT(why_not(cost + salt + hash.substr(1)), HasSubstr("was it cut?"));
  EXPECT_THAT(why_not(cost + salt + hash + "="), HasSubstr("was it cut?"));
  EXPECT_THAT(why_not(cost + salt + hash + "$"), HasSubstr("was it cut?"));
  EXPECT_THAT(why_not(cost + salt + " " + hash.substr(1)), HasSubstr("was it cut?"));
  EXPECT_THAT(why_not(cost + "$" + hash), HasSubstr("salt"));
  EXPECT_THAT(why_not(cost + std::string(1 << 20, 'A') + "$" + hash), HasSubstr("salt"));
}

TEST(PasswordHash, NoDamageToATextCrashes) {
  const std::string whole = PasswordHash::of("password", kCheap)->text();
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};

  for (int i = 0; i < 20'000; ++i) {
    std::string text = whole;
    for (auto damage = random() % 4; damage > 0 && !text.empty(); --damage) {
      const std::size_t at = random() % text.size();
      if (random() % 3 == 0) {
        text.erase(at, 1 + random() % 8);
      } else {
        text[at] = static_cast<char>(random());
      }
    }

    const auto hash = PasswordHash::parse(text);

    if (hash) ASSERT_EQ(PasswordHash::parse(hash->text()), hash);
    if (!hash) ASSERT_FALSE(hash.error().message.empty());
  }
}

}  // namespace
}  // namespace larder
