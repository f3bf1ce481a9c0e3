#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <utility>

#include "cli/run_larder.hpp"
#include "config/reference.hpp"

namespace larder {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A configuration file in a folder of its own.
class CheckTest : public testing::Test {
 public:
  CheckTest() {
    std::string pattern = testing::TempDir() + "larder-check-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"mkdtemp"};
    folder_ = pattern;
  }
  ~CheckTest() override { std::filesystem::remove_all(folder_); }

  std::string file(std::string_view text) {
    const std::string path = folder_ / "shop.toml";
    std::ofstream{path} << text;
    return path;
  }
  // In the database beside it.
  void execute(const char* sql) {
    sqlite3* database = nullptr;
    EXPECT_EQ(sqlite3_open((folder_ / "shop.db").c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
  }

 private:
  std::filesystem::path folder_;
};

// What libpq alone knows, without a server: it is not connected to any.
TEST_F(CheckTest, AnOptionThatLibpqRefusesIsAMistakeWithItsPlace) {
  const auto check = [this](const std::string& options) {
    return test::run_larder(
        {"check", file("[sources.shop]\nurl = \"postgresql://db.example/shop" + options +
                       "\"\n[caches.product]\nkey = \"product:{id:int}\"\n"
                       "source = \"shop\"\nread = \"SELECT 1 WHERE 1 = :id\"\n")});
  };

  EXPECT_EQ(check("?sslmode=require&application_name=a,b").exit_code, 0);
  EXPECT_EQ(check("?host=a,b,c&port=1,2,3").exit_code, 0);
  for (const auto& [options, said] :
       {std::pair{"?sslmode=requird", "invalid sslmode value)"},
        std::pair{"?port=99999", "invalid port number)"},
        std::pair{"?host=a,b&port=1,2,3", "could not match 3 port numbers to 2 hosts)"},
        std::pair{"?connect_timeout=soon", "invalid integer value for connect_timeout)"},
        std::pair{"?target_session_attrs=primry", "invalid target_session_attrs value)"}}) {
    const test::Ran ran = check(options);

    EXPECT_EQ(ran.exit_code, 1) << options;
    EXPECT_THAT(ran.err, testing::AllOf(HasSubstr("shop.toml:2:"), HasSubstr(said)));
  }
}

TEST_F(CheckTest, SummarizesAGoodFile) {
  const std::string path = file(
      "[sources.shop]\nurl = \"sqlite:shop.db\"\n"
      "[caches.product]\nkey = \"product:{id:int}\"\nsource = \"shop\"\n"
      "read = \"SELECT 1 WHERE 1 = :id\"\n");

  const test::Ran ran = test::run_larder({"check", path});

  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(ran.out, path +
                         ": ok, 1 cache, 1 source, memory 256MiB, listening on 127.0.0.1:6380\n"
                         "  source shop    sqlite:shop.db\n"
                         "  cache product  product:{id:int}  read-through from shop  ttl 5m\n");
}

TEST_F(CheckTest, ReportsEveryMistakeWithItsPlace) {
  const std::string path = file("[server]\nlisten = 1\n[caches.a]\nkey = \"a\"\ntll = \"5m\"\n");

  const test::Ran ran = test::run_larder({"check", path});

  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, StartsWith(path + ":2:10: server.listen"));
  EXPECT_THAT(ran.err, HasSubstr("\n" + path + ":5:1: [caches.a] has no setting tll"));
}

TEST_F(CheckTest, AWarningIsShownAndIsNoMistake) {
  const std::string path =
      file("[sources.shop]\nurl = \"sqlite:shop.db\"\n[caches.a]\nkey = \"a\"\n");

  const test::Ran ran = test::run_larder({"check", path});

  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_THAT(ran.err, HasSubstr(":1:10: warning: sources.shop"));
  EXPECT_THAT(ran.out, HasSubstr(": ok, 1 cache"));
}

TEST_F(CheckTest, AMissingFileIsAMistake) {
  const test::Ran ran = test::run_larder({"check", "/nowhere/shop.toml"});

  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.err, "/nowhere/shop.toml: the file cannot be read: No such file or directory.\n");
}

TEST_F(CheckTest, OnlyARegularFileIsRead) {
  const std::string pipe = file("") + ".pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);

  const test::Ran of_a_pipe = test::run_larder({"check", pipe});
  const test::Ran of_a_device = test::run_larder({"check", "/dev/zero"});
  const test::Ran of_a_folder = test::run_larder({"check", testing::TempDir()});

  EXPECT_EQ(of_a_pipe.exit_code, 1);
  EXPECT_EQ(of_a_pipe.err, pipe +
                               ": the file is a pipe, a socket or a device; write the text to a "
                               "file and name that.\n");
  EXPECT_THAT(of_a_device.err, HasSubstr("is a pipe, a socket or a device"));
  EXPECT_THAT(of_a_folder.err, HasSubstr("the file is a folder; name a file in it."));
}

TEST_F(CheckTest, ASecretIsReadFromARegularFileAlone) {
  const std::string path = file("[sources.shop]\nurl = \"file:secret\"\n");
  const std::string pipe = std::filesystem::path{path}.parent_path() / "secret";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);

  const test::Ran ran = test::run_larder({"check", path});

  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.err, HasSubstr("secret\", which is a pipe, a socket or a device"));
}

TEST_F(CheckTest, ExplainsASetting) {
  const test::Ran ran = test::run_larder({"check", "--explain", "caches.ttl"});

  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.out, *explain_setting("caches.ttl"));
}

TEST_F(CheckTest, NamesTheNearestSettingForATypingMistake) {
  const test::Ran ran = test::run_larder({"check", "--explain", "caches.tll"});

  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.err, "larder: there is no setting \"caches.tll\"; did you mean caches.ttl?\n");
}

TEST_F(CheckTest, ExplainingNothingSaysWhatCanBeNamed) {
  const test::Ran ran = test::run_larder({"check", "--explain", ""});

  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.err, HasSubstr("there is no setting \"\"; name one, as caches.ttl"));
}

TEST_F(CheckTest, PrintsTheReference) {
  const test::Ran ran = test::run_larder({"check", "--reference"});

  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.out, configuration_reference());
}

TEST_F(CheckTest, AskedForNothingIsWrongUsage) {
  EXPECT_EQ(test::run_larder({"check"}).exit_code, 2);
}

TEST_F(CheckTest, ADatabaseIsAskedWhetherItKeepsMarksOfWhatIsComputed) {
  const std::string path = file(R"toml(
[journal]
path = "journal"
[sources.shop]
url = "sqlite:shop.db"
[caches.stock]
key      = "stock:{id:int}"
source   = "shop"
read     = "SELECT id, n FROM stock WHERE id = :id"
strategy = "write-behind"
write    = "UPDATE stock SET n = n - :n WHERE id = :id"
)toml");
  execute("CREATE TABLE stock (id INTEGER PRIMARY KEY, n INTEGER)");

  const test::Ran ran = test::run_larder({"check", "--database", path});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_THAT(ran.err, HasSubstr(":11:12: warning: caches.stock.write computes, and its source has "
                                 "no table larder_applied"));

  execute(
      "CREATE TABLE larder_applied (journal TEXT, position BIGINT, "
      "PRIMARY KEY (journal, position))");
  EXPECT_EQ(test::run_larder({"check", "--database", path}).err, "");
}

}  // namespace
}  // namespace larder
