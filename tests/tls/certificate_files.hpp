// A directory of PEM files, removed with the object.
#pragma once

#include <fstream>
#include <string>

#include "demo/temporary_directory.hpp"
#include "tls/certificates.hpp"
#include "tls/tls_context.hpp"

namespace larder::test {

class CertificateFiles {
 public:
  // The path of a file of that name.
  [[nodiscard]] std::string path(const std::string& name) const { return folder_.path() / name; }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream{path(name), std::ios::binary} << text;
    return path(name);
  }
  // As server.pem and server.key.
  TlsFiles write(const Certificate& server) const {
    return {.certificate = write("server.pem", server.certificate),
            .key = write("server.key", server.key),
            .client_ca = ""};
  }

 private:
  TemporaryDirectory folder_;
};

}  // namespace larder::test
