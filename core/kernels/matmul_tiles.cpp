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

// Some columns of a group's panels by some rows of activations: what is decoded at a time.
struct Span {
  size_t begin, end;     // rows of activations, at most kPassRows
  size_t column, steps;  // its first column, and how many tiles of them it has
  bool first, last;      // of the columns
};

// `steps` times 32 columns of a panel of floats, to every other tile.
template <FloatType type>
void round_floats(const std::byte* from, size_t steps, uint16_t* tiles) {
  constexpr size_t bytes = type == FloatType::f32 ? 64 : 32;
  const auto load = [](const std::byte* p) {
    if constexpr (type == FloatType::f32)
      return F32::load(reinterpret_cast<const float*>(p));
    else if constexpr (type == FloatType::f16)
      return F32::load_f16(p);
    else
      return F32::load_bf16(p);
  };
  for (size_t step = 0; step < steps; ++step, tiles += 2 * kTileValues)
    for (size_t k = 0; k < kTileColumns; k += 2, from += 2 * bytes)
      store_bf16_pairs(load(from), load(from + bytes), tiles + 16 * k);
}

void round_floats(FloatType type, const std::byte* from, size_t steps, uint16_t* tiles) {
  switch (type) {
    case FloatType::f32:
      return round_floats<FloatType::f32>(from, steps, tiles);
    case FloatType::f16:
      return round_floats<FloatType::f16>(from, steps, tiles);
    case FloatType::bf16:
      return round_floats<FloatType::bf16>(from, steps, tiles);
  }
}

// While one panel is decoded, the next one is asked for: it comes from memory, in too few pages for the processor's own
// prefetchers to find their stride.
void decode_span(const Kernels& kernels, const PanelGroup& group, const Span& span, TileScratch& scratch) {
  const size_t panels = 2 * group.pairs();
  const auto codes = [&](size_t i) {
    const PackedMatrix& matrix = group.matrix(i % 2);
    const std::byte* panel = matrix.data + group.panel(i / 2, i % 2) * matrix.panel_bytes;
    if (matrix.storage == PackedMatrix::Storage::floats)
      return panel + span.column * (matrix.panel_bytes / matrix.columns);
    const PackedLayout& layout = packed_layouts()[matrix.layout];
    return panel + span.column / layout.columns * layout.tile_bytes;
  };
  for (size_t i = 0; i < panels; ++i) {
    if (group.matrix(i % 2).storage == PackedMatrix::Storage::floats) {
      round_floats(group.matrix(i % 2).float_type, codes(i), span.steps, scratch.weights[i / 2][0][i % 2]);
      continue;
    }
    const uint32_t layout = group.matrix(i % 2).layout;
    kernels.packed[layout].unpack_tiles(codes(i), span.steps * kTileColumns / packed_layouts()[layout].columns,
                                        scratch.weights[i / 2][0][i % 2], 2 * kTileValues,
                                        reinterpret_cast<uintptr_t>(codes(std::min(i + 1, panels - 1))));
  }
}

// 2 x 2 tiles of sums, [row tile][panel of the pair], where they are while others are in the unit.
struct Sums {
  float (*at)[2][kSumValues];
  bool fresh;  // nothing was added yet; what is there means nothing
};

// Begins four tiles of the unit with sums.
template <int tile>
void begin_sums(TileUnit& unit, const Sums& sums) {
  if (sums.fresh) {
    unit.zero<tile>();
    unit.zero<tile + 1>();
    unit.zero<tile + 2>();
    unit.zero<tile + 3>();
  } else {
    unit.load<tile>(sums.at[0][0]);
    unit.load<tile + 1>(sums.at[0][1]);
    unit.load<tile + 2>(sums.at[1][0]);
    unit.load<tile + 3>(sums.at[1][1]);
  }
}

// The last step of a product, of 32 rows of activations by a pair of panels: its sums to where they belong. That is
// done a few rows at a time while the next products are under way, as it waits for memory and computes elsewhere.
class Finish {
 public:
  Finish() = default;
  Finish(const PanelGroup& group, size_t row, size_t pair, const float (*sums)[2][kSumValues])
      : group_(&group), row_(row), pair_(pair), sums_(sums), left_(std::min(kTileRowUnit, group.args.rows - row)) {}

  void rows(size_t count) {
    for (; count > 0 && left_ > 0; --count, --left_, ++done_) {
      const auto& tiles = sums_[done_ / kTileRows];
      const size_t at = done_ % kTileRows * kPanelRows;
      if (group_->gated()) {
        store(1, tiles[1] + at, tiles[0] + at);
        continue;
      }
      store(0, tiles[0] + at, nullptr);
      if (2 * pair_ + 1 < group_->count) store(1, tiles[1] + at, nullptr);
    }
  }
  void all() { rows(left_); }

 private:
  void store(size_t side, const float* result, const float* gates) const {
    const MatmulArgs& args = group_->args;
    const size_t panel = group_->panel(pair_, side), row = row_ + done_;
    if (args.tiles_out == nullptr) return finish_tile(args, panel, row, 1, result, gates);
    store_bf16(finished(args, panel, row, kPanelRows, result, gates),
               args.tiles_out + tile_offset(args.weight->rows, row, panel * kPanelRows));
  }

  const PanelGroup* group_ = nullptr;
  size_t row_ = 0, pair_ = 0;
  const float (*sums_)[2][kSumValues] = nullptr;
  size_t left_ = 0, done_ = 0;
};

// What the unit goes through between one exchange of sums and the next.
struct Block {
  const uint16_t* activations;  // the second row tile's lie row_stride values after the first's
  size_t row_stride;
  const uint16_t (*weights)[2][kTileValues];
  size_t steps;
  const uint16_t* soon;  // asked for meanwhile, `soon_lines` lines each step
  size_t soon_lines;
};

