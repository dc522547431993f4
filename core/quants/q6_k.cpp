// Q6_K: 256 elements in 16 groups of 16, x = d * scale[g] * (q - 32), with signed 8-bit scales and 6-bit q.
//   128 bytes: byte 64h + l (l < 64) holds the low nibbles of q of elements 128h + l and 128h + 64 + l
//   64 bytes: byte 32h + l holds, in its bit pairs s = 0..3, bits 4..5 of q of element 128h + 32s + l
//   16 signed bytes of scales | f16 d
// The layout is ggml-common.h's of llama.cpp (block_q6_K).
#include <array>
#include <cstring>
#include <span>

#include "core/quants/fit.h"
#include "core/quants/half.h"
#include "core/quants/quant.h"
#include "core/quants/take_apart.h"

namespace ingle::core {
namespace {

constexpr size_t kElements = 256, kBytes = 210;
constexpr Levels kLevels{.lo = -32, .hi = 31};

void decode(const std::byte* source, float* destination, size_t blocks) {
  for (; blocks > 0; --blocks, source += kBytes, destination += kElements) {
    const float d = load_f16(source + 208);
    for (size_t g = 0; g < 16; ++g) {
      const float scale = d * static_cast<float>(signed_byte_at(source + 192, g));
      const size_t half = g / 8;
      const std::byte* const low = source + half * 64 + g % 4 * 16;
      const std::byte* const high = source + 128 + half * 32 + g % 2 * 16;
      const size_t low_shift = g % 8 / 4 * 4;
      const size_t high_shift = g % 8 / 2 * 2;
      for (size_t l = 0; l < 16; ++l) {
        const uint32_t q = ((byte_at(low, l) >> low_shift) & 15) | ((byte_at(high, l) >> high_shift) & 3) << 4;
        destination[g * 16 + l] = scale * static_cast<float>(static_cast<int32_t>(q) - 32);
      }
    }
  }
}

void encode(const float* source, std::byte* destination, size_t blocks) {
  for (; blocks > 0; --blocks, source += kElements, destination += kBytes) {
    const std::span<const float> x(source, kElements);
    const GroupScales fit = fit_group_scales(x, 16, kLevels, -128, 127);
    std::array<uint8_t, kElements> q;
    for (size_t g = 0; g < 16; ++g) {
      nearest_levels(x.subspan(g * 16, 16), fit.d * fit.scales[g], 0, kLevels, &q[g * 16]);
    }
    std::memset(destination, 0, kBytes);
    for (size_t e = 0; e < kElements; ++e) {
      destination[e / 128 * 64 + e % 64] |= static_cast<std::byte>((q[e] & 15) << (e % 128 / 64 * 4));
      destination[128 + e / 128 * 32 + e % 32] |= static_cast<std::byte>((q[e] >> 4) << (e % 128 / 32 * 2));
    }
    for (size_t g = 0; g < 16; ++g) destination[192 + g] = static_cast<std::byte>(fit.scales[g]);
    store_f16(destination + 208, static_cast<float>(fit.d));
  }
}

void take_apart(const std::byte* source, BlockCodes& out) {
  out.d = load_u16(source + 208);
  std::memcpy(out.scale, source + 192, 16);
  unpack_codes<kElements, CodeBits{.offset = 0, .run = 64, .width = 4}, CodeBits{.offset = 128, .run = 32, .width = 2}>(
      source, out.q);
}

}  // namespace

extern const QuantFormat q6_k_record = {.name = "Q6_K",
                                        .gguf_id = 14,
                                        .block_elements = kElements,
                                        .block_bytes = kBytes,
                                        .decode = decode,
                                        .encode = encode,
                                        .codes = {.bits = 6, .columns = 256, .group = 16, .zero = 32},
                                        .take_apart = each_block<take_apart>};

}  // namespace ingle::core
