// Q4_1: 32 elements, x = d * q + m.
//   f16 d | f16 m | 16 bytes: the low nibbles are q[0..15], the high ones q[16..31]
// The layout is ggml-common.h's of llama.cpp (block_q4_1).
#include <array>
#include <span>

#include "core/quants/fit.h"
#include "core/quants/half.h"
#include "core/quants/quant.h"
#include "core/quants/take_apart.h"

namespace ingle::core {
namespace {

constexpr size_t kElements = 32, kBytes = 20;
constexpr Levels kLevels{.lo = 0, .hi = 15};

void decode(const std::byte* source, float* destination, size_t blocks) {
  for (; blocks > 0; --blocks, source += kBytes, destination += kElements) {
    const float d = load_f16(source);
    const float m = load_f16(source + 2);
    for (size_t i = 0; i < 16; ++i) {
      const uint32_t pair = byte_at(source + 4, i);
      destination[i] = d * static_cast<float>(pair & 15) + m;
      destination[i + 16] = d * static_cast<float>(pair >> 4) + m;
    }
  }
}

void encode(const float* source, std::byte* destination, size_t blocks) {
  for (; blocks > 0; --blocks, source += kElements, destination += kBytes) {
    const std::span<const float> x(source, kElements);
    const Affine fit = fit_affine(x, kLevels.hi, false);
    const double d = round_scale(fit.scale);
    const double m = round_scale(fit.offset);
    std::array<uint8_t, kElements> q;
    nearest_levels(x, d, m, kLevels, q.data());
    store_f16(destination, static_cast<float>(d));
    store_f16(destination + 2, static_cast<float>(m));
    for (size_t i = 0; i < 16; ++i) destination[4 + i] = static_cast<std::byte>(q[i] | q[i + 16] << 4);
  }
}

void take_apart(const std::byte* source, BlockCodes& out) {
  out.d = load_u16(source);
  out.m = load_u16(source + 2) ^ 0x8000;  // BlockCodes subtracts m, the format adds it
  unpack_codes<kElements, CodeBits{.offset = 4, .run = 16, .width = 4}>(source, out.q);
}

}  // namespace

extern const QuantFormat q4_1_record = {.name = "Q4_1",
                                        .gguf_id = 3,
                                        .block_elements = kElements,
                                        .block_bytes = kBytes,
                                        .decode = decode,
                                        .encode = encode,
                                        .codes = {.bits = 4, .columns = 32, .group = 32, .has_min = true},
                                        .take_apart = each_block<take_apart>};

}  // namespace ingle::core
