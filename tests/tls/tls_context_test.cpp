#include "tls/tls_context.hpp"

#include <gmock/gmock.h>

#include <string>

#include "tls/certificate_files.hpp"
#include "tls/certificates.hpp"
#include "tls/tls_client.hpp"
#include "tls/tls_session.hpp"

namespace larder {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class TlsContextTest : public testing::Test {
 protected:
  std::string why_not(const TlsFiles& files) const {
    const auto context = TlsContext::load(files);
    return context ? "" : context.error().message;
  }

  test::CertificateFiles folder_;
  test::Certificate authority_ = test::make_authority("test authority");
  test::Certificate server_ = test::issue(authority_, "server");
};

TEST_F(TlsContextTest, LoadsACertificateAndItsKey) {
  const auto context = TlsContext::load(folder_.write(server_));

  ASSERT_TRUE(context) << context.error().message;
  const auto left = (*context)->expires() - std::chrono::system_clock::now();
  EXPECT_GT(left, 50min);
  EXPECT_LE(left, 1h);
}

TEST_F(TlsContextTest, LoadsAChain) {
  TlsFiles files = folder_.write(server_);
  folder_.write("server.pem", server_.certificate + authority_.certificate);

  EXPECT_EQ(why_not(files), "");
}

TEST_F(TlsContextTest, NamesAFileThatIsNotThere) {
  TlsFiles files = folder_.write(server_);
  files.key = folder_.path("absent.key");

  EXPECT_THAT(why_not(files),
              AllOf(HasSubstr("the key"), HasSubstr("absent.key"), HasSubstr("No such file")));
}

TEST_F(TlsContextTest, RefusesAFolderAndADevice) {
  TlsFiles files = folder_.write(server_);
  files.certificate = folder_.path("");
  EXPECT_THAT(why_not(files), HasSubstr("is no file"));

  files.certificate = "/dev/zero";
  EXPECT_THAT(why_not(files), HasSubstr("is no file"));
}

TEST_F(TlsContextTest, RefusesAFileThatIsFarTooLarge) {
  TlsFiles files = folder_.write(server_);
  folder_.write("server.key", std::string(2 << 20, 'x'));

  EXPECT_THAT(why_not(files), HasSubstr("more than 1 MiB"));
}

TEST_F(TlsContextTest, RefusesTheKeyOfAnotherCertificate) {
  TlsFiles files = folder_.write(server_);
  folder_.write("server.key", test::issue(authority_, "other").key);

  EXPECT_THAT(why_not(files),
              AllOf(HasSubstr("server.key"), HasSubstr("is not that of"), HasSubstr("server.pem")));
}

TEST_F(TlsContextTest, RefusesAKeyWithAPassphraseInsteadOfAskingTheTerminal) {
  TlsFiles files = folder_.write(server_);
  folder_.write("server.key", test::with_passphrase(server_.key));

  EXPECT_THAT(why_not(files), AllOf(HasSubstr("passphrase"), HasSubstr("openssl pkey")));
}

TEST_F(TlsContextTest, RefusesWhatIsNoPemAndRepeatsNothingOfIt) {
  TlsFiles files = folder_.write(server_);
  folder_.write("server.key", "very secret bytes");
  EXPECT_THAT(why_not(files), AllOf(HasSubstr("no private key"), Not(HasSubstr("very secret"))));

  files.certificate = files.key;
  EXPECT_THAT(why_not(files), HasSubstr("no certificate"));

  files.certificate = folder_.write("empty.pem", "");
  EXPECT_THAT(why_not(files), HasSubstr("no certificate"));
}

TEST_F(TlsContextTest, RefusesACertificateThatIsCut) {
  TlsFiles files = folder_.write(server_);
  folder_.write("server.pem", server_.certificate.substr(0, server_.certificate.size() / 2));

  EXPECT_THAT(why_not(files), HasSubstr("server.pem"));
}

TEST_F(TlsContextTest, RefusesAClientAuthorityThatIsNone) {
  TlsFiles files = folder_.write(server_);
  files.client_ca = folder_.write("clients.pem", "nothing");

  EXPECT_THAT(why_not(files), AllOf(HasSubstr("the clients' CA"), HasSubstr("clients.pem")));
}

TEST_F(TlsContextTest, ReloadingTakesNewFiles) {
  const TlsFiles files = folder_.write(server_);
  const auto certificates = TlsCertificates::load(files).value();
  const auto before = certificates->current();
  folder_.write(test::issue(authority_, "renewed", 2h));

  const auto reloaded = certificates->reload(files);

  ASSERT_TRUE(reloaded) << reloaded.error().message;
  EXPECT_GT(certificates->current()->expires(), before->expires() + 30min);
}

TEST_F(TlsContextTest, ReloadingBadFilesKeepsTheOldContextAndSaysWhy) {
  const TlsFiles files = folder_.write(server_);
  const auto certificates = TlsCertificates::load(files).value();
  const auto before = certificates->current();
  folder_.write("server.pem", test::issue(authority_, "renewed").certificate);  // not its key

  const auto reloaded = certificates->reload(files);

  ASSERT_FALSE(reloaded);
  EXPECT_THAT(reloaded.error().message, HasSubstr("server.key"));
  EXPECT_EQ(certificates->current(), before);
}

}  // namespace
}  // namespace larder
