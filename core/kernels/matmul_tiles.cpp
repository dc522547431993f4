// Matrix products of packed weights with many rows of activations on a unit that multiplies tiles of bf16 (AMX): the
// weights are decoded to bf16, the activations come as bf16, sums are 32-bit floats. Compared with 8-bit products a
// tile unit is as fast in bf16 as in groups of 32 bytes, and needs neither scales nor offsets while it multiplies.
//
// Blocking, outermost first (why, with numbers: docs/performance.md):
//   panels      as many as are decoded at a time: 256 rows of weights, which stay in the second-level cache
//   rows        at most kPassRows of activations, so that their sums stay there too
//   span        kSpanColumns of the columns, which is what is decoded of those panels
//   row pairs   32 rows of activations: two tiles, read from memory once for all panels
//   block       up to kBlockSteps tiles of columns: these two rows of tiles stay in the nearest cache ...
//   panel pairs ... while the weights of one pair after the other pass by: 2 x 2 tiles of sums
// The order of additions depends on the number of columns only.
#include <algorithm>
#include <cstring>

#include "core/kernels/kernels.h"
#include "core/kernels/tile_scratch.h"

#define INGLE_SIMD_FILE "core/kernels/matmul_tiles.cpp"
#define INGLE_SIMD_TILE_UNITS
#include "core/simd/foreach_isa.h"

#ifdef INGLE_ISA

namespace ingle::core::INGLE_ISA {
namespace {

#include "core/kernels/matmul_finish.inc.h"

// Panels that are multiplied together, as pairs: two neighbours, or the gate's and its own.
struct PanelGroup {
  const MatmulArgs& args;
  size_t first, count;  // panels of args.weight

