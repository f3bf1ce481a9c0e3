#include "tls/tls_session.hpp"

#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include <array>
#include <optional>
#include <random>
#include <string>

#include "tls/certificate_files.hpp"
#include "tls/certificates.hpp"
#include "tls/tls_client.hpp"

namespace larder {
namespace {

using testing::HasSubstr;

// A session and a client, with a wire between them that the test holds.
class TlsSessionTest : public testing::Test {
 protected:
  void connect(test::TlsClientOptions options = {}, bool ask_clients = false) {
    TlsFiles files = folder_.write(server_);
    if (ask_clients) files.client_ca = folder_.write("clients.pem", clients_.certificate);
    session_.emplace(TlsContext::load(files).value());
    if (options.authority.empty()) options.authority = authority_.certificate;
    client_.emplace(options);
    exchange();
  }
  // Carries bytes both ways until nothing moves, in pieces of at most `most`.
  void exchange(std::size_t most = 1 << 20) {
    for (;;) {
      const std::string to_server = client_->take_output();
      for (std::size_t i = 0; i < to_server.size(); i += most) {
        session_->take(std::string_view{to_server}.substr(i, most));
        read();
      }
      const std::string to_client{session_->output().substr(0, most)};
      if (to_server.empty() && to_client.empty()) return;
      session_->sent(to_client.size());
      client_->take(to_client);
    }
  }
  void read() {
    std::array<char, 1000> room;
    while (const std::size_t size = session_->read(room)) received_.append(room.data(), size);
  }

  test::CertificateFiles folder_;
  test::Certificate authority_ = test::make_authority("server authority");
  test::Certificate clients_ = test::make_authority("client authority");
  test::Certificate server_ = test::issue(authority_, "server");
  std::optional<TlsSession> session_;
  std::optional<test::TlsClient> client_;
  std::string received_;
};

TEST_F(TlsSessionTest, ShakesHandsWithAClientThatTrustsIt) {
  connect();

  EXPECT_TRUE(session_->open());
  EXPECT_TRUE(client_->open());
  EXPECT_EQ(client_->version(), "TLSv1.3");
  EXPECT_EQ(client_->server_name(), "server");
}

TEST_F(TlsSessionTest, CarriesBytesBothWays) {
  connect();

  client_->write("PING\r\n");
  exchange();
  session_->write("+PONG\r\n");
  exchange();

  EXPECT_EQ(received_, "PING\r\n");
  EXPECT_EQ(client_->received(), "+PONG\r\n");
}

TEST_F(TlsSessionTest, CarriesManyRecordsInAnyPieces) {
  connect();
  std::mt19937 random{std::random_device{}()};
  std::string long_text(200'000, '\0');
  for (char& c : long_text) c = static_cast<char>(random());

  client_->write(std::string_view{long_text}.substr(0, 100'000));
  client_->write(std::string_view{long_text}.substr(100'000));
  session_->write(long_text);
  exchange(777);

  EXPECT_EQ(received_, long_text);
  EXPECT_EQ(client_->received(), long_text);
}

TEST_F(TlsSessionTest, TheHandshakeMayComeByteByByte) {
  session_.emplace(TlsContext::load(folder_.write(server_)).value());
  client_.emplace(test::TlsClientOptions{.authority = authority_.certificate});

  exchange(1);

  EXPECT_TRUE(session_->open());
  EXPECT_TRUE(client_->open());
}

TEST_F(TlsSessionTest, WhatIsNotReadYetWaits) {
  connect();
  client_->write("first second");
  session_->take(client_->take_output());
  std::array<char, 6> room;

  EXPECT_EQ(session_->read(room), 6U);
  EXPECT_EQ(std::string(room.data(), 6), "first ");
  EXPECT_EQ(session_->read(room), 6U);
  EXPECT_EQ(std::string(room.data(), 6), "second");
  EXPECT_EQ(session_->read(room), 0U);
}

TEST_F(TlsSessionTest, KnowsWhenTheClientSaidGoodbye) {
  connect();

  client_->write("last");
  client_->close();
  exchange();

  EXPECT_EQ(received_, "last");
  EXPECT_TRUE(session_->ended());
  EXPECT_FALSE(session_->broken());
}

TEST_F(TlsSessionTest, SpeaksTls12) {
  connect({.authority = "", .most_version = TLS1_2_VERSION});

  EXPECT_TRUE(session_->open());
  EXPECT_EQ(client_->version(), "TLSv1.2");
}

TEST_F(TlsSessionTest, RefusesOlderVersionsAndTellsTheClient) {
  connect({.authority = "", .most_version = TLS1_1_VERSION});

  EXPECT_TRUE(session_->broken());
  EXPECT_FALSE(session_->open());
  EXPECT_THAT(client_->error(), HasSubstr("alert"));
}

TEST_F(TlsSessionTest, TheClientMayDistrustTheServer) {
  connect({.authority = clients_.certificate});

  EXPECT_TRUE(session_->broken());
  EXPECT_THAT(client_->error(), HasSubstr("certificate verify failed"));
}

TEST_F(TlsSessionTest, AskedForCertificatesAClientWithoutOneIsRefused) {
  connect({}, /*ask_clients=*/true);

  EXPECT_TRUE(session_->broken());
  EXPECT_THAT(session_->error(), HasSubstr("did not return a certificate"));
}

TEST_F(TlsSessionTest, AClientWithAnotherAuthoritysCertificateIsRefused) {
  connect({.authority = "", .certificate = test::issue(authority_, "stranger")},
          /*ask_clients=*/true);

  EXPECT_TRUE(session_->broken());
  EXPECT_FALSE(session_->open());
}

TEST_F(TlsSessionTest, AClientWithTheRightCertificateIsLetIn) {
  connect({.authority = "", .certificate = test::issue(clients_, "web")}, /*ask_clients=*/true);
  client_->write("hello");
  exchange();

  EXPECT_TRUE(session_->open());
  EXPECT_EQ(received_, "hello");
}

TEST_F(TlsSessionTest, AClientThatSpeaksPlainlyBreaksIt) {
  session_.emplace(TlsContext::load(folder_.write(server_)).value());

  session_->take("*1\r\n$4\r\nPING\r\n");
  read();

  EXPECT_TRUE(session_->broken());
  EXPECT_FALSE(session_->error().empty());
}

TEST_F(TlsSessionTest, ADamagedRecordBreaksIt) {
  connect();
  client_->write("hello");
  std::string bytes = client_->take_output();
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);

  session_->take(bytes);
  read();

  EXPECT_TRUE(session_->broken());
  EXPECT_EQ(received_, "");
}

TEST_F(TlsSessionTest, NoNoiseDoesHarm) {
  const auto context = TlsContext::load(folder_.write(server_)).value();
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};

  for (int i = 0; i < 200; ++i) {
    session_.emplace(context);
    test::TlsClient client{{.authority = authority_.certificate}};
    std::string bytes = client.take_output();
    for (int damage = 0; damage < 3; ++damage) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    bytes.resize(random() % bytes.size() + 1);
    session_->take(bytes);
    read();

    ASSERT_FALSE(session_->open());
    ASSERT_EQ(received_, "");
  }
}

}  // namespace
}  // namespace larder
