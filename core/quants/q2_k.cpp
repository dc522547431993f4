// Q2_K: 256 elements in 16 groups of 16, x = d * scale[g] * q - dmin * min[g], with 4-bit scales and mins.
//   16 bytes: scale[g] low nibble, min[g] high nibble | 64 bytes q | f16 d | f16 dmin
//   Byte 32h + l holds, in its bit pairs s = 0..3, q of element 128h + 32s + l.
// The layout is ggml-common.h's of llama.cpp (block_q2_K).
#include <array>
#include <cstring>
#include <span>

#include "core/quants/fit.h"
#include "core/quants/half.h"
#include "core/quants/quant.h"
#include "core/quants/take_apart.h"

namespace ingle::core {
namespace {

constexpr size_t kElements = 256, kBytes = 84;
constexpr Levels kLevels{.lo = 0, .hi = 3};

void decode(const std::byte* source, float* destination, size_t blocks) {
  for (; blocks > 0; --blocks, source += kBytes, destination += kElements) {
    const std::byte* const quants = source + 16;
    const float d = load_f16(source + 80);
    const float dmin = load_f16(source + 82);
    for (size_t g = 0; g < 16; ++g) {
      const uint32_t packed = byte_at(source, g);
      const float scale = d * static_cast<float>(packed & 15);
      const float min = dmin * static_cast<float>(packed >> 4);
      const std::byte* const bytes = quants + g / 8 * 32 + g % 2 * 16;
      const size_t shift = g % 8 / 2 * 2;
      for (size_t l = 0; l < 16; ++l) {
        destination[g * 16 + l] = scale * static_cast<float>((byte_at(bytes, l) >> shift) & 3) - min;
      }
    }
  }
}

void encode(const float* source, std::byte* destination, size_t blocks) {
  for (; blocks > 0; --blocks, source += kElements, destination += kBytes) {
    const std::span<const float> x(source, kElements);
    const GroupAffines fit = fit_group_affines(x, 16, kLevels.hi, 15);
    std::array<uint8_t, kElements> q;
    for (size_t g = 0; g < 16; ++g) {
      nearest_levels(x.subspan(g * 16, 16), fit.d * fit.scales[g], -fit.dmin * fit.mins[g], kLevels, &q[g * 16]);
    }
    std::memset(destination, 0, kBytes);
    for (size_t g = 0; g < 16; ++g) destination[g] = static_cast<std::byte>(fit.scales[g] | fit.mins[g] << 4);
    for (size_t e = 0; e < kElements; ++e) {
      destination[16 + e / 128 * 32 + e % 32] |= static_cast<std::byte>(q[e] << (e % 128 / 32 * 2));
    }
    store_f16(destination + 80, static_cast<float>(fit.d));
    store_f16(destination + 82, static_cast<float>(fit.dmin));
  }
}

void take_apart(const std::byte* source, BlockCodes& out) {
  out.d = load_u16(source + 80);
  out.m = load_u16(source + 82);
  for (size_t g = 0; g < 16; ++g) {
    const uint32_t packed = byte_at(source, g);
    out.scale[g] = static_cast<int8_t>(packed & 15);
    out.min[g] = static_cast<int8_t>(packed >> 4);
  }
  unpack_codes<kElements, CodeBits{.offset = 16, .run = 32, .width = 2}>(source, out.q);
}

}  // namespace

extern const QuantFormat q2_k_record = {.name = "Q2_K",
                                        .gguf_id = 10,
                                        .block_elements = kElements,
                                        .block_bytes = kBytes,
                                        .decode = decode,
                                        .encode = encode,
                                        .codes = {.bits = 2, .columns = 256, .group = 16, .has_min = true},
                                        .take_apart = each_block<take_apart>};

}  // namespace ingle::core
