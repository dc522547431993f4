// Q5_K: 256 elements in 8 groups of 32, x = d * scale[g] * q - dmin * min[g], with 6-bit scales and mins.
//   f16 d | f16 dmin | 12 bytes of scales and mins (k_scales.h)
//   32 bytes: bit g of byte l is bit 4 of q of element 32g + l
//   128 bytes: byte 32p + l holds the low nibbles of q of elements 64p + l and 64p + 32 + l
// The layout is ggml-common.h's of llama.cpp (block_q5_K).
#include <array>
#include <cstring>
#include <span>

#include "core/quants/fit.h"
#include "core/quants/half.h"
#include "core/quants/k_scales.h"
#include "core/quants/quant.h"
#include "core/quants/take_apart.h"

namespace ingle::core {
namespace {

constexpr size_t kElements = 256, kBytes = 176;
constexpr Levels kLevels{.lo = 0, .hi = 31};

void decode(const std::byte* source, float* destination, size_t blocks) {
  for (; blocks > 0; --blocks, source += kBytes, destination += kElements) {
    const float d = load_f16(source);
    const float dmin = load_f16(source + 2);
    const std::byte* const high = source + 16;
    for (size_t g = 0; g < 8; ++g) {
      const ScaleMin packed = unpack_scale_min(source + 4, g);
      const float scale = d * static_cast<float>(packed.scale);
      const float min = dmin * static_cast<float>(packed.min);
      const std::byte* const low = source + 48 + g / 2 * 32;
      const size_t shift = g % 2 * 4;
      for (size_t l = 0; l < 32; ++l) {
        const uint32_t q = ((byte_at(low, l) >> shift) & 15) | ((byte_at(high, l) >> g) & 1) << 4;
        destination[g * 32 + l] = scale * static_cast<float>(q) - min;
      }
    }
  }
}

void encode(const float* source, std::byte* destination, size_t blocks) {
  for (; blocks > 0; --blocks, source += kElements, destination += kBytes) {
    const std::span<const float> x(source, kElements);
    const GroupAffines fit = fit_group_affines(x, 8, kLevels.hi, 63);
    std::array<uint8_t, kElements> q;
    for (size_t g = 0; g < 8; ++g) {
      nearest_levels(x.subspan(g * 32, 32), fit.d * fit.scales[g], -fit.dmin * fit.mins[g], kLevels, &q[g * 32]);
    }
    store_f16(destination, static_cast<float>(fit.d));
    store_f16(destination + 2, static_cast<float>(fit.dmin));
    pack_scales_mins(destination + 4, fit.scales.data(), fit.mins.data());
    std::memset(destination + 16, 0, 32);
    for (size_t e = 0; e < kElements; ++e) {
      destination[16 + e % 32] |= static_cast<std::byte>((q[e] >> 4) << (e / 32));
    }
    for (size_t i = 0; i < 128; ++i) {
      const size_t e = i / 32 * 64 + i % 32;
      destination[48 + i] = static_cast<std::byte>((q[e] & 15) | (q[e + 32] & 15) << 4);
    }
  }
}

void take_apart(const std::byte* source, BlockCodes& out) {
  out.d = load_u16(source);
  out.m = load_u16(source + 2);
  for (size_t g = 0; g < 8; ++g) {
    const ScaleMin packed = unpack_scale_min(source + 4, g);
    out.scale[g] = static_cast<int8_t>(packed.scale);
    out.min[g] = static_cast<int8_t>(packed.min);
  }
  unpack_codes<kElements, CodeBits{.offset = 48, .run = 32, .width = 4}, CodeBits{.offset = 16, .run = 32, .width = 1}>(
      source, out.q);
}

}  // namespace

extern const QuantFormat q5_k_record = {.name = "Q5_K",
                                        .gguf_id = 13,
                                        .block_elements = kElements,
                                        .block_bytes = kBytes,
                                        .decode = decode,
                                        .encode = encode,
                                        .codes = {.bits = 5, .columns = 256, .group = 32, .has_min = true},
                                        .take_apart = each_block<take_apart>};

}  // namespace ingle::core
