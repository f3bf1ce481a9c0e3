#include "access/users.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace larder {
namespace {

constexpr PasswordCost kCheap{.log_rounds = 10};
constexpr PasswordCost kDearer{.log_rounds = 11};

User with_password(std::string name, PasswordCost cost = kCheap) {
  return {std::move(name), PasswordHash::of("secret", cost).value(), Rights{}};
}

TEST(Users, AnOpenSetLetsAnybodyDoAnything) {
  const auto users = Users::open();

  ASSERT_NE(users->anonymous(), nullptr);
  EXPECT_EQ(users->anonymous()->name, "default");
  EXPECT_TRUE(users->anonymous()->rights.unlimited());
}

TEST(Users, WithoutADefaultUserNobodyIsAnonymous) {
  EXPECT_EQ(Users::of({with_password("web")})->anonymous(), nullptr);
}

TEST(Users, ADefaultUserWithAPasswordIsNotAnonymous) {
  const auto users = Users::of({with_password("default")});

  EXPECT_EQ(users->anonymous(), nullptr);
  EXPECT_NE(users->find("default"), nullptr);
}

TEST(Users, FindsUsersByTheirExactName) {
  const auto users = Users::of({with_password("web"), with_password("worker")});

  EXPECT_EQ(users->find("web")->name, "web");
  EXPECT_EQ(users->find("Web"), nullptr);
  EXPECT_EQ(users->find(""), nullptr);
  EXPECT_EQ(users->size(), 2U);
}

TEST(Users, AnUnknownNameAlwaysHasTheSameDecoy) {
  const auto users = Users::of({with_password("web", kCheap), with_password("dear", kDearer)});

  for (int i = 0; i < 100; ++i) {
    const std::string name = "nobody" + std::to_string(i);
    EXPECT_EQ(&users->decoy(name), &users->decoy(name));
  }
}

TEST(Users, DecoysCostWhatTheUsersPasswordsCost) {
  const auto users = Users::of({with_password("web", kCheap), with_password("dear", kDearer)});

  std::set<unsigned> costs;
  for (int i = 0; i < 200; ++i) {
    costs.insert(users->decoy("nobody" + std::to_string(i)).cost().log_rounds);
  }

  EXPECT_EQ(costs, (std::set<unsigned>{10, 11}));
}

TEST(Users, ThereIsADecoyEvenWhereNobodyHasAPassword) {
  EXPECT_EQ(Users::open()->decoy("nobody").cost(), PasswordCost{});
}

}  // namespace
}  // namespace larder
