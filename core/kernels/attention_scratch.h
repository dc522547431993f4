// What one thread works with in attention.cpp.
#pragma once

#include "core/kernels/kernels.h"

namespace ingle::core {

struct AttentionScratch {
  static constexpr size_t kRows = 6;  ///< of a tile, at most
  static constexpr size_t kGroups = kMaxHeadDim / kGroup;

  float scores[kRows][kPagePositions];              ///< of a tile with a page, then weights
  float offsets[16];                                ///< by row of the tile: its product with the common direction
  float common[kMaxHeadDim];                        ///< direction of the page's keys
  float shares[kPagePositions];                     ///< of the keys in it
  int16_t weights[kGroups][kRows][kPagePositions];  ///< the same times the values' scales, as integers
  float weight_steps[kGroups][kRows];               ///< what one of those is worth
  float value_scales[kGroups][kPagePositions];      ///< a page's, in units of weights
  float value_steps[kGroups];                       ///< what the largest of them is worth, over 32767
  uint8_t key_codes[kPagePositions * kMaxHeadDim];  ///< a page's, where it has them in 4 bits
  uint8_t value_codes[kPagePositions * kMaxHeadDim];
  // Behind it, by dim: a segment's part, totals, queries padded to dim and their codes.

  static constexpr size_t part_bytes(size_t dim) { return kMaxQueryRows * (dim + 16) * sizeof(float); }
  static constexpr size_t query_bytes(size_t dim) { return kMaxQueryRows * dim * sizeof(float); }
  static constexpr size_t code_bytes(size_t dim) { return kMaxQueryRows * dim / kGroup * sizeof(ActivationGroup); }
  static constexpr size_t bytes(size_t dim) {
    return sizeof(AttentionScratch) + 2 * part_bytes(dim) + query_bytes(dim) + code_bytes(dim);
  }

  std::byte* behind() { return reinterpret_cast<std::byte*>(this + 1); }
  float* part(size_t) { return reinterpret_cast<float*>(behind()); }
  float* totals(size_t dim) { return reinterpret_cast<float*>(behind() + part_bytes(dim)); }
  float* queries(size_t dim) { return reinterpret_cast<float*>(behind() + 2 * part_bytes(dim)); }
  ActivationGroup* query_codes(size_t dim) {
    return reinterpret_cast<ActivationGroup*>(behind() + 2 * part_bytes(dim) + query_bytes(dim));
  }
};
static_assert(sizeof(AttentionScratch) % 64 == 0);

}  // namespace ingle::core
