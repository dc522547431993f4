// Q8_0: 32 elements, x = d * q.
//   f16 d | 32 signed bytes q
// The layout is ggml-common.h's of llama.cpp (block_q8_0).
#include "core/quants/half.h"
#include "core/quants/quant.h"

namespace ingle::core {
namespace {

constexpr size_t kElements = 32, kBytes = 34;

void decode(const std::byte* source, float* destination, size_t blocks) {
  for (; blocks > 0; --blocks, source += kBytes, destination += kElements) {
    const float d = load_f16(source);
    for (size_t i = 0; i < kElements; ++i) destination[i] = d * static_cast<float>(signed_byte_at(source + 2, i));
  }
}

void encode(const float*, std::byte*, size_t) {}

}  // namespace

extern const QuantFormat q8_0_record = {.name = "Q8_0",
                                        .gguf_id = 8,
                                        .block_elements = kElements,
                                        .block_bytes = kBytes,
                                        .decode = decode,
                                        .encode = encode};

}  // namespace ingle::core
