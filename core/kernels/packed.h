// Weight matrices as the CPU kernels read them: panels of 16 rows, in tiles of one quantisation block by 16 rows.
//
// A tile holds, for `columns` columns (32 or 256) of its 16 rows:
//   code planes   per 32 columns, as below
//   scale codes   int8[columns / group][16]     (256-column tiles)
//   min codes     int8[columns / group][16]     (256-column tiles with a min)
//   d             f16[16]
//   m             f16[16]                       (with a min)
// and its values are  x = d * scale * (q - zero) - m * min  (scale = min = 1 in 32-column tiles), or, where a codebook
// replaces q, x = d * scale * codebook[q].
//
// Code planes of 32 columns are 8 quads; byte 4 * row + k of quad j belongs to column 4 * j + k:
//   4 bits: four 64-byte planes; plane j has quad j in the low nibbles, quad j + 4 in the high
//   2 bits: two planes; plane j has quads 4j .. 4j + 3 in its bit pairs
//   1 bit:  one plane; bit j belongs to quad j
//   8 bits: eight planes
// 5 bits are 4 + 1, 6 are 4 + 2, 3 are 2 + 1 (the second part holds the upper bits). The order is that of the
// dot-product instructions (VPDPBUSD, SDOT): four consecutive columns of a row side by side, one row per 32-bit lane.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/quants/quant.h"

namespace ingle::core {

inline constexpr size_t kPanelRows = 16;
/// Changes with anything above, so that copies on disk of what other builds packed are told apart.
inline constexpr uint32_t kPackedLayoutVersion = 1;
inline constexpr size_t kGroup = 32;  ///< activations are quantised in groups of this many

/// 32 activations of one row: x ~ d * q, |q| <= 127.
struct ActivationGroup {
  int8_t q[kGroup];
  float d;
  float sum;           ///< d * (sum of all q)
  int16_t sums[2][2];  ///< of q[0..15] and of q[16..31]: columns 0 and 1 of every four, columns 2 and 3

  /// The sum of the q of half `half`, or of all where there is one "half".
  template <int halves>
  int32_t code_sum(int half) const {
    return halves == 1 ? code_sum<2>(0) + code_sum<2>(1) : sums[half][0] + sums[half][1];
  }
  /// The same times d.
  template <int halves>
  float value_sum(int half) const {
    return halves == 1 ? sum : d * static_cast<float>(code_sum<2>(half));
  }
};
static_assert(sizeof(ActivationGroup) == 48);

/// A panel decoded for many rows of activations: quads of unsigned bytes (signed ones where the instruction set
/// multiplies those), and float scales so that x = scale * (q - bias) - min. `halves` scales per 32 columns (2 where
/// the format's groups are 16).
struct UnpackedPanel {
  uint8_t* quads;  ///< [columns / 32][8][64], 64-byte aligned
  float* scales;   ///< [columns / 32][halves][16]
  float* mins;     ///< the same shape; written only where the format has a min
};

/// What a kernel asks for while it multiplies: for each tile, memory that begins `step` bytes after the last tile's,
/// and so many lines of it for each 32 columns. It may lie beyond the matrix. One row asks for as much as it reads.
struct Prefetch {
  uintptr_t from;
  size_t step, lines;
};

/// result[m][16] = the products of a panel's 16 rows with M rows of activations, M = the function's index.
using DirectKernel = void (*)(const std::byte* panel, size_t tiles, const ActivationGroup* const* rows, float* result,
                              const Prefetch& prefetch);
using UnpackKernel = void (*)(const std::byte* panel, size_t tiles, const UnpackedPanel& out);
/// The same panel as floats, out[column][16].
using UnpackFloatKernel = void (*)(const std::byte* panel, size_t tiles, float* out);
/// The same rounded to bf16, as tiles that a tile unit reads, [column / 2][row][column % 2]: 32 columns each, `stride`
/// values from one to the next, 64-byte aligned. Meanwhile it asks for as much memory as it reads, from `soon` on,
/// which may lie beyond the matrix.
using UnpackTilesKernel = void (*)(const std::byte* panel, size_t tiles, uint16_t* out, size_t stride, uintptr_t soon);

inline constexpr size_t kMaxDirectRows = 8;  ///< fewer where there are no registers for their sums

/// The kernels of one shape on one instruction set.
struct PackedKernels {
  std::array<DirectKernel, kMaxDirectRows> direct{};  ///< [M - 1]
  UnpackKernel unpack = nullptr;
  UnpackFloatKernel unpack_float = nullptr;
  UnpackTilesKernel unpack_tiles = nullptr;  ///< where there is a tile unit
};

/// One supported CodeShape: its size and kernels.
struct PackedLayout {
  uint32_t bits, columns, group;
  bool has_min, is_signed, has_codebook;
  int32_t zero;
  uint32_t tile_bytes;

  bool serves(const CodeShape& shape) const {
    return bits == shape.bits && columns == shape.columns && group == shape.group && has_min == shape.has_min &&
           is_signed == shape.is_signed && has_codebook == (shape.codebook != nullptr) && zero == shape.zero;
  }
  size_t halves() const { return kGroup / group; }
  /// The largest distance of a code from the one that stands for zero.
  int largest_code() const { return is_signed || has_codebook ? 128 : std::max(zero, (1 << bits) - 1 - zero); }
  /// Writes one tile from 16 blocks taken apart.
  void pack(const BlockCodes* rows, std::byte* tile) const;
};

/// All layouts, the index being what Kernels::packed is indexed by.
inline constexpr size_t kLayoutCount = 12;
const std::array<PackedLayout, kLayoutCount>& packed_layouts();
/// nullptr: none; such a format is decoded per tile to floats.
const PackedLayout* find_layout(const CodeShape& shape);

}  // namespace ingle::core
