// Keys and values as the CPU keeps them: pages of 64 positions (kPagePositions), and in a page, per layer and key-value
// head, the head's keys and then its values. `dim` is head_dim rounded up to 32; what it adds is zero.
//
//   f32, f16   keys [position / 16][dim][16]; values [position][dim]
//   q8_0       keys [position / 16][dim / 4][16 positions][4], their scales f16 [position / 16][dim / 32][16], their
//              common direction f16 [dim], and how far each goes that way f16 [position];
//              values [position / 4][dim][4 positions], their scales f16 [dim / 32][position].
//              A value is scale * code, and of keys scale * code + share * common: a scale per position and 32
//              dimensions, codes from -127 to 127, a share per position
//   q4_0       the same with codes from -8 to 7, plus 8, in 4 bits. Of keys' eight quads per 32 dimensions (packed.h),
//              plane j of four has quad j in the low bits and quad j + 4 in the high ones; of values' two quads per 32
//              dimensions and 4 positions, the one plane has both
//
// Before they become codes, heads are rotated (Kernels::rotate), which spreads outliers over all dimensions. The common
// direction of a page is its first key; the projection on it of the others is kept apart, so that what keys share
// (models with a bias on keys: most of them) costs no precision, and a first key unlike the others does no harm.
// Kullback-Leibler divergences with and without: docs/performance.md.
//
// Scores take keys 16 positions to a vector, sums take values 16 dimensions to a vector: neither adds across a vector.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/hal/kernel_desc.h"

namespace ingle::core {

enum class KvFormat : uint8_t { f32, f16, q8_0, q4_0 };

constexpr bool has_codes(KvFormat format) {
  return format == KvFormat::q8_0 || format == KvFormat::q4_0;
}

/// Changes with anything above, so that saved states of other builds are told apart.
inline constexpr uint32_t kKvLayoutVersion = 1;
inline constexpr size_t kMaxHeadDim = 1024;

/// The format of a layer where a cache of `format` was asked for. Keys of the first layer come straight from the
/// embeddings, differ the most, and lose the most: there it is 16 bits at least (numbers: docs/performance.md).
constexpr KvFormat kv_layer_format(KvFormat format, uint32_t layer) {
  return layer == 0 && has_codes(format) ? KvFormat::f16 : format;
}

/// Values of one head and position, padded.
constexpr size_t kv_stride(size_t head_dim) {
  return (head_dim + 31) / 32 * 32;
}

/// Bytes of the keys, or of the values, of one head in a page, without what comes behind the codes.
constexpr size_t kv_code_bytes(KvFormat format, size_t head_dim) {
  const size_t values = kPagePositions * kv_stride(head_dim);
  switch (format) {
    case KvFormat::f32:
      return values * 4;
    case KvFormat::f16:
      return values * 2;
    case KvFormat::q8_0:
      return values;
    case KvFormat::q4_0:
      return values / 2;
  }
  return 0;
}
constexpr size_t kv_scale_bytes(KvFormat format, size_t head_dim) {
  return has_codes(format) ? kPagePositions * kv_stride(head_dim) / 32 * sizeof(uint16_t) : 0;
}
constexpr size_t kv_common_bytes(KvFormat format, size_t head_dim) {
  return has_codes(format) ? (kv_stride(head_dim) + kPagePositions) * sizeof(uint16_t) : 0;
}
/// Keys and values of one head in a page.
constexpr size_t kv_head_bytes(KvFormat format, size_t head_dim) {
  return 2 * (kv_code_bytes(format, head_dim) + kv_scale_bytes(format, head_dim)) + kv_common_bytes(format, head_dim);
}
/// Keys and values of a layer in a page.
constexpr size_t kv_layer_bytes(KvFormat format, size_t kv_heads, size_t head_dim) {
  return kv_heads * kv_head_bytes(format, head_dim);
}

/// One head in a page. The halves are there where the format has codes.
struct KvHead {
  std::byte *keys, *values;
  uint16_t *key_scales, *common, *shares, *value_scales;
};

/// Keys and values of one layer and sequence.
struct KvView {
  KvFormat format = KvFormat::f32;
  uint32_t head_dim = 0;
  PageTable pages = nullptr;
  size_t offset = 0;  ///< of the layer in a page

  KvHead head(uint32_t kv_head, size_t page) const {
    const size_t codes = kv_code_bytes(format, head_dim), scales = kv_scale_bytes(format, head_dim);
    std::byte* keys = pages[page] + offset + kv_head * kv_head_bytes(format, head_dim);
    std::byte* common = keys + codes + scales;
    std::byte* values = common + kv_common_bytes(format, head_dim);
    const auto halves = [](std::byte* at) { return reinterpret_cast<uint16_t*>(at); };
    return {keys,
            values,
            halves(keys + codes),
            halves(common),
            halves(common) + kv_stride(head_dim),
            halves(values + codes)};
  }
};

/// The key of a head at a position, as attention multiplies with it: rotated where the format has codes. head_dim
/// values; in plain loops, for who looks at a few.
void read_key(const KvView& kv, uint32_t kv_head, uint32_t position, float* key);

}  // namespace ingle::core
