// What one thread works with in matmul_tiles.cpp, and how large its blocks are.
#pragma once

#include "core/kernels/kernels.h"

namespace ingle::core {

inline constexpr size_t kPairs = 8;            ///< of panels decoded at a time
inline constexpr size_t kPassRows = 512;       ///< of activations whose sums are kept
inline constexpr size_t kSpanColumns = 1792;   ///< decoded at a time; a multiple of the largest quantisation block
inline constexpr size_t kBlockSteps = 14;      ///< tiles of columns in a row: 28 KiB of activations
inline constexpr size_t kDecodeColumns = 256;  ///< unpacked to floats at a time
inline constexpr size_t kSumValues = kTileRows * kPanelRows;

struct TileScratch {
  float floats[kDecodeColumns * kPanelRows];
  uint16_t weights[kPairs][kSpanColumns / kTileColumns][2][kTileValues];  ///< a tile is [column / 2][row][column % 2]
  float sums[kPassRows / kTileRowUnit][kPairs][2][2][kSumValues];         ///< [.][.][row tile][panel of the pair]
};

}  // namespace ingle::core
