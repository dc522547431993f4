// Q3_K: 256 elements in 16 groups of 16, x = d * (scale[g] - 32) * (q - 4), with 6-bit scales and 3-bit q.
//   32 bytes: bit b of byte l is bit 2 of q of element 32b + l
//   64 bytes: byte 32h + l holds, in its bit pairs s = 0..3, bits 0..1 of q of element 128h + 32s + l
//   12 bytes of scales: byte i of the first 8 holds the low nibbles of scale[i] and scale[i + 8]; byte 8 + i holds, in
//   its bit pairs, the upper two bits of scale[i], scale[i + 4], scale[i + 8], scale[i + 12] | f16 d
// The layout is ggml-common.h's of llama.cpp (block_q3_K).
#include <array>
#include <cstring>
#include <span>

#include "core/quants/fit.h"
#include "core/quants/half.h"
#include "core/quants/quant.h"
#include "core/quants/take_apart.h"

namespace ingle::core {
namespace {

constexpr size_t kElements = 256, kBytes = 110;
constexpr Levels kLevels{.lo = -4, .hi = 3};

int32_t scale_of(const std::byte* scales, size_t g) {
  const uint32_t low = (byte_at(scales, g % 8) >> (g / 8 * 4)) & 15;
  const uint32_t high = (byte_at(scales, 8 + g % 4) >> (g / 4 * 2)) & 3;
  return static_cast<int32_t>(low | high << 4) - 32;
}

void decode(const std::byte* source, float* destination, size_t blocks) {
  for (; blocks > 0; --blocks, source += kBytes, destination += kElements) {
    const float d = load_f16(source + 108);
    for (size_t g = 0; g < 16; ++g) {
      const float scale = d * static_cast<float>(scale_of(source + 96, g));
      const std::byte* const high = source + g % 2 * 16;
      const std::byte* const low = source + 32 + g / 8 * 32 + g % 2 * 16;
      const size_t low_shift = g % 8 / 2 * 2;
      for (size_t l = 0; l < 16; ++l) {
        const uint32_t q = ((byte_at(low, l) >> low_shift) & 3) | ((byte_at(high, l) >> (g / 2)) & 1) << 2;
        destination[g * 16 + l] = scale * static_cast<float>(static_cast<int32_t>(q) - 4);
      }
    }
  }
}

void encode(const float* source, std::byte* destination, size_t blocks) {
  for (; blocks > 0; --blocks, source += kElements, destination += kBytes) {
    const std::span<const float> x(source, kElements);
    const GroupScales fit = fit_group_scales(x, 16, kLevels, -32, 31);
    std::array<uint8_t, kElements> q;
    for (size_t g = 0; g < 16; ++g) {
      nearest_levels(x.subspan(g * 16, 16), fit.d * fit.scales[g], 0, kLevels, &q[g * 16]);
    }
    std::memset(destination, 0, kBytes);
    for (size_t e = 0; e < kElements; ++e) {
      destination[e % 32] |= static_cast<std::byte>((q[e] >> 2) << (e / 32));
      destination[32 + e / 128 * 32 + e % 32] |= static_cast<std::byte>((q[e] & 3) << (e % 128 / 32 * 2));
    }
    for (size_t g = 0; g < 16; ++g) {
      const auto scale = static_cast<uint32_t>(fit.scales[g] + 32);
      destination[96 + g % 8] |= static_cast<std::byte>((scale & 15) << (g / 8 * 4));
      destination[104 + g % 4] |= static_cast<std::byte>((scale >> 4) << (g / 4 * 2));
    }
    store_f16(destination + 108, static_cast<float>(fit.d));
  }
}

void take_apart(const std::byte* source, BlockCodes& out) {
  out.d = load_u16(source + 108);
  for (size_t g = 0; g < 16; ++g) out.scale[g] = static_cast<int8_t>(scale_of(source + 96, g));
  unpack_codes<kElements, CodeBits{.offset = 32, .run = 32, .width = 2}, CodeBits{.offset = 0, .run = 32, .width = 1}>(
      source, out.q);
}

}  // namespace

extern const QuantFormat q3_k_record = {.name = "Q3_K",
                                        .gguf_id = 11,
                                        .block_elements = kElements,
                                        .block_bytes = kBytes,
                                        .decode = decode,
                                        .encode = encode,
                                        .codes = {.bits = 3, .columns = 256, .group = 16, .zero = 4},
                                        .take_apart = each_block<take_apart>};

}  // namespace ingle::core
