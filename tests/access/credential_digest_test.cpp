#include "access/credential_digest.hpp"

#include <gtest/gtest.h>

namespace larder {
namespace {

TEST(CredentialDigest, IsTheSameForTheSame) {
  const CredentialDigester digester;

  EXPECT_TRUE(same_digest(digester.digest("web", "pw", "h"), digester.digest("web", "pw", "h")));
}

TEST(CredentialDigest, DiffersWhenAnythingDoes) {
  const CredentialDigester digester;
  const auto digest = digester.digest("web", "pw", "h");

  EXPECT_FALSE(same_digest(digest, digester.digest("wex", "pw", "h")));
  EXPECT_FALSE(same_digest(digest, digester.digest("web", "pW", "h")));
  EXPECT_FALSE(same_digest(digest, digester.digest("web", "pw", "i")));
}

TEST(CredentialDigest, DiffersWhenBytesMoveFromOneToTheOther) {
  const CredentialDigester digester;

  EXPECT_FALSE(same_digest(digester.digest("ab", "c", "h"), digester.digest("a", "bc", "h")));
  EXPECT_FALSE(same_digest(digester.digest("a", "bh", "c"), digester.digest("a", "b", "hc")));
}

TEST(CredentialDigest, SaysNothingToAnotherProcess) {
  const CredentialDigester one;
  const CredentialDigester other;

  EXPECT_FALSE(same_digest(one.digest("web", "pw", "h"), other.digest("web", "pw", "h")));
}

}  // namespace
}  // namespace larder
