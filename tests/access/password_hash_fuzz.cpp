// Password hashes of a configuration: what is read is read again from its own text, costs no more
// than a login may, and a refusal never repeats what may be a password.
#include "access/password_hash.hpp"
#include "fuzz/check.hpp"

namespace larder {

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};

  const auto hash = PasswordHash::parse(text);

  if (hash) {
    require(hash->cost().memory() <= PasswordHash::kMostMemory, "bounded memory");
    require(PasswordHash::parse(hash->text()) == hash, "a hash is read back");
  } else if (text.starts_with("$scrypt$")) {
    require(!hash.error().message.contains(text), "the text is not repeated");
  } else {
    require(hash.error().message == PasswordHash::parse("").error().message,
            "of what is no hash nothing is said");
  }
  return 0;
}

}  // namespace larder
