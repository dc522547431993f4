// What one thread works with in matmul_tiles.cpp, and how large its blocks are.
#pragma once

#include "core/kernels/kernels.h"

namespace ingle::core {

inline constexpr size_t kPairs = 8;           ///< of panels decoded at a time
inline constexpr size_t kPassRows = 512;      ///< of activations whose sums are kept
inline constexpr size_t kSpanColumns = 1536;  ///< decoded at a time where these are all; their sums stay in the tiles
inline constexpr size_t kPartColumns = 1024;  ///< ... where there are more; multiples of the largest block of a format
inline constexpr size_t kBlockSteps = 20;     ///< tiles of columns in a row, at most: 40 KiB of activations
inline constexpr size_t kSumValues = kTileRows * kPanelRows;

struct TileScratch {
  uint16_t weights[kPairs][kSpanColumns / kTileColumns][2][kTileValues];  ///< a tile is [column / 2][row][column % 2]
  float sums[kPassRows / kTileRowUnit][kPairs][2][2][kSumValues];         ///< [.][.][row tile][panel of the pair]
};

}  // namespace ingle::core
