// F32: IEEE 754 binary32, little-endian.
#include "core/quants/half.h"
#include "core/quants/quant.h"

namespace ingle::core {
namespace {

constexpr size_t kElements = 1, kBytes = 4;

void decode(const std::byte* source, float* destination, size_t blocks) {
  std::memcpy(destination, source, blocks * kBytes);
}

void encode(const float* source, std::byte* destination, size_t blocks) {
  std::memcpy(destination, source, blocks * kBytes);
}

}  // namespace

extern const QuantFormat f32_record = {.name = "F32",
                                       .gguf_id = 0,
                                       .block_elements = kElements,
                                       .block_bytes = kBytes,
                                       .decode = decode,
                                       .encode = encode};

}  // namespace ingle::core
