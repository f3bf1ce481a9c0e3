// Who the server lets in, and whom the client takes for the server: passwords and TLS.
#include <gmock/gmock.h>

#include "demo/free_port.hpp"
#include "postgres/postgres_server.hpp"
#include "postgres/target.hpp"
#include "tls/certificates.hpp"

namespace larder {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kPassword = "open:sesame/1";
constexpr const char* kPasswordInUrl = "open%3Asesame%2F1";

class PostgresAccess : public SqlDatabaseTest {
 protected:
  static std::unique_ptr<PostgresServer> server_;  // null where PostgreSQL is not installed
  static std::filesystem::path files_;
  static std::uint16_t port_;

  static void SetUpTestSuite() {
    files_ = unprivileged_directory();
    const test::Certificate authority = test::make_authority("larder's test");
    const test::Certificate server = test::issue(authority, "localhost");
    write_unprivileged(files_ / "ca.pem", authority.certificate);
    write_unprivileged(files_ / "other.pem", test::make_authority("somebody").certificate);
    write_unprivileged(files_ / "server.pem", server.certificate);
    write_unprivileged(files_ / "server.key", server.key);
    write_unprivileged(files_ / "hba.conf",
                       "local all larder trust\nlocal all shop scram-sha-256\n"
                       "hostssl all shop localhost scram-sha-256\n");
    port_ = demo::free_port(0, 0).value();
    const std::string files = files_.string();
    server_ = PostgresServer::start(
        {"listen_addresses=localhost", "ssl=on", "ssl_cert_file=" + files + "/server.pem",
         "ssl_key_file=" + files + "/server.key", "hba_file=" + files + "/hba.conf"},
        port_);
    if (!server_) return;
    PostgresClient{server_->url()}.execute(
        std::string{
            "SET password_encryption TO 'scram-sha-256'; CREATE ROLE shop LOGIN PASSWORD '"} +
        kPassword + "'");
  }
  static void TearDownTestSuite() {
    server_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(files_, ignored);
  }
  void SetUp() override {
    if (!server_) GTEST_SKIP() << "PostgreSQL is not installed: `./dev setup` does it";
  }

  // On the Unix socket, with `password` as a URL has it.
  static std::string local(const std::string& password, const std::string& more = "") {
    return "postgresql://shop" + (password.empty() ? "" : ":" + password) +
           "@/postgres?host=" + server_->directory().string() + "&port=" + std::to_string(port_) +
           more;
  }
  static std::string remote(const std::string& authority, const std::string& more = "") {
    return std::string{"postgresql://shop:"} + kPasswordInUrl +
           "@localhost:" + std::to_string(port_) +
           "/postgres?sslmode=verify-full&sslrootcert=" + (files_ / authority).string() + more;
  }
  std::string refusal_of(const std::string& url) {
    const auto refused = open_postgres(runtime_, url);
    return refused ? "it opens" : refused.error().message;
  }
  SqlDatabase& open(const std::string& url) { return *(database_ = postgres(runtime_, url)); }
  SqlDatabase& opened() override { return *database_; }

  Runtime runtime_{{.io_threads = 1}};
  std::shared_ptr<SqlDatabase> database_;
};

std::unique_ptr<PostgresServer> PostgresAccess::server_;
std::filesystem::path PostgresAccess::files_;
std::uint16_t PostgresAccess::port_ = 0;

constexpr const char* kWho = "SELECT current_user AS who WHERE 1 = :id";
constexpr const char* kIsEncrypted =
    "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND 1 = :id";

TEST_F(PostgresAccess, AScramPasswordIsTaken) {
  open(local(kPasswordInUrl));

  EXPECT_EQ(value(*prepare(kWho), id(1)), R"({"who":"shop"})");
}

TEST_F(PostgresAccess, APasswordMayStandInAFile) {
  write_unprivileged(files_ / "passwords", std::string{"*:*:*:shop:open\\:sesame/1\n"});

  open(local("", "&passfile=" + (files_ / "passwords").string()));

  EXPECT_EQ(value(*prepare(kWho), id(1)), R"({"who":"shop"})");
}

TEST_F(PostgresAccess, AWrongPasswordIsRefusedAndIsNotShown) {
  const std::string refused = refusal_of(local("abracadabra"));

  EXPECT_THAT(refused, AllOf(HasSubstr("password authentication failed for user \"shop\""),
                             Not(HasSubstr("abracadabra"))));
}

TEST_F(PostgresAccess, WithoutAPasswordTheErrorSaysThatOneIsWanted) {
  EXPECT_THAT(refusal_of(local("", "&passfile=/there/is/none")), HasSubstr("no password supplied"));
}

// Which waiting does not mend.
TEST_F(PostgresAccess, AWrongPasswordAndNoneAreRefusals) {
  const auto refuses = [](const std::string& url) {
    return PostgresTarget::parse(url, {}).value().refuses();
  };

  EXPECT_FALSE(refuses(local(kPasswordInUrl)));
  EXPECT_TRUE(refuses(local("abracadabra")));
  EXPECT_TRUE(refuses(local("", "&passfile=/there/is/none")));
}

TEST_F(PostgresAccess, AServerIsKnownByItsAuthority) {
  open(remote("ca.pem"));

  EXPECT_EQ(value(*prepare(kIsEncrypted), id(1)), R"({"ssl":true})");
}

TEST_F(PostgresAccess, AnotherAuthorityIsRefusedAndNothingOfThePasswordShown) {
  EXPECT_THAT(refusal_of(remote("other.pem")),
              AllOf(HasSubstr("certificate verify failed"), Not(HasSubstr(kPassword)),
                    Not(HasSubstr(kPasswordInUrl))));
}

TEST_F(PostgresAccess, ACertificateForAnotherHostIsRefused) {
  EXPECT_THAT(refusal_of(remote("ca.pem", "&host=db.example&hostaddr=127.0.0.1")),
              HasSubstr("does not match host name \"db.example\""));
}

TEST_F(PostgresAccess, WhereTheServerWantsTlsASessionWithoutItIsRefused) {
  EXPECT_THAT(refusal_of(std::string{"postgresql://shop:"} + kPasswordInUrl +
                         "@localhost:" + std::to_string(port_) + "/postgres?sslmode=disable"),
              HasSubstr("no encryption"));
}

}  // namespace
}  // namespace larder