  bool gated() const { return args.gate != nullptr; }
  size_t pairs() const { return gated() ? count : (count + 1) / 2; }
  const PackedMatrix& matrix(size_t side) const { return gated() && side == 0 ? *args.gate : *args.weight; }
  // An odd last panel is paired with itself.
  size_t panel(size_t pair, size_t side) const {
    return gated() ? first + pair : std::min(first + 2 * pair + side, first + count - 1);
  }
};

// Columns [begin, begin + columns) of one panel to one side of a pair's tiles.
void decode_span(const Kernels& kernels, const PackedMatrix& matrix, size_t panel, size_t begin, size_t columns,
                 float* floats, uint16_t (*out)[2][kTileValues], size_t side) {
  const PackedLayout& layout = packed_layouts()[matrix.layout];
  const std::byte* data = matrix.data + panel * matrix.panel_bytes;
  for (size_t done = 0; done < columns; done += kDecodeColumns) {
    const size_t count = std::min(kDecodeColumns, columns - done);
    kernels.packed[matrix.layout].unpack_float(data + (begin + done) / layout.columns * layout.tile_bytes,
                                               count / layout.columns, floats);
    for (size_t k = 0; k < count; k += 2) {
      const float* column = floats + k * kPanelRows;
      store_bf16_pairs(F32::load(column), F32::load(column + kPanelRows),
                       out[(done + k) / kTileColumns][side] + k % kTileColumns * kPanelRows);
    }
  }
}

// sums[row tile][side] (+)= the products of `steps` tiles of columns; activations of the second row tile lie
// `row_stride` values after those of the first.
void multiply_block(TileUnit& unit, const uint16_t* activations, size_t row_stride,
                    const uint16_t (*weights)[2][kTileValues], size_t steps, bool first, float (*sums)[2][kSumValues]) {
  if (first) {
    unit.zero<0>();
    unit.zero<1>();
    unit.zero<2>();
    unit.zero<3>();
  } else {
    unit.load<0>(sums[0][0]);
    unit.load<1>(sums[0][1]);
    unit.load<2>(sums[1][0]);
    unit.load<3>(sums[1][1]);
  }
  for (size_t step = 0; step < steps; ++step) {
    const uint16_t* tile = activations + step * kTileValues;
    unit.load_once<6>(weights[step][0]);
    unit.load<4>(tile);
    unit.add_products<0, 4, 6>();
    unit.load_once<7>(weights[step][1]);
    unit.add_products<1, 4, 7>();
    unit.load<5>(tile + row_stride);
    unit.add_products<2, 5, 6>();
    unit.add_products<3, 5, 7>();
  }
  unit.store<0>(sums[0][0]);
  unit.store<1>(sums[0][1]);
  unit.store<2>(sums[1][0]);
  unit.store<3>(sums[1][1]);
}

// The sums of 32 rows of activations from `row` on with all panels of the group, to where they belong.
void finish_rows(const PanelGroup& group, size_t row, const float (*sums)[2][2][kSumValues]) {
  const MatmulArgs& args = group.args;
  for (size_t half = 0; half < 2 && row + half * kTileRows < args.rows; ++half) {
    const size_t first = row + half * kTileRows, count = std::min(kTileRows, args.rows - first);
    for (size_t pair = 0; pair < group.pairs(); ++pair) {
      const auto& tiles = sums[pair][half];
      if (group.gated()) {
        finish_tile(args, group.panel(pair, 1), first, count, tiles[1], tiles[0]);
        continue;
      }
      finish_tile(args, group.panel(pair, 0), first, count, tiles[0], nullptr);
      if (2 * pair + 1 < group.count) finish_tile(args, group.panel(pair, 1), first, count, tiles[1], nullptr);
    }
  }
}

// All panels of the group by activation rows [begin, end), at most kPassRows of them.
void multiply_group(TileUnit& unit, const Kernels& kernels, const PanelGroup& group, size_t begin, size_t end,
                    TileScratch& scratch) {
  const size_t columns = group.args.weight->columns, row_stride = columns * kTileRows;
  for (size_t span = 0; span < columns; span += kSpanColumns) {
    const size_t span_columns = std::min(kSpanColumns, columns - span), steps = span_columns / kTileColumns;
    for (size_t pair = 0; pair < group.pairs(); ++pair)
      for (size_t side = 0; side < 2; ++side)
        decode_span(kernels, group.matrix(side), group.panel(pair, side), span, span_columns, scratch.floats,
                    scratch.weights[pair], side);
    const bool only = columns <= kSpanColumns, last = span + span_columns == columns;
    const size_t blocks = (steps + kBlockSteps - 1) / kBlockSteps, block = (steps + blocks - 1) / blocks;
    for (size_t row = begin; row < end; row += kTileRowUnit) {
      // With one span the sums of all rows can share a place, which then stays near.
      auto* sums = scratch.sums[only ? 0 : (row - begin) / kTileRowUnit];
      const uint16_t* activations = group.args.tiles + row * columns + span * kTileRows;
      for (size_t step = 0; step < steps; step += block)
        for (size_t pair = 0; pair < group.pairs(); ++pair)
          multiply_block(unit, activations + step * kTileValues, row_stride, scratch.weights[pair] + step,
                         std::min(block, steps - step), span + step == 0, sums[pair]);
      if (last) finish_rows(group, row, sums);
    }
  }
}

}  // namespace

void matmul_tiles(const Kernels& kernels, const MatmulArgs& args, size_t begin, size_t end, std::byte* scratch) {
  TileUnit unit;
  const size_t most = args.gate != nullptr ? kPairs : 2 * kPairs;
  for (size_t first = begin; first < end; first += most)
    for (size_t row = 0; row < args.rows; row += kPassRows)
      multiply_group(unit, kernels, {args, first, std::min(most, end - first)}, row,
                     std::min(args.rows, row + kPassRows), *reinterpret_cast<TileScratch*>(scratch));
}

void store_tile_row(const float* x, size_t columns, size_t row, uint16_t* tiles) {
  uint16_t* out = tiles + row / kTileRows * kTileRows * columns + row % kTileRows * kTileColumns;
  for (size_t k = 0; k < columns; k += kTileColumns, out += kTileValues)
    store_bf16(F32::load(x + k), F32::load(x + k + 16), out);
}

}  // namespace ingle::core::INGLE_ISA
#else

namespace ingle::core {

size_t tile_scratch_bytes() {
  return sizeof(TileScratch);
}

}  // namespace ingle::core
#endif
