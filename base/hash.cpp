#include "base/hash.h"

#include <cinttypes>
#include <cstdio>

#define XXH_INLINE_ALL  // headers only: the cross builds have no library to link
#include <xxhash.h>

namespace ingle::base {

uint64_t hash64(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::string hash64_hex(std::string_view text) {
  char out[17];
  std::snprintf(out, sizeof out, "%016" PRIx64, hash64(std::as_bytes(std::span(text))));
  return out;
}

std::string hash128_hex(std::span<const std::byte> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  char text[33];
  std::snprintf(text, sizeof text, "%016" PRIx64 "%016" PRIx64, hash.high64, hash.low64);
  return text;
}

}  // namespace ingle::base
