// Each bad/NAME.toml is refused with exactly the messages in bad/NAME.txt.
//
// LARDER_REWRITE_MESSAGES=1 in the environment writes the messages as they are
// now; read them in the diff before you commit.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "config/parse.hpp"
#include "config/surroundings.hpp"

namespace larder {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream{path}.rdbuf();
  return text.str();
}

std::vector<fs::path> bad_files() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator{LARDER_BAD_FILES}) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

// What the bad files may refer to. Of the values, nothing may be in a message.
test::Surroundings surroundings() {
  return {.variables = {{"SHOP_URL", "mysql://shop:hunter2@db/shop"},
                        {"NEAR_URL", "sqlit:///hunter2.db"},
                        {"LONG", "9753d"},
                        {"SHORT", "1357ms"},
                        {"ADDRESS", "hunter2:6380"},
                        {"SQL", "SELECT :hunter2"},
                        {"WORD", "hunter2"}},
          .files = {{"secrets/url", "hunter2\n"}}};
}

std::vector<Problem> problems_of(const fs::path& file) {
  const test::Surroundings around = surroundings();
  return parse_config(text_of(file), around.as(file.filename().string())).problems;
}

std::string messages(const fs::path& file) {
  std::string all;
  for (const Problem& problem : problems_of(file)) {
    all += to_string(problem, file.filename().string()) + "\n";
  }
  return all;
}

// What the TOML parser says is its own, and each of its versions says it otherwise:
// it stands as […] between "from here on: " and the end of its sentence.
std::string without_the_parsers_words(std::string text) {
  constexpr std::string_view kBefore = "the file is not TOML from here on: ";
  const std::size_t said = text.find(kBefore);
  if (said == std::string::npos) return text;
  const std::size_t begin = said + kBefore.size();
  const std::size_t end = std::min(text.find(". ", begin), text.find(".\n", begin));
  return text.replace(begin, end - begin, "[…]");
}

class BadFile : public testing::TestWithParam<fs::path> {};

TEST_P(BadFile, IsRefusedInTheseWords) {
  const fs::path wanted = fs::path{GetParam()}.replace_extension(".txt");
  if (std::getenv("LARDER_REWRITE_MESSAGES") != nullptr) {
    std::ofstream{wanted} << without_the_parsers_words(messages(GetParam()));
  }

  EXPECT_EQ(without_the_parsers_words(messages(GetParam())), text_of(wanted));
  EXPECT_FALSE(text_of(wanted).empty());
}

TEST_P(BadFile, GivesNoSecretAway) {
  for (const char* secret : {"hunter2", "9753", "1357", "1s357"}) {
    EXPECT_EQ(messages(GetParam()).find(secret), std::string::npos) << secret;
  }
}

TEST_P(BadFile, HasItsMessagesInTheOrderOfTheText) {
  EXPECT_TRUE(std::ranges::is_sorted(problems_of(GetParam()), {}, &Problem::position));
}

INSTANTIATE_TEST_SUITE_P(Config, BadFile, testing::ValuesIn(bad_files()), [](const auto& file) {
  std::string name = file.param.stem().string();
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace larder
