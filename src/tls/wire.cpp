#include "tls/wire.hpp"

#include <openssl/bio.h>

#include <algorithm>
#include <cstring>

namespace larder {

namespace {

Wire& wire_of(BIO* bio) { return *static_cast<Wire*>(BIO_get_data(bio)); }

int read_wire(BIO* bio, char* into, std::size_t room, std::size_t* size) {
  Wire& wire = wire_of(bio);
  BIO_clear_retry_flags(bio);
  *size = std::min(room, wire.input.size() - wire.used);
  if (*size == 0) {
    BIO_set_retry_read(bio);
    return 0;
  }
  std::memcpy(into, wire.input.data() + wire.used, *size);
  wire.used += *size;
  return 1;
}

int write_wire(BIO* bio, const char* bytes, std::size_t size, std::size_t* written) {
  BIO_clear_retry_flags(bio);
  wire_of(bio).output.append(bytes, size);
  *written = size;
  return 1;
}

long control_wire(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

}  // namespace

BIO_METHOD* make_wire_method() {
  BIO_METHOD* method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "wire");
  if (method == nullptr) return nullptr;
  BIO_meth_set_read_ex(method, read_wire);
  BIO_meth_set_write_ex(method, write_wire);
  BIO_meth_set_ctrl(method, control_wire);
  return method;
}

BIO* make_wire_bio(const BIO_METHOD* method, Wire& wire) {
  BIO* bio = BIO_new(method);
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, &wire);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace larder
