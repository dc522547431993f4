// The 6-bit scales and mins of Q4_K and Q5_K: eight pairs in 12 bytes.
//   bytes 0..3: scale[0..3] in the low six bits, above them bits 4..5 of scale[4..7]
//   bytes 4..7: min[0..3] in the low six bits, above them bits 4..5 of min[4..7]
//   bytes 8..11: the low nibbles of scale[4..7], above them those of min[4..7]
// As llama.cpp's ggml-quants.c packs them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/quants/half.h"

namespace ingle::core {

struct ScaleMin {
  uint32_t scale, min;  ///< 0..63
};

inline ScaleMin unpack_scale_min(const std::byte* packed, size_t group) {
  if (group < 4) return {byte_at(packed, group) & 63, byte_at(packed, group + 4) & 63};
  const uint32_t low = byte_at(packed, group + 4);
  return {(low & 15) | (byte_at(packed, group - 4) >> 6) << 4, (low >> 4) | (byte_at(packed, group) >> 6) << 4};
}

inline void pack_scales_mins(std::byte* packed, const uint8_t* scales, const uint8_t* mins) {
  for (size_t i = 0; i < 4; ++i) {
    packed[i] = static_cast<std::byte>(scales[i] | (scales[i + 4] >> 4) << 6);
    packed[i + 4] = static_cast<std::byte>(mins[i] | (mins[i + 4] >> 4) << 6);
    packed[i + 8] = static_cast<std::byte>((scales[i + 4] & 15) | (mins[i + 4] & 15) << 4);
  }
}

}  // namespace ingle::core
