// IQ4_XS: 256 elements in 8 groups of 32, x = d * (scale[g] - 32) * kCodebook[q], with 6-bit scales.
//   f16 d | u16: bits 2g..2g+1 are the upper bits of scale[g] | 4 bytes: byte i holds the low nibbles of scale[2i] and
//   scale[2i + 1] | 128 bytes: in group g's 16, the low nibbles are q[0..15], the high ones q[16..31]
// The layout is ggml-common.h's of llama.cpp (block_iq4_xs).
#include <array>
#include <cstring>
#include <span>

#include "core/quants/codebook.h"
#include "core/quants/fit.h"
#include "core/quants/half.h"
#include "core/quants/quant.h"
#include "core/quants/take_apart.h"

namespace ingle::core {
namespace {

constexpr size_t kElements = 256, kBytes = 136;
constexpr Levels kLevels{.lo = 0, .hi = 15, .table = kCodebook.data()};

void decode(const std::byte* source, float* destination, size_t blocks) {
  for (; blocks > 0; --blocks, source += kBytes, destination += kElements) {
    const float d = load_f16(source);
    const uint32_t scales_high = load_u16(source + 2);
    for (size_t g = 0; g < 8; ++g) {
      const uint32_t low = (byte_at(source + 4, g / 2) >> (g % 2 * 4)) & 15;
      const uint32_t high = (scales_high >> (2 * g)) & 3;
      const float scale = d * static_cast<float>(static_cast<int32_t>(low | high << 4) - 32);
      const std::byte* const bytes = source + 8 + g * 16;
      for (size_t i = 0; i < 16; ++i) {
        const uint32_t pair = byte_at(bytes, i);
        destination[g * 32 + i] = scale * static_cast<float>(kCodebook[pair & 15]);
        destination[g * 32 + 16 + i] = scale * static_cast<float>(kCodebook[pair >> 4]);
      }
    }
  }
}

void encode(const float* source, std::byte* destination, size_t blocks) {
  for (; blocks > 0; --blocks, source += kElements, destination += kBytes) {
    const std::span<const float> x(source, kElements);
    const GroupScales fit = fit_group_scales(x, 8, kLevels, -32, 31);
    std::array<uint8_t, kElements> q;
    for (size_t g = 0; g < 8; ++g) {
      nearest_levels(x.subspan(g * 32, 32), fit.d * fit.scales[g], 0, kLevels, &q[g * 32]);
    }
    std::memset(destination, 0, kBytes);
    store_f16(destination, static_cast<float>(fit.d));
    uint32_t scales_high = 0;
    for (size_t g = 0; g < 8; ++g) {
      const auto scale = static_cast<uint32_t>(fit.scales[g] + 32);
      destination[4 + g / 2] |= static_cast<std::byte>((scale & 15) << (g % 2 * 4));
      scales_high |= (scale >> 4) << (2 * g);
      for (size_t i = 0; i < 16; ++i) {
        destination[8 + g * 16 + i] = static_cast<std::byte>(q[g * 32 + i] | q[g * 32 + 16 + i] << 4);
      }
    }
    store_u16(destination + 2, static_cast<uint16_t>(scales_high));
  }
}

void take_apart(const std::byte* source, BlockCodes& out) {
  out.d = load_u16(source);
  const uint32_t scales_high = load_u16(source + 2);
  for (size_t g = 0; g < 8; ++g) {
    const uint32_t low = byte_at(source + 4, g / 2) >> (g % 2 * 4) & 15;
    const uint32_t high = scales_high >> (2 * g) & 3;
    out.scale[g] = static_cast<int8_t>(static_cast<int32_t>(low | high << 4) - 32);
  }
  unpack_codes<kElements, CodeBits{.offset = 8, .run = 16, .width = 4}>(source, out.q);
}

}  // namespace

extern const QuantFormat iq4_xs_record = {
    .name = "IQ4_XS",
    .gguf_id = 23,
    .block_elements = kElements,
    .block_bytes = kBytes,
    .decode = decode,
    .encode = encode,
    .codes = {.bits = 4, .columns = 256, .group = 32, .codebook = kCodebook.data()},
    .take_apart = each_block<take_apart>};

}  // namespace ingle::core
