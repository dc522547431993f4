// IQ4_NL: 32 elements, x = d * kCodebook[q], a codebook of 16 unevenly spaced values.
//   f16 d | 16 bytes: the low nibbles are q[0..15], the high ones q[16..31]
// The layout is ggml-common.h's of llama.cpp (block_iq4_nl).
#include <array>
#include <span>

#include "core/quants/codebook.h"
#include "core/quants/fit.h"
#include "core/quants/half.h"
#include "core/quants/quant.h"
#include "core/quants/take_apart.h"

namespace ingle::core {
namespace {

constexpr size_t kElements = 32, kBytes = 18;
constexpr Levels kLevels{.lo = 0, .hi = 15, .table = kCodebook.data()};

void decode(const std::byte* source, float* destination, size_t blocks) {
  for (; blocks > 0; --blocks, source += kBytes, destination += kElements) {
    const float d = load_f16(source);
    for (size_t i = 0; i < 16; ++i) {
      const uint32_t pair = byte_at(source + 2, i);
      destination[i] = d * static_cast<float>(kCodebook[pair & 15]);
      destination[i + 16] = d * static_cast<float>(kCodebook[pair >> 4]);
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
    for (size_t i = 0; i < 16; ++i) destination[2 + i] = static_cast<std::byte>(q[i] | q[i + 16] << 4);
  }
}

void take_apart(const std::byte* source, BlockCodes& out) {
  out.d = load_u16(source);
  unpack_codes<kElements, CodeBits{.offset = 2, .run = 16, .width = 4}>(source, out.q);
}

}  // namespace

extern const QuantFormat iq4_nl_record = {
    .name = "IQ4_NL",
    .gguf_id = 20,
    .block_elements = kElements,
    .block_bytes = kBytes,
    .decode = decode,
    .encode = encode,
    .codes = {.bits = 4, .columns = 32, .group = 32, .codebook = kCodebook.data()},
    .take_apart = each_block<take_apart>};

}  // namespace ingle::core
