#include "security/keys/token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "base/files.h"

namespace ingle::security {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view kHex = "0123456789abcdef";

// Up to 256 bytes come whole or not at all (getrandom(2)).
Status fill_random(std::span<uint8_t> bytes) {
  ssize_t n = 0;
  while ((n = ::getrandom(bytes.data(), bytes.size(), 0)) < 0 && errno == EINTR) {
  }
  if (n != std::ssize(bytes)) return base::errno_error(errno, "get", "random numbers from the system");
  return {};
}

// Five bits a character; the last is filled up with zeros.
std::string base32(std::span<const uint8_t> bytes) {
  std::string text;
  unsigned pending = 0;
  int bits = 0;
  for (const uint8_t byte : bytes) {
    pending = (pending << 8 | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += kBase32[pending >> (bits - 5) & 31];
  }
  if (bits > 0) text += kBase32[pending << (5 - bits) & 31];
  return text;
}

}  // namespace

Result<std::string> new_token() {
  std::array<uint8_t, 32> bytes{};
  INGLE_CHECK(fill_random(bytes));
  return std::string(kTokenPrefix) + base32(bytes);
}

Result<std::string> new_id() {
  std::array<uint8_t, 10> bytes{};
  INGLE_CHECK(fill_random(bytes));
  return base32(bytes);
}

bool is_token(std::string_view text) {
  if (text.size() != kTokenLength || !text.starts_with(kTokenPrefix)) return false;
  text.remove_prefix(kTokenPrefix.size());
  return text.find_first_not_of(kBase32) == std::string_view::npos;
}

Result<TokenHash> hash_token(std::string_view token) {
  TokenHash hash{};
  unsigned length = 0;
  if (EVP_Digest(token.data(), token.size(), hash.data(), &length, EVP_sha256(), nullptr) != 1 || length != hash.size())
    return Error{ErrorCode::internal, "SHA-256 is not to be had from OpenSSL"};
  return hash;
}

bool same_hash(const TokenHash& a, const TokenHash& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string to_hex(const TokenHash& hash) {
  std::string text;
  for (const uint8_t byte : hash) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

bool from_hex(std::string_view text, TokenHash& hash) {
  if (text.size() != 2 * hash.size() || text.find_first_not_of(kHex) != std::string_view::npos) return false;
  for (size_t i = 0; i < hash.size(); ++i)
    hash[i] = static_cast<uint8_t>(kHex.find(text[2 * i]) << 4 | kHex.find(text[2 * i + 1]));
  return true;
}

}  // namespace ingle::security
