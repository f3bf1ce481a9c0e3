#include "sqlite/connection.hpp"

#include <gmock/gmock.h>

#include "sqlite/shop_file.hpp"

namespace larder {
namespace {

std::shared_ptr<SqlitePlan> plan(std::uint64_t id, std::string sql) {
  auto made = std::make_shared<SqlitePlan>();
  made->id = id;
  made->read.one = std::move(sql);
  made->parameters = {""};
  return made;
}

class SqliteConnectionTest : public SqliteTest {
 protected:
  SqliteConnectionTest() { execute("CREATE TABLE p(id INTEGER PRIMARY KEY)"); }

  SqliteFile file_{path_, {}, runtime_.clock()};
};

TEST_F(SqliteConnectionTest, StatementsStayPrepared) {
  const auto connection = SqliteConnection::open(file_).value();
  const auto read = plan(1, "SELECT id FROM p WHERE id = ?");

  SqliteStatements* const first = connection->statements(read).value();
  sqlite3_stmt* const prepared = first->one.get();

  EXPECT_EQ(connection->statements(read).value()->one.get(), prepared);
}

TEST_F(SqliteConnectionTest, StatementsOfAReaderThatIsGoneAreLetGo) {
  const auto connection = SqliteConnection::open(file_).value();
  auto gone = plan(1, "SELECT id FROM p WHERE id = ?");
  sqlite3_stmt* const prepared = connection->statements(gone).value()->one.get();
  sqlite3* const handle = sqlite3_db_handle(prepared);
  gone.reset();

  const auto next = plan(2, "SELECT id FROM p WHERE id > ?");
  sqlite3_stmt* const kept = connection->statements(next).value()->one.get();

  EXPECT_EQ(sqlite3_next_stmt(handle, nullptr), kept);
  EXPECT_EQ(sqlite3_next_stmt(handle, kept), nullptr);
}

TEST_F(SqliteConnectionTest, AConnectionCannotWrite) {
  const auto connection = SqliteConnection::open(file_).value();
  const auto read = plan(1, "SELECT id FROM p WHERE id = ?");
  sqlite3* const handle = sqlite3_db_handle(connection->statements(read).value()->one.get());

  EXPECT_EQ(sqlite3_exec(handle, "INSERT INTO p VALUES (1)", nullptr, nullptr, nullptr) & 0xFF,
            SQLITE_READONLY);
}

}  // namespace
}  // namespace larder
