// IQ4_XS: 256 elements in 8 groups of 32, x = d * (scale[g] - 32) * kCodebook[q], with 6-bit scales.
//   f16 d | u16: bits 2g..2g+1 are the upper bits of scale[g] | 4 bytes: byte i holds the low nibbles of scale[2i] and
//   scale[2i + 1] | 128 bytes: in group g's 16, the low nibbles are q[0..15], the high ones q[16..31]
// The layout is ggml-common.h's of llama.cpp (block_iq4_xs).
#include "core/quants/codebook.h"
#include "core/quants/half.h"
#include "core/quants/quant.h"

namespace ingle::core {
namespace {

constexpr size_t kElements = 256, kBytes = 136;

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

void encode(const float*, std::byte*, size_t) {}

}  // namespace

extern const QuantFormat iq4_xs_record = {.name = "IQ4_XS",
                                          .gguf_id = 23,
                                          .block_elements = kElements,
                                          .block_bytes = kBytes,
                                          .decode = decode,
                                          .encode = encode};

}  // namespace ingle::core
