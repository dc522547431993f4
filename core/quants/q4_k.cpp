// Q4_K: 256 elements in 8 groups of 32, x = d * scale[g] * q - dmin * min[g], with 6-bit scales and mins.
//   f16 d | f16 dmin | 12 bytes of scales and mins (k_scales.h) | 128 bytes q
//   Byte 32p + l holds q of element 64p + l (low nibble) and of element 64p + 32 + l (high).
// The layout is ggml-common.h's of llama.cpp (block_q4_K).
#include <array>
#include <span>

#include "core/quants/fit.h"
#include "core/quants/half.h"
#include "core/quants/k_scales.h"
#include "core/quants/quant.h"
#include "core/quants/take_apart.h"

namespace ingle::core {
namespace {

constexpr size_t kElements = 256, kBytes = 144;
constexpr Levels kLevels{.lo = 0, .hi = 15};

void decode(const std::byte* source, float* destination, size_t blocks) {
  for (; blocks > 0; --blocks, source += kBytes, destination += kElements) {
    const float d = load_f16(source);
    const float dmin = load_f16(source + 2);
    for (size_t g = 0; g < 8; ++g) {
      const ScaleMin packed = unpack_scale_min(source + 4, g);
      const float scale = d * static_cast<float>(packed.scale);
      const float min = dmin * static_cast<float>(packed.min);
      const std::byte* const bytes = source + 16 + g / 2 * 32;
      const size_t shift = g % 2 * 4;
      for (size_t l = 0; l < 32; ++l) {
        destination[g * 32 + l] = scale * static_cast<float>((byte_at(bytes, l) >> shift) & 15) - min;
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
    for (size_t i = 0; i < 128; ++i) {
      const size_t e = i / 32 * 64 + i % 32;
      destination[16 + i] = static_cast<std::byte>(q[e] | q[e + 32] << 4);
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
  unpack_codes<kElements, CodeBits{.offset = 16, .run = 32, .width = 4}>(source, out.q);
}

}  // namespace

extern const QuantFormat q4_k_record = {.name = "Q4_K",
                                        .gguf_id = 12,
                                        .block_elements = kElements,
                                        .block_bytes = kBytes,
                                        .decode = decode,
                                        .encode = encode,
                                        .codes = {.bits = 4, .columns = 256, .group = 32, .has_min = true},
                                        .take_apart = each_block<take_apart>};

}  // namespace ingle::core
