// What one thread works with in attention.cpp, and in attention_tiles.cpp.
#pragma once

#include "core/kernels/kernels.h"

namespace ingle::core {

/// Memory that is soon to be read and is asked for bit by bit beside other work.
struct Ahead {
  const std::byte *next = nullptr, *end = nullptr;
  static Ahead of(const KvView& kv, uint32_t kv_head, size_t page) {
    const std::byte* keys = kv.head(kv_head, page).keys;
    return {keys, keys + kv_head_bytes(kv.format, kv.head_dim)};
  }
  void ask(int lines) {
    for (; lines > 0 && next < end; --lines, next += 64) __builtin_prefetch(next, 0, 2);
  }
  void all() { ask(static_cast<int>((end - next + 63) / 64)); }
};

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
  alignas(64) Ahead ahead;  ///< the next page, where few rows leave the time to memory
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

struct AttentionTileScratch {
  static constexpr size_t kBlocks = kSegmentPositions / 16, kSteps = kSegmentPositions / kTileColumns;

  // Of one tile of rows with a segment's keys.
  float scores[kBlocks][kTileRows][16];
  uint16_t weights[kSteps][kTileRows][kTileColumns];  ///< tiles of what the scores become
  float offsets[kTileRows][16];                       ///< products with each page's common direction
  float maxima[kTileRows][16], sums[kTileRows][16];   ///< together each row's
  float products[4][kTileRows][16];                   ///< with values

  // Of a segment.
  float shares[kSegmentPositions];                  ///< of the keys in their page's common direction
  uint16_t common[kMaxHeadDim][16];                 ///< f16, [dimension][page]
  float value_scales[kPagePositions];               ///< of a page and 32 dimensions
  uint8_t key_codes[kPagePositions * kMaxHeadDim];  ///< a page's, where it has them in 4 bits
  uint8_t value_codes[kPagePositions * kMaxHeadDim];
  // Behind it, by dim, tiles of bf16; two where a value is the sum of two, the larger one first:
  //   queries      [row / 16][2][dim / 32]
  //   keys         [position / 16][2][dim / 32], of codes without the [2], a tile being [dimension / 2][position]
  //                [dimension % 2]
  //   directions   [2][dim / 32], the same of pages instead of positions
  //   values       [position / 32][dim / 16], a tile being [position / 2][dimension][position % 2]
  // and a segment's part and totals.

  static constexpr size_t query_values(size_t dim) { return kMostTiledQueryRows * dim * 2; }
  static constexpr size_t key_values(size_t dim) { return kSegmentPositions * dim * 2; }
  static constexpr size_t direction_values(size_t dim) { return 16 * dim * 2; }
  static constexpr size_t value_values(size_t dim) { return kSegmentPositions * dim; }
  static constexpr size_t part_bytes(size_t dim) { return kMostTiledQueryRows * (dim + 16) * sizeof(float); }
  static constexpr size_t bytes(size_t dim) {
    const size_t tiles = query_values(dim) + key_values(dim) + direction_values(dim) + value_values(dim);
    return sizeof(AttentionTileScratch) + tiles * sizeof(uint16_t) + 2 * part_bytes(dim);
  }

  uint16_t* queries() { return reinterpret_cast<uint16_t*>(this + 1); }
  uint16_t* keys(size_t dim) { return queries() + query_values(dim); }
  uint16_t* directions(size_t dim) { return keys(dim) + key_values(dim); }
  uint16_t* values(size_t dim) { return directions(dim) + direction_values(dim); }
  float* part(size_t dim) { return reinterpret_cast<float*>(values(dim) + value_values(dim)); }
  float* totals(size_t dim) {
    const size_t floats = part_bytes(dim) / sizeof(float);
    return part(dim) + floats;
  }
};
static_assert(sizeof(AttentionTileScratch) % 64 == 0);

}  // namespace ingle::core
