// Access tokens: what they look like, how they are made, and the hash that is kept of them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ingle::security {

/// SHA-256 of a token's text. A slow hash (scrypt, Argon2) protects what people think up, by making each guess costly;
/// nobody guesses 256 random bits, and the server hashes the token of every request.
using TokenHash = std::array<uint8_t, 32>;

constexpr std::string_view kTokenPrefix = "ingle_";
constexpr size_t kTokenLength = kTokenPrefix.size() + 52;

/// "ingle_" and 256 random bits as 52 characters of base32 (a-z, 2-7; RFC 4648, section 6, in lower case and without
/// padding). The prefix lets a person, and a scan for secrets, see what it is; it says nothing about what the token
/// opens. Error: io_error (the kernel gives no random numbers).
base::Result<std::string> new_token();

/// Whether `text` has the form of a token.
bool is_token(std::string_view text);

/// Error: internal.
base::Result<TokenHash> hash_token(std::string_view token);

/// In a time that does not depend on where they differ.
bool same_hash(const TokenHash& a, const TokenHash& b);

/// 64 lower-case hexadecimal digits, and back; false where `text` is anything else.
std::string to_hex(const TokenHash& hash);
bool from_hex(std::string_view text, TokenHash& hash);

/// A short random name, 16 characters of base32. Error: io_error.
base::Result<std::string> new_id();

}  // namespace ingle::security
