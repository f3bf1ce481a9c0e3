#include "access/password_hash.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <utility>

namespace larder {
namespace {

constexpr std::size_t kSaltBytes = 16;  // of new hashes
constexpr std::size_t kLeastSalt = 8;
constexpr std::size_t kMostSalt = 64;
constexpr std::string_view kPrefix = "$scrypt$";
// Rounds × block × lanes: no faster to guess than 1/16 of the default, no slower to
// check than 16 times.
constexpr std::uint64_t kLeastWork = std::uint64_t{1} << 13;
constexpr std::uint64_t kMostWork = std::uint64_t{1} << 21;

std::unexpected<Error> refuse(std::string why) {
  return fail(Errc::kInvalidArgument, std::move(why));
}

std::string encode(std::span<const unsigned char> bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  while (text.ends_with('=')) text.pop_back();
  return text;
}

bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

// Bytes of at most `most`; nullopt if it is not base64 as encode() writes it.
std::optional<std::string> decode(std::string_view text, std::size_t most) {
  if (text.size() > most * 2 || text.size() % 4 == 1 || !std::ranges::all_of(text, is_base64)) {
    return std::nullopt;
  }
  std::string padded{text};
  const std::size_t padding = (4 - text.size() % 4) % 4;
  padded.append(padding, '=');
  std::string bytes(padded.size(), '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(padded.data()),
                                   static_cast<int>(padded.size()));
  if (size < 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(size) - padding);  // OpenSSL counts the padding as zeros
  return bytes;
}

// Takes `NAME=NUMBER` from the front of `text`.
std::optional<unsigned> take_parameter(std::string_view& text, std::string_view name) {
  if (!text.starts_with(name)) return std::nullopt;
  text.remove_prefix(name.size());
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// Takes what stands before the next '$', and that.
std::string_view take_field(std::string_view& text) {
  const std::size_t end = std::min(text.find('$'), text.size());
  const std::string_view field = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return field;
}

Result<PasswordCost> parse_cost(std::string_view field) {
  const auto log_rounds = take_parameter(field, "ln=");
  const auto block = take_parameter(field, ",r=");
  const auto lanes = take_parameter(field, ",p=");
  if (!log_rounds || !block || !lanes || !field.empty()) {
    return refuse("is a scrypt hash without its cost, as in ln=14,r=8,p=1");
  }
  // Each by itself first, so that the products below cannot overflow.
  if (*log_rounds < 1 || *log_rounds > 24 || *block < 1 || *block > 1024 || *lanes < 1 ||
      *lanes > 1024) {
    return refuse("has a cost out of range; ln is from 10 to 16, r 8, p 1, or the like");
  }
  const PasswordCost cost{.log_rounds = *log_rounds, .block = *block, .lanes = *lanes};
  const std::uint64_t work = (std::uint64_t{cost.block} * cost.lanes) << cost.log_rounds;
  if (work < kLeastWork) return refuse("has a cost so small that the password is soon guessed");
  if (cost.memory() > PasswordHash::kMostMemory) {
    return refuse("needs " + std::to_string(cost.memory().bytes >> 20) +
                  " MiB for each login; the most is " +
                  std::to_string(PasswordHash::kMostMemory.bytes >> 20) + " MiB");
  }
  if (work > kMostWork) return refuse("has a cost so large that each login would take seconds");
  return cost;
}

}  // namespace

Result<PasswordHash> PasswordHash::parse(std::string_view text) {
  if (!text.starts_with(kPrefix)) {
    return refuse("is no password hash; run `larder password` and put what it prints here");
  }
  text.remove_prefix(kPrefix.size());
  const auto cost = parse_cost(take_field(text));
  if (!cost) return std::unexpected{cost.error()};
  const auto salt = decode(take_field(text), kMostSalt);
  const auto hash = decode(text, std::tuple_size_v<Hash>);
  if (!salt || salt->size() < kLeastSalt || salt->size() > kMostSalt) {
    return refuse("is a scrypt hash whose salt is not base64 of 8 to 64 bytes; was it cut?");
  }
  if (!hash || hash->size() != std::tuple_size_v<Hash>) {
    return refuse("is a scrypt hash that does not end in base64 of 32 bytes; was it cut?");
  }
  PasswordHash parsed{*cost, *salt};
  std::ranges::copy(*hash, parsed.hash_.begin());
  return parsed;
}

Result<PasswordHash> PasswordHash::of(std::string_view password, PasswordCost cost) {
  if (password.empty()) return refuse("the password is empty");
  if (password.size() > kLongestPassword) {
    return refuse("the password has more than " + std::to_string(kLongestPassword) + " bytes");
  }
  std::string salt(kSaltBytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(salt.data()), static_cast<int>(salt.size())) !=
      1) {
    return fail(Errc::kInternal, "the system gives no random numbers");
  }
  PasswordHash made{cost, std::move(salt)};
  const auto hash = made.compute(password);
  if (!hash) return std::unexpected{hash.error()};
  made.hash_ = *hash;
  return made;
}

// A password whose hash is all zeros exists no more likely than any other that
// one would have to guess.
PasswordHash PasswordHash::decoy(PasswordCost cost) {
  return PasswordHash{cost, std::string(kSaltBytes, '\0')};
}

Result<bool> PasswordHash::verify(std::string_view password) const {
  const bool short_enough = password.size() <= kLongestPassword;
  auto hash = compute(short_enough ? password : password.substr(0, kLongestPassword));
  if (!hash) return std::unexpected{hash.error()};
  const bool same = CRYPTO_memcmp(hash->data(), hash_.data(), hash_.size()) == 0;
  OPENSSL_cleanse(hash->data(), hash->size());
  return same && short_enough;
}

Result<PasswordHash::Hash> PasswordHash::compute(std::string_view password) const {
  Hash hash{};
  const int done = EVP_PBE_scrypt(
      password.data(), password.size(), reinterpret_cast<const unsigned char*>(salt_.data()),
      salt_.size(), std::uint64_t{1} << cost_.log_rounds, cost_.block, cost_.lanes,
      // OpenSSL's own limit, 32 MiB, is below what parse() takes; lanes need a little more.
      kMostMemory.bytes * 2, hash.data(), hash.size());
  if (done != 1) {
    return fail(Errc::kOverloaded, "there is no memory to check a password; it needs " +
                                       std::to_string(cost_.memory().bytes >> 20) + " MiB");
  }
  return hash;
}

std::string PasswordHash::text() const {
  return std::string{kPrefix} + "ln=" + std::to_string(cost_.log_rounds) +
         ",r=" + std::to_string(cost_.block) + ",p=" + std::to_string(cost_.lanes) + "$" +
         encode({reinterpret_cast<const unsigned char*>(salt_.data()), salt_.size()}) + "$" +
         encode(hash_);
}

}  // namespace larder
