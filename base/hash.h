// A fast hash that tells contents apart and finds damage. Anyone can forge it: what comes from outside is checked with
// SHA-256 (store).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ingle::base {

/// XXH3, 64 bits; about as fast as memory is read. https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
uint64_t hash64(std::span<const std::byte> bytes);

/// That of a text, as 16 hexadecimal digits.
std::string hash64_hex(std::string_view text);

/// XXH3, 128 bits, as 32 hexadecimal digits: short enough for a file's name, long enough to be the only one.
std::string hash128_hex(std::span<const std::byte> bytes);

}  // namespace ingle::base
