// Q8_0: 32 elements, x = d * q.
//   f16 d | 32 signed bytes q
// The layout is ggml-common.h's of llama.cpp (block_q8_0).
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <span>

#include "core/quants/fit.h"
#include "core/quants/half.h"
#include "core/quants/quant.h"
#include "core/quants/take_apart.h"

namespace ingle::core {
namespace {

constexpr size_t kElements = 32, kBytes = 34;
constexpr Levels kLevels{.lo = -127, .hi = 127};

void decode(const std::byte* source, float* destination, size_t blocks) {
  for (; blocks > 0; --blocks, source += kBytes, destination += kElements) {
    const float d = load_f16(source);
    for (size_t i = 0; i < kElements; ++i) destination[i] = d * static_cast<float>(signed_byte_at(source + 2, i));
  }
}

void encode(const float* source, std::byte* destination, size_t blocks) {
  for (; blocks > 0; --blocks, source += kElements, destination += kBytes) {
    const std::span<const float> x(source, kElements);
    double most = 0;
    for (const float v : x) most = std::max(most, std::fabs(static_cast<double>(v)));
    const double d = round_scale(most / kLevels.hi);
    std::array<uint8_t, kElements> q;
    nearest_levels(x, d, 0, kLevels, q.data());
    store_f16(destination, static_cast<float>(d));
    for (size_t i = 0; i < kElements; ++i) destination[2 + i] = static_cast<std::byte>(q[i] + kLevels.lo);
  }
}

void take_apart(const std::byte* source, BlockCodes& out) {
  out.d = load_u16(source);
  std::memcpy(out.q, source + 2, kElements);
}

}  // namespace

extern const QuantFormat q8_0_record = {.name = "Q8_0",
                                        .gguf_id = 8,
                                        .block_elements = kElements,
                                        .block_bytes = kBytes,
                                        .decode = decode,
                                        .encode = encode,
                                        .codes = {.bits = 8, .columns = 32, .group = 32, .is_signed = true},
                                        .take_apart = each_block<take_apart>};

}  // namespace ingle::core
