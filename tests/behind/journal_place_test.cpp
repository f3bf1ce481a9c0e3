// What larder says of a folder that can hold no journal.
#include "behind/journal_place.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "behind/journal_fixture.hpp"

namespace larder::behind {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class JournalPlace : public JournalTest {
 protected:
  static std::string refusal(const fs::path& folder) {
    const auto opened = SqliteJournal::open({.folder = folder.string()});
    EXPECT_FALSE(opened);
    return opened ? std::string{} : opened.error().message;
  }
  // The same as a user without rights says it: in a child, which may become one.
  static std::string refusal_of_a_stranger(const fs::path& folder) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(1);
      const auto fits = check_journal_place(folder.string());
      const std::string said = fits ? "it fits" : fits.error().message;
      ::_exit(::write(ends[1], said.data(), said.size()) < 0 ? 1 : 0);
    }
    ::close(ends[1]);
    std::string said(4096, '\0');
    const auto size = ::read(ends[0], said.data(), said.size());
    said.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    ::close(ends[0]);
    EXPECT_EQ(::waitpid(child, nullptr, 0), child);
    return said;
  }
};

TEST_F(JournalPlace, AFileIsNoFolder) {
  std::ofstream{folder_ / "a"} << "text";

  EXPECT_THAT(refusal(folder_ / "a"), HasSubstr("is a file, and a journal is a folder"));
}

TEST_F(JournalPlace, TheJournalsOwnFileIsNotItsFolder) {
  open();
  close();

  EXPECT_THAT(refusal(place() / "journal.db"), HasSubstr("name the folder that it is in"));
}

TEST_F(JournalPlace, AFolderInThePlaceOfTheFileIsTold) {
  fs::create_directories(place() / "journal.db");

  EXPECT_THAT(refusal(place()), HasSubstr("is a folder, and should be the journal's file"));
}

TEST_F(JournalPlace, AFileSystemInMemoryIsKnown) {
  if (!fs::is_directory("/dev/shm")) GTEST_SKIP() << "there is no /dev/shm";

  EXPECT_TRUE(is_in_memory("/dev/shm/not/there/yet"));
  EXPECT_FALSE(is_in_memory("/proc"));
}

TEST_F(JournalPlace, AUserWithoutRightsIsToldOfThem) {
  open();
  close();
  for (const fs::path& folder : {folder_, place()}) fs::permissions(folder, fs::perms::all);

  fs::permissions(place() / "journal.db", fs::perms::none);
  EXPECT_THAT(refusal_of_a_stranger(place()),
              AllOf(HasSubstr("journal.db cannot be written: Permission denied"),
                    HasSubstr("larder runs as the user")));
  fs::permissions(place(), fs::perms::none);
  EXPECT_THAT(refusal_of_a_stranger(place()),
              HasSubstr(place().string() + " cannot be written: Permission denied"));
}

}  // namespace
}  // namespace larder::behind
