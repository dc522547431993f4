// BF16: bfloat16, the upper half of a binary32, little-endian.
#include "core/quants/half.h"
#include "core/quants/quant.h"

namespace ingle::core {
namespace {

constexpr size_t kElements = 1, kBytes = 2;

void decode(const std::byte* source, float* destination, size_t blocks) {
  for (size_t i = 0; i < blocks; ++i) destination[i] = bf16_to_f32(load_u16(source + i * kBytes));
}

void encode(const float* source, std::byte* destination, size_t blocks) {
  for (size_t i = 0; i < blocks; ++i) store_u16(destination + i * kBytes, f32_to_bf16(source[i]));
}

}  // namespace

extern const QuantFormat bf16_record = {.name = "BF16",
                                        .gguf_id = 30,
                                        .block_elements = kElements,
                                        .block_bytes = kBytes,
                                        .decode = decode,
                                        .encode = encode};

}  // namespace ingle::core
