// The real server, asked for passwords and certificates by Redis's own tools.
#include <gmock/gmock.h>
#include <signal.h>

#include <fstream>
#include <memory>
#include <string>

#include "access/password_hash.hpp"
#include "access/shell.hpp"
#include "server/running_larder.hpp"
#include "server/tcp_client.hpp"
#include "tls/certificate_files.hpp"
#include "tls/certificates.hpp"

namespace larder::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr auto kCaches = R"toml(
[caches.tag]
key = "tag:{name}"
[caches.cart]
key = "cart:{name}"
)toml";

std::string hash_of(std::string_view password) {
  return PasswordHash::of(password, {.log_rounds = 10}).value().text();
}

// A larder in a folder of its own, with PEM files beside its configuration.
class Door : public testing::Test {
 protected:
  void serve(const std::string& settings, const std::string& sections) {
    larder_ = std::make_unique<RunningLarder>(folder(), sections + kCaches, settings);
  }
  void serve_users() {
    serve("password = \"" + hash_of("pw-of-default") + "\"",
          "[users.web]\npassword = \"" + hash_of("pw-of-web") +
              "\"\nrights = [\"read:tag\", \"write:tag\"]\n");
  }
  void serve_tls(bool ask_clients = false, const std::string& settings = "") {
    files_.write("ca.pem", authority_.certificate);
    files_.write(issue(authority_, "first"));
    serve(settings, std::string{"[tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\n"} +
                        (ask_clients ? "client_ca = \"ca.pem\"\n" : ""));
  }

  // What redis-cli prints.
  std::string cli(const std::string& arguments) const {
    return shell("redis-cli -h localhost -p " + std::to_string(larder_->port()) +
                 " --no-auth-warning " + arguments);
  }
  std::string tls_cli(const std::string& arguments) const {
    return cli("--tls --cacert " + files_.path("ca.pem") + " " + arguments);
  }
  // The name in the certificate that the server shows.
  std::string shown_certificate() const {
    return shell("openssl s_client -connect 127.0.0.1:" + std::to_string(larder_->port()));
  }
  [[nodiscard]] std::string folder() const { return files_.path(""); }

  CertificateFiles files_;
  Certificate authority_ = make_authority("authority");
  std::unique_ptr<RunningLarder> larder_;
};

TEST_F(Door, LetsInUsersWithTheirPasswordsAndRights) {
  serve_users();

  EXPECT_THAT(cli("GET tag:a"), HasSubstr("NOAUTH Authentication required."));
  EXPECT_EQ(cli("-a pw-of-default SET tag:a 1"), "OK\n");
  EXPECT_EQ(cli("--user web --pass pw-of-web GET tag:a"), "1\n");
  EXPECT_EQ(cli("-3 --user web --pass pw-of-web ACL WHOAMI"), "web\n");
  EXPECT_THAT(cli("--user web --pass pw-of-web GET cart:a"), HasSubstr("NOPERM"));
  EXPECT_THAT(cli("--user web --pass wrong GET tag:a"), HasSubstr("WRONGPASS"));
}

TEST_F(Door, GivesNoSecretAway) {
  serve_users();
  cli("--user web --pass pw-of-web PING");
  cli("--user web --pass pw-wrong PING");
  cli("AUTH pw-typed-twice web pw-of-web");
  cli("HELLO 3 AUTH web pw-of-web FOO");

  std::string told = cli("-a pw-of-default INFO everything") + larder_->page("/metrics");
  larder_->signal(SIGHUP);
  EXPECT_TRUE(larder_->says("SIGHUP"));
  larder_->signal(SIGTERM);
  larder_->wait();
  told += larder_->log();

  EXPECT_THAT(told, HasSubstr("redis_version"));
  EXPECT_THAT(told, AllOf(Not(HasSubstr("pw-")), Not(HasSubstr("scrypt"))));
}

TEST_F(Door, MetricsNeedAUser) {
  serve_users();
  const std::string url = " http://localhost:" + std::to_string(larder_->admin_port());

  EXPECT_THAT(shell("curl -si" + url + "/metrics"), HasSubstr(" 401 "));
  EXPECT_THAT(shell("curl -si -u web:pw-of-web" + url + "/metrics"),
              HasSubstr("larder_logins_total{outcome=\"accepted\"}"));
  EXPECT_THAT(shell("curl -si" + url + "/health"), HasSubstr(" 200 "));
  EXPECT_THAT(shell("curl -si -H 'Host: evil.example'" + url + "/health"), HasSubstr(" 421 "));
}

