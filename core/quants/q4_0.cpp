// Q4_0: 32 elements, x = d * (q - 8).
//   f16 d | 16 bytes: the low nibbles are q[0..15], the high ones q[16..31]
// The layout is ggml-common.h's of llama.cpp (block_q4_0).
#include "core/quants/half.h"
#include "core/quants/quant.h"

namespace ingle::core {
namespace {

constexpr size_t kElements = 32, kBytes = 18;

void decode(const std::byte* source, float* destination, size_t blocks) {
  for (; blocks > 0; --blocks, source += kBytes, destination += kElements) {
    const float d = load_f16(source);
    for (size_t i = 0; i < 16; ++i) {
      const auto pair = static_cast<int32_t>(byte_at(source + 2, i));
      destination[i] = d * static_cast<float>((pair & 15) - 8);
      destination[i + 16] = d * static_cast<float>((pair >> 4) - 8);
    }
  }
}

void encode(const float*, std::byte*, size_t) {}

}  // namespace

extern const QuantFormat q4_0_record = {.name = "Q4_0",
                                        .gguf_id = 2,
                                        .block_elements = kElements,
                                        .block_bytes = kBytes,
                                        .decode = decode,
                                        .encode = encode};

}  // namespace ingle::core
