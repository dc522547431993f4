// F16: IEEE 754 binary16, little-endian. Encoding overflows to infinity above 65519.
#include "core/quants/half.h"
#include "core/quants/quant.h"

namespace ingle::core {
namespace {

constexpr size_t kElements = 1, kBytes = 2;

void decode(const std::byte* source, float* destination, size_t blocks) {
  for (size_t i = 0; i < blocks; ++i) destination[i] = load_f16(source + i * kBytes);
}

void encode(const float* source, std::byte* destination, size_t blocks) {
  for (size_t i = 0; i < blocks; ++i) store_f16(destination + i * kBytes, source[i]);
}

}  // namespace

extern const QuantFormat f16_record = {.name = "F16",
                                       .gguf_id = 1,
                                       .block_elements = kElements,
                                       .block_bytes = kBytes,
                                       .decode = decode,
                                       .encode = encode};

}  // namespace ingle::core