TEST_F(Door, MetricsSpeakTlsToWhomTheyKnow) {
  files_.write("ca.pem", authority_.certificate);
  files_.write(issue(authority_, "first"));
  const Certificate web = issue(authority_, "web");
  files_.write("web.pem", web.certificate);
  files_.write("web.key", web.key);
  serve("",
        "[tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\nclient_ca = \"ca.pem\"\n"
        "admin = true\n");
  const std::string place = "://localhost:" + std::to_string(larder_->admin_port()) + "/metrics";
  const std::string trusting = "curl -si --cacert " + files_.path("ca.pem");
  const std::string known =
      trusting + " --cert " + files_.path("web.pem") + " --key " + files_.path("web.key");

  EXPECT_THAT(shell(known + " https" + place),
              AllOf(HasSubstr(" 200 "), HasSubstr("larder_connections 0")));
  EXPECT_THAT(shell(known + " -H 'Host: evil.example' https" + place), HasSubstr(" 421 "));
  EXPECT_THAT(shell(trusting + " https" + place), Not(HasSubstr("larder_connections")));
  EXPECT_THAT(shell("curl -si http" + place), Not(HasSubstr("larder_connections")));
  EXPECT_THAT(shell(known + " --tls-max 1.1 https" + place), Not(HasSubstr("larder_connections")));
}

TEST_F(Door, NewPasswordsHoldAfterSighup) {
  serve_users();
  std::ofstream{folder() + "/larder.toml"} << "[server]\nlisten = \"127.0.0.1:0\"\n"
                                           << "admin = \"127.0.0.1:0\"\npassword = \""
                                           << hash_of("pw-new") << "\"\n"
                                           << kCaches;

  larder_->signal(SIGHUP);
  ASSERT_TRUE(larder_->says("larder.toml is loaded"));

  EXPECT_THAT(cli("-a pw-of-default PING"), HasSubstr("WRONGPASS"));
  EXPECT_EQ(cli("-a pw-new PING"), "PONG\n");
}

TEST_F(Door, ABadFileChangesNothingAndSaysWhy) {
  serve_users();
  std::ofstream{folder() + "/larder.toml"} << "[server]\npassword = \"pw-plain\"\n" << kCaches;

  larder_->signal(SIGHUP);
  ASSERT_TRUE(larder_->says("SIGHUP: nothing was changed"));
  EXPECT_EQ(cli("-a pw-of-default PING"), "PONG\n");

  larder_->signal(SIGTERM);
  larder_->wait();
  EXPECT_THAT(larder_->log(), AllOf(HasSubstr("larder.toml:2:12: server.password is no password"),
                                    Not(HasSubstr("pw-plain"))));
}

TEST_F(Door, SpeaksPlainlyOnAUnixSocketThatIsItsUsersAlone) {
  const std::string path = files_.path("door.sock");
  files_.write("ca.pem", authority_.certificate);
  files_.write(issue(authority_, "first"));
  serve("unix_socket = \"door.sock\"\nmax_clients_per_address = 1\npassword = \"" +
            hash_of("pw-of-default") + "\"",
        "[tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\n");
  const std::string cli = "redis-cli --no-auth-warning -s " + path + " ";

  EXPECT_THAT(shell(cli + "GET tag:a"), HasSubstr("NOAUTH"));
  EXPECT_EQ(shell(cli + "-a pw-of-default SET tag:a 1"), "OK\n");
  EXPECT_EQ(shell("redis-benchmark -a pw-of-default -q -n 1000 -c 5 -s " + path +
                  " SET tag:a x > /dev/null 2> /dev/null && echo ran"),
            "ran\n");
  EXPECT_EQ(shell("stat -c %a " + path), "600\n");
  larder_->signal(SIGTERM);
  EXPECT_EQ(larder_->wait(), 0);
  EXPECT_EQ(shell("ls " + path + " 2>/dev/null"), "");
}

