#include "shared/announcements.hpp"

#include <gmock/gmock.h>

namespace larder::shared {
namespace {

using resp::Reply;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Reply text(std::string words) {
  Reply reply;
  reply.kind = Reply::Kind::kBulk;
  reply.text = std::move(words);
  return reply;
}
Reply array(std::vector<Reply> items) {
  Reply reply;
  reply.kind = Reply::Kind::kArray;
  reply.items = std::move(items);
  return reply;
}
Reply entry(std::string id, std::vector<std::string> fields) {
  std::vector<Reply> items;
  for (std::string& field : fields) items.push_back(text(std::move(field)));
  return array({text(std::move(id)), array(std::move(items))});
}
// As RESP2 has it, or RESP3.
Reply read_of(std::vector<Reply> entries, bool resp3) {
  Reply inner = array({text("s"), array(std::move(entries))});
  if (!resp3) return array({std::move(inner)});
  inner.kind = Reply::Kind::kMap;
  return inner;
}
const Reply kThere = array({entry("1-0", {"o", "me"})});

class AnnouncementsTest : public testing::Test {
 protected:
  AnnouncementsTest() { EXPECT_TRUE(followed_.take_hello(text("1-0"))); }

  Announcements followed_{"s", "me"};
};

TEST_F(AnnouncementsTest, TellWhatOthersInvalidated) {
  for (const bool resp3 : {false, true}) {
    const auto heard =
        followed_.take_read(kThere, read_of({entry("2-0", {"o", "other", "c", "product", "k", "7"}),
                                             entry("2-1", {"o", "other", "c", "product"})},
                                            resp3));

    ASSERT_TRUE(heard);
    EXPECT_THAT(heard->announced,
                ElementsAre(Announcement{"product", "7"}, Announcement{"product", std::nullopt}));
    EXPECT_TRUE(heard->all);
  }
}

TEST_F(AnnouncementsTest, PassOverWhatThisProcessSaidAndWhatSaysNothing) {
  const auto heard = followed_.take_read(
      kThere, read_of({entry("2-0", {"o", "me", "c", "product", "k", "7"}),
                       entry("2-1", {"o", "other"}), entry("2-2", {"x"}), text("noise")},
                      true));

  ASSERT_TRUE(heard);
  EXPECT_THAT(heard->announced, IsEmpty());
}

TEST_F(AnnouncementsTest, NoNewsIsNoGap) {
  const auto heard = followed_.take_read(kThere, Reply{});

  ASSERT_TRUE(heard);
  EXPECT_THAT(heard->announced, IsEmpty());
  EXPECT_TRUE(followed_.placed());
}

// Who has read so many has not heard everything that was said before it asked.
TEST_F(AnnouncementsTest, AFullReadMayNotBeAll) {
  std::vector<Reply> entries;
  for (std::size_t i = 0; i < Announcements::kAtOnce; ++i) {
    entries.push_back(entry("2-" + std::to_string(i), {"o", "other", "c", "product", "k", "7"}));
  }
  const auto full = followed_.take_read(kThere, read_of(entries, true));
  entries.pop_back();
  const auto rest = followed_.take_read(kThere, read_of(entries, true));

  EXPECT_FALSE(full->all);
  EXPECT_TRUE(rest->all);
}

TEST_F(AnnouncementsTest, ThatTheLastEntryIsGoneIsAGap) {
  EXPECT_FALSE(followed_.take_read(
      array({}), read_of({entry("9-0", {"o", "other", "c", "product", "k", "7"})}, true)));

  EXPECT_FALSE(followed_.placed());
}

TEST_F(AnnouncementsTest, AnErrorIsNoPlace) {
  Reply error;
  error.kind = Reply::Kind::kError;

  EXPECT_FALSE(followed_.take_hello(error));
  EXPECT_FALSE(followed_.take_read(kThere, error));
}

}  // namespace
}  // namespace larder::shared
