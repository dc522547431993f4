// Q5_0: 32 elements, x = d * (q - 16).
//   f16 d | u32 h: bit i is bit 4 of q[i] | 16 bytes: the low nibbles belong to q[0..15], the high ones to q[16..31]
// The layout is ggml-common.h's of llama.cpp (block_q5_0).
#include <array>
#include <span>

#include "core/quants/fit.h"
#include "core/quants/half.h"
#include "core/quants/quant.h"
#include "core/quants/take_apart.h"

namespace ingle::core {
namespace {

constexpr size_t kElements = 32, kBytes = 22;
constexpr Levels kLevels{.lo = -16, .hi = 15};

void decode(const std::byte* source, float* destination, size_t blocks) {
  for (; blocks > 0; --blocks, source += kBytes, destination += kElements) {
    const float d = load_f16(source);
    const uint32_t high = load_u32(source + 2);
    for (size_t i = 0; i < 16; ++i) {
      const uint32_t pair = byte_at(source + 6, i);
      const uint32_t low_half = (pair & 15) | ((high >> i) & 1) << 4;
      const uint32_t high_half = (pair >> 4) | ((high >> (i + 16)) & 1) << 4;
      destination[i] = d * static_cast<float>(static_cast<int32_t>(low_half) - 16);
      destination[i + 16] = d * static_cast<float>(static_cast<int32_t>(high_half) - 16);
    }
  }
}

void encode(const float* source, std::byte* destination, size_t blocks) {
  for (; blocks > 0; --blocks, source += kElements, destination += kBytes) {
    const std::span<const float> x(source, kElements);
    const double d = round_scale(fit_scale(x, kLevels));
    std::array<uint8_t, kElements> q;
    nearest_levels(x, d, 0, kLevels, q.data());
    store_f16(destination, static_cast<float>(d));
    uint32_t high = 0;
    for (size_t i = 0; i < kElements; ++i) high |= static_cast<uint32_t>(q[i] >> 4) << i;
    store_u32(destination + 2, high);
    for (size_t i = 0; i < 16; ++i) destination[6 + i] = static_cast<std::byte>((q[i] & 15) | (q[i + 16] & 15) << 4);
  }
}

void take_apart(const std::byte* source, BlockCodes& out) {
  out.d = load_u16(source);
  unpack_codes<kElements, CodeBits{.offset = 6, .run = 16, .width = 4}, CodeBits{.offset = 2, .run = 1, .width = 1}>(
      source, out.q);
}

}  // namespace

extern const QuantFormat q5_0_record = {.name = "Q5_0",
                                        .gguf_id = 6,
                                        .block_elements = kElements,
                                        .block_bytes = kBytes,
                                        .decode = decode,
                                        .encode = encode,
                                        .codes = {.bits = 5, .columns = 32, .group = 32, .zero = 16},
                                        .take_apart = each_block<take_apart>};

}  // namespace ingle::core