TEST_F(Door, AWebPageGetsNothing) {
  serve("", "");
  TcpClient browser{larder_->port()};
  browser.send("POST / HTTP/1.1\r\nHost: localhost\r\n\r\nSET tag:a stolen\r\n");

  EXPECT_EQ(browser.read_to_end(), "");
  EXPECT_EQ(cli("GET tag:a"), "\n");
}

TEST_F(Door, SpeaksTlsWithRedisCli) {
  serve_tls();

  EXPECT_EQ(tls_cli("SET tag:a hello"), "OK\n");
  EXPECT_EQ(tls_cli("GET tag:a"), "hello\n");
  EXPECT_THAT(cli("GET tag:a"), Not(HasSubstr("hello")));
}

TEST_F(Door, CarriesLargeValuesAndPipelinesOverTls) {
  serve_tls();
  const std::string value(3'000'000, 'v');
  files_.write("value", value);
  const std::string tool =
      " -p " + std::to_string(larder_->port()) + " --tls --cacert " + files_.path("ca.pem");

  EXPECT_EQ(shell("cat " + files_.path("value") + " | redis-cli -h localhost" + tool +
                  " -x SET tag:large"),
            "OK\n");
  EXPECT_EQ(tls_cli("GET tag:large"), value + "\n");
  EXPECT_THAT(shell("redis-benchmark -h localhost" + tool +
                    " -n 20000 -c 20 -P 32 -r 100 -q SET tag:__rand_int__ x"),
              HasSubstr("requests per second"));
  EXPECT_EQ(larder_->metric("larder_tls_failures_total"), 0);
}

TEST_F(Door, AsksClientsForCertificates) {
  serve_tls(/*ask_clients=*/true);
  const Certificate web = issue(authority_, "web");
  files_.write("web.pem", web.certificate);
  files_.write("web.key", web.key);

  EXPECT_THAT(tls_cli("PING"), Not(HasSubstr("PONG")));
  EXPECT_EQ(
      tls_cli("--cert " + files_.path("web.pem") + " --key " + files_.path("web.key") + " PING"),
      "PONG\n");
}

TEST_F(Door, ShowsANewCertificateAfterSighup) {
  serve_tls();
  ASSERT_THAT(shown_certificate(), ::testing::ContainsRegex("CN ?= ?first"));
  files_.write(issue(authority_, "second"));

  larder_->signal(SIGHUP);
  ASSERT_TRUE(larder_->says("larder.toml is loaded"));

  EXPECT_THAT(shown_certificate(), ::testing::ContainsRegex("CN ?= ?second"));
}

TEST_F(Door, KeepsItsCertificateWhenTheNewOneIsBad) {
  serve_tls();
  files_.write("server.pem", issue(authority_, "second").certificate);  // another key's

  larder_->signal(SIGHUP);
  ASSERT_TRUE(larder_->says("server.key, is not that of the certificate"));

  EXPECT_THAT(shown_certificate(), ::testing::ContainsRegex("CN ?= ?first"));
}

// A whole record of a handshake announced, and only its beginning sent.
TEST_F(Door, AClientThatDoesNotEndItsHandshakeIsClosed) {
  serve_tls(/*ask_clients=*/false, "login_timeout = \"50ms\"");
  TcpClient silent{larder_->port()};
  TcpClient half{larder_->port()};
  half.send(std::string_view{"\x16\x03\x01\x02\x00\x01", 6});

  EXPECT_EQ(silent.read_to_end(), "");
  EXPECT_EQ(half.read_to_end(), "");

  EXPECT_EQ(larder_->metric("larder_connections_closed_total{limit=\"login_timeout\"}"), 2);
  EXPECT_EQ(tls_cli("PING"), "PONG\n");
}

TEST_F(Door, AClientThatSpeaksPlainlyToTlsIsClosedAndCounted) {
  serve_tls();
  TcpClient client{larder_->port()};
  client.send("*1\r\n$4\r\nPING\r\n");

  EXPECT_THAT(client.read_to_end(), Not(HasSubstr("PONG")));
  EXPECT_EQ(larder_->metric("larder_tls_failures_total"), 1);
}

}  // namespace
}  // namespace larder::test