// Adds the products of a block to the sums in the unit, in the four tiles from `own` on, stores them to `sums` and
// begins with `next` in the other four. The two fours take turns, so that the next sums need not wait for these to be
// stored: 74 instead of 65 % of the unit's peak in blocks of 8 steps. All loads of a step come before its products:
// where another thread uses the core, each change from one to the other costs as much as four products.
template <int own>
void multiply_block(TileUnit& unit, const Block& block, const Sums& sums, const Sums& next, Finish& finish) {
  constexpr int other = 4 - own;
  const uint16_t* soon = block.soon;
  const size_t rows = (kTileRowUnit + block.steps - 1) / block.steps;
  for (size_t step = 0; step < block.steps; ++step) {
    const uint16_t* tile = block.activations + step * kTileValues;
    unit.load_once<other + 2>(block.weights[step][0]);
    unit.load<other>(tile);
    unit.load_once<other + 3>(block.weights[step][1]);
    unit.load<other + 1>(tile + block.row_stride);
    unit.add_products<own, other, other + 2>();
    unit.add_products<own + 1, other, other + 3>();
    unit.add_products<own + 2, other + 1, other + 2>();
    unit.add_products<own + 3, other + 1, other + 3>();
    for (size_t line = 0; line < block.soon_lines; ++line, soon += kTileColumns) __builtin_prefetch(soon, 0, 2);
    finish.rows(rows);
  }
  begin_sums<other>(unit, next);
  unit.store<own>(sums.at[0][0]);
  unit.store<own + 1>(sums.at[0][1]);
  unit.store<own + 2>(sums.at[1][0]);
  unit.store<own + 3>(sums.at[1][1]);
}

// Where a span's multiplication is.
struct Position {
  size_t row, step, pair;
};

// All rows of a span by its decoded weights. The activations of a block are asked for, into the second-level cache,
// while the one before it is multiplied.
class SpanProduct {
 public:
  SpanProduct(TileUnit& unit, const PanelGroup& group, const Span& span, TileScratch& scratch)
      : unit_(unit), group_(group), span_(span), scratch_(scratch), columns_(group.args.weight->columns) {
    // A single pair has nothing to take turns with, and no use for activations again.
    const size_t blocks = group.pairs() == 1 ? 1 : (span.steps + kBlockSteps - 1) / kBlockSteps;
    block_ = (span.steps + blocks - 1) / blocks;
  }

  void multiply() {
    Finish finish;
    bool turn = false;
    begin_sums<0>(unit_, sums({span_.begin, 0, 0}));
    for (Position at{span_.begin, 0, 0}; at.row < span_.end; turn = !turn) {
      const Position next = after(at);
      const Sums done = sums(at), begun = next.row < span_.end ? sums(next) : Sums{done.at, true};
      if (turn)
        multiply_block<4>(unit_, block(at), done, begun, finish);
      else
        multiply_block<0>(unit_, block(at), done, begun, finish);
      if (span_.last && at.step + block_ >= span_.steps) finish = Finish(group_, at.row, at.pair, done.at);
      at = next;
    }
    finish.all();
  }

 private:
  Position after(const Position& at) const {
    if (at.pair + 1 < group_.pairs()) return {at.row, at.step, at.pair + 1};
    return after_block(at);
  }
  Position after_block(const Position& at) const {
    if (at.step + block_ < span_.steps) return {at.row, at.step + block_, 0};
    return {at.row + kTileRowUnit, 0, 0};
  }
  Sums sums(const Position& at) const {
    // With one span the sums of all rows can share a place, which then stays near.
    const size_t place = span_.first && span_.last ? 0 : (at.row - span_.begin) / kTileRowUnit;
    return {scratch_.sums[place][at.pair], span_.first && at.step == 0};
  }
  const uint16_t* activations(const Position& at) const {
    return group_.args.tiles + at.row * columns_ + span_.column * kTileRows + at.step * kTileValues;
  }
  Block block(const Position& at) const {
    const size_t pairs = group_.pairs(), steps = std::min(block_, span_.steps - at.step);
    // Of the two rows of tiles that come next, this pair's share.
    Position soon = after_block(at);
    if (soon.row >= span_.end) soon.row = span_.begin;
    const size_t soon_lines = (2 * kTileRows + pairs - 1) / pairs, line = at.pair * steps * soon_lines;
    const size_t half = line / (steps * kTileRows);
    return {activations(at),
            columns_ * kTileRows,
            scratch_.weights[at.pair] + at.step,
            steps,
            activations(soon) + half * columns_ * kTileRows + (line - half * steps * kTileRows) * kTileColumns,
            soon_lines};
  }

  TileUnit& unit_;
  const PanelGroup& group_;
  const Span& span_;
  TileScratch& scratch_;
  const size_t columns_;
  size_t block_ = 0;  // tiles of columns
};

// All panels of the group by activation rows [begin, end).
void multiply_group(TileUnit& unit, const Kernels& kernels, const PanelGroup& group, size_t begin, size_t end,
                    TileScratch& scratch) {
  const size_t columns = group.args.weight->columns;
  const size_t most = columns <= kSpanColumns ? kSpanColumns : kPartColumns;
  for (size_t column = 0; column < columns; column += most) {
    const size_t count = std::min(most, columns - column);
    const Span span{begin, end, column, count / kTileColumns, column == 0, column + count == columns};
    decode_span(kernels, group, span, scratch);
    SpanProduct(unit, group, span, scratch).multiply();
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

void store_tile_row(const float* x, size_t count, size_t columns, size_t row, size_t column, uint16_t* tiles) {
  uint16_t* out = tiles + tile_offset(columns, row, column);
  for (size_t k = 0; k < count; k += kTileColumns, out += kTileValues)
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
