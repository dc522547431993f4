// Matrix products of packed weights with rows of activations. Three ways through a panel, chosen by the rows M:
//   few             the packed tile is multiplied as it is read (decode: bound by memory)
//   more            panels are unpacked once, to bytes and float scales in cache, and multiplied tile by tile: some
//                   panels by some rows, a block of columns at a time
//   float weights   32-bit products, also for reference precision
// The order of float additions over the columns is the same in the first two, and the sums of bytes under them are
// exact, so a row's result does not depend on M, nor on which unit multiplies the bytes.
#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "core/kernels/kernels.h"

#ifndef INGLE_MATMUL_SCRATCH
#define INGLE_MATMUL_SCRATCH
namespace ingle::core {

// Scratch: two ready panels, sums of this many rows with each, and what quantize_tile() keeps.
constexpr size_t kMatmulRowBlock = 512;

// A ready panel as floats or as bytes with two scales and offsets per group; floats are larger.
constexpr size_t ready_panel_bytes(size_t columns) {
  return (columns * kPanelRows * sizeof(float) + 63) / 64 * 64;
}

}  // namespace ingle::core
#endif

#define INGLE_SIMD_FILE "core/kernels/matmul.cpp"
#define INGLE_SIMD_MATRIX_UNITS
#include "core/simd/foreach_isa.h"
#ifdef INGLE_ISA

namespace ingle::core::INGLE_ISA {
namespace {

#include "core/kernels/dot_quads.inc.h"
#include "core/kernels/matmul_finish.inc.h"
#include "core/kernels/quantize.inc.h"

// finish_tile() to where the next product reads it. A panel's values wait in `values`, [count][16], for those of its
// neighbour, with which they share scales.
void quantize_tile(const MatmulArgs& args, size_t panel, size_t first, size_t count, const float* result,
                   const float* gates, float* values) {
  const auto value = [&](size_t i) {
    return finished(args, panel, first + i, kPanelRows, result + 16 * i, gates != nullptr ? gates + 16 * i : nullptr);
  };
  if (panel % 2 == 0) {
    for (size_t i = 0; i < count; ++i) value(i).store(values + 16 * i);
    return;
  }
  const size_t groups = args.weight->rows / kGroup;
  ActivationGroup* out = args.quantized_out + first * groups + panel / 2;
  for (size_t i = 0; i < count; ++i) quantize_group(F32::load(values + 16 * i), value(i), out + i * groups);
}

// Products of both terms of `count` rows to those of the rows.
void add_terms(size_t count, float* sums) {
  for (size_t i = 0; i < count; ++i) (F32::load(sums + 32 * i) + F32::load(sums + 32 * i + 16)).store(sums + 16 * i);
}

// Of `count` rows of activations from `first` on.
void finish(const MatmulArgs& args, size_t panel, size_t first, size_t count, float* result, float* gates,
            float* values) {
  if (args.terms == 2) {
    first /= 2;
    count /= 2;
    add_terms(count, result);
    if (gates != nullptr) add_terms(count, gates);
  }
  if (args.quantized_out != nullptr)
    quantize_tile(args, panel, first, count, result, gates, values);
  else
    finish_tile(args, panel, first, count, result, gates);
}

// A tile of sums is kPanels panels by up to kMostRows rows. With 32 registers, 2 x 6 reads memory least per product:
// each weight is used for 6 rows, each activation for 2 panels.
constexpr size_t kPanels = F32::registers == 32 ? 2 : 1;
constexpr size_t kMostRows = I32::tile_rows;

// dots[p][i] = (the unpacked panel p's codes under scale `half` of group `at` - bias) . rows[i]. A matrix unit takes
// activations two rows at a time; an odd last row goes with itself.
template <typename Unit, int halves, bool is_signed, int chain, int P, int M>
INGLE_INLINE inline void multiply_bytes(const UnpackedPanel* panels, size_t at, int half, int32_t bias,
                                        const ActivationGroup* const* rows, I32 (&dots)[P][M]) {
  constexpr int columns = 32 / halves;
  const size_t offset = at * 512 + static_cast<size_t>(half) * columns * 16;
  if constexpr (!std::is_void_v<Unit>) {
    static_assert(P == 1);
    typename Unit::Sums sums[(M + 1) / 2];
    for (auto& pair : sums) pair = Unit::Sums::zero();
    for (int k = 0; k < columns; k += Unit::columns) {
      const auto w = Unit::Weights::load(panels[0].quads + offset + k * 16);
      const int column = half * columns + k;
      for (int i = 0; i < M; i += 2)
        sums[i / 2] = sums[i / 2].add(w, rows[i][at].q + column, rows[std::min(i + 1, M - 1)][at].q + column);
    }
    for (int i = 0; i < M; ++i)
      dots[0][i] = byte_start<halves, P>(rows[i][at], half, bias) +
                   (i % 2 == 0 ? sums[i / 2].template row<0>() : sums[i / 2].template row<1>());
  } else {
    dot_quads<I16, halves, is_signed, chain>(
        rows, at, half, bias, [&]<int j>(int p) INGLE_INLINE { return Quad::load(panels[p].quads + offset + j * 64); },
        dots);
  }
}

// sums[p][i] (+)= rows[i] . the unpacked panel p over groups [begin, end); the arithmetic of group_dot in
// packed_kernels.inc.h. A panel's sums are `stride` floats from the next panel's. From group 0 on they start from zero.
template <int halves, bool has_min, bool is_signed, int chain, int P, int M>
void byte_tile(const UnpackedPanel* panels, size_t begin, size_t end, int32_t bias, const ActivationGroup* const* rows,
               float* sums, size_t stride) {
  F32 acc[P][M];
  for (int p = 0; p < P; ++p)
    for (int i = 0; i < M; ++i) acc[p][i] = begin == 0 ? F32::zero() : F32::load(sums + p * stride + 16 * i);
  for (size_t at = begin; at < end; ++at) {
    for (int h = 0; h < halves; ++h) {
      I32 dots[P][M];
      multiply_bytes<MatrixUnit, halves, is_signed, chain>(panels, at, h, has_min ? 0 : bias, rows, dots);
      for (int p = 0; p < P; ++p) {
        const F32 scale = F32::load(panels[p].scales + (at * halves + h) * 16);
        for (int i = 0; i < M; ++i) acc[p][i] = acc[p][i].fma(F32::from(dots[p][i]), scale * F32::set1(rows[i][at].d));
        if constexpr (has_min) {
          const F32 min = F32::load(panels[p].mins + (at * halves + h) * 16);
          for (int i = 0; i < M; ++i)
            acc[p][i] = acc[p][i].fnma(min, F32::set1(rows[i][at].template value_sum<halves>(h)));
        }
      }
    }
  }
  for (int p = 0; p < P; ++p)
    for (int i = 0; i < M; ++i) acc[p][i].store(sums + p * stride + 16 * i);
}

template <FloatType type>
inline F32 load_weights(const std::byte* p) {
  if constexpr (type == FloatType::f32)
    return F32::load(reinterpret_cast<const float*>(p));
  else if constexpr (type == FloatType::f16)
    return F32::load_f16(p);
  else
    return F32::load_bf16(p);
}

// sums[p][i] = rows[i] . panel p of floats. A panel's sums are `stride` floats from the next panel's.
template <FloatType type, int P, int M>
void float_tile(const std::byte* const* panels, size_t columns, const float* const* rows, float* sums, size_t stride) {
  constexpr size_t bytes = type == FloatType::f32 ? 64 : 32;
  F32 acc[P][M];
  for (int p = 0; p < P; ++p)
    for (int i = 0; i < M; ++i) acc[p][i] = F32::zero();
  for (size_t k = 0; k < columns; ++k) {
    F32 w[P];
    for (int p = 0; p < P; ++p) w[p] = load_weights<type>(panels[p] + k * bytes);
    for (int i = 0; i < M; ++i) {
      const F32 x = F32::set1(rows[i][k]);
      for (int p = 0; p < P; ++p) acc[p][i] = acc[p][i].fma(w[p], x);
    }
  }
  for (int p = 0; p < P; ++p)
    for (int i = 0; i < M; ++i) acc[p][i].store(sums + p * stride + 16 * i);
}

// A panel made ready for tiles of rows.
struct ReadyPanel {
  UnpackedPanel bytes{};
  const std::byte* floats = nullptr;  // set: multiply as floats
  FloatType float_type = FloatType::f32;
  size_t groups = 0, columns = 0, halves = 1;
  bool is_signed = false, has_min = false;
  int32_t bias = 0;
  int chain = 0;  // short_quads()
};

// 16 rows in the file's own format, decoded with the scalar reference and transposed to [column][16].
void decode_blocks(const PackedMatrix& w, const std::byte* panel, float* out) {
  const size_t blocks = w.columns / w.block_columns;
  float block[256];
  for (size_t row = 0; row < kPanelRows; ++row)
    for (size_t b = 0; b < blocks; ++b) {
      w.decode(panel + (row * blocks + b) * w.block_bytes, block, 1);
      for (size_t k = 0; k < w.block_columns; ++k) out[(b * w.block_columns + k) * 16 + row] = block[k];
    }
}

// Puts an unpacked panel's quads in the order that the matrix unit reads, if there is one.
template <typename Unit>
void arrange(uint8_t* quads, size_t columns) {
  if constexpr (!std::is_void_v<Unit>)
    for (size_t k = 0; k < columns; k += Unit::columns) Unit::arrange(quads + k * 16);
}

ReadyPanel make_ready(const Kernels& kernels, const PackedMatrix& w, size_t index, bool float_path,
                      std::byte* scratch) {
  const std::byte* panel = w.data + index * w.panel_bytes;
  ReadyPanel ready;
  ready.columns = w.columns;
  if (w.storage == PackedMatrix::Storage::floats) {
    ready.floats = panel;
    ready.float_type = w.float_type;
    return ready;
  }
  auto* floats = reinterpret_cast<float*>(scratch);
  if (w.storage == PackedMatrix::Storage::blocks) {
    decode_blocks(w, panel, floats);
    ready.floats = scratch;
    return ready;
  }
  const PackedLayout& layout = packed_layouts()[w.layout];
  const size_t tiles = w.columns / layout.columns;
  if (float_path) {
    kernels.packed[w.layout].unpack_float(panel, tiles, floats);
    ready.floats = scratch;
    return ready;
  }
  ready.groups = w.columns / kGroup;
  ready.halves = layout.halves();
  ready.is_signed = layout.is_signed || layout.has_codebook;
  ready.has_min = layout.has_min;
  ready.bias = ready.is_signed ? Quad::signed_zero : layout.zero;
  ready.chain = short_quads<I16>(layout.largest_code(), static_cast<int>(8 / ready.halves));
  ready.bytes.quads = reinterpret_cast<uint8_t*>(scratch);
  ready.bytes.scales = reinterpret_cast<float*>(scratch + size_t{w.columns} * 16);
  ready.bytes.mins = ready.bytes.scales + ready.groups * ready.halves * 16;
  kernels.packed[w.layout].unpack(panel, tiles, ready.bytes);
  arrange<MatrixUnit>(ready.bytes.quads, w.columns);
  return ready;
}

// Groups of columns of which kPanels panels fit into the nearest cache; a group is 512 bytes of weights and at most 256
// of scales.
constexpr size_t kColumnBlock = 24;

// Floats need no registers for scales: tiles of 2 x 12.
constexpr size_t kMostFloatRows = F32::registers == 32 ? 12 : kMostRows;

// Calls tile<M>(i) for i = 0, M, ... until `count` rows are done, with the largest M that fit, at most `most`.
template <size_t most, typename Tile>
void for_each_tile(size_t count, Tile tile) {
  size_t i = 0;
  const auto run = [&]<size_t M>() {
    for (; count - i >= M; i += M) tile.template operator()<static_cast<int>(M)>(i);
  };
  run.template operator()<most>();
  if constexpr (most > 6) run.template operator()<6>();
  if constexpr (most > 4) run.template operator()<4>();
  run.template operator()<2>();
  run.template operator()<1>();
}

// sums[p][i][16] = rows [first, first + count) of activations times P panels of floats of one type; a panel's sums are
// kMatmulRowBlock * 16 from the next one's.
template <FloatType type, int P>
void multiply_floats(const ReadyPanel* panels, const MatmulArgs& args, size_t first, size_t count, float* sums) {
  const std::byte* floats[P];
  for (int p = 0; p < P; ++p) floats[p] = panels[p].floats;
  for_each_tile<kMostFloatRows>(count, [&]<int M>(size_t i) {
    const float* rows[M];
    for (int r = 0; r < M; ++r) rows[r] = args.input + (first + i + static_cast<size_t>(r)) * args.input_stride;
    float_tile<type, P, M>(floats, panels[0].columns, rows, sums + 16 * i, kMatmulRowBlock * 16);
  });
}

template <int P>
void multiply_floats(const ReadyPanel* panels, const MatmulArgs& args, size_t first, size_t count, float* sums) {
  switch (panels[0].float_type) {
    case FloatType::f32:
      return multiply_floats<FloatType::f32, P>(panels, args, first, count, sums);
    case FloatType::f16:
      return multiply_floats<FloatType::f16, P>(panels, args, first, count, sums);
    case FloatType::bf16:
      return multiply_floats<FloatType::bf16, P>(panels, args, first, count, sums);
  }
}

// The same for P panels of bytes of one shape.
template <int halves, bool has_min, bool is_signed, int chain, int P>
void multiply_bytes_block(const ReadyPanel* panels, const MatmulArgs& args, size_t first, size_t count, float* sums) {
  UnpackedPanel bytes[P];
  for (int p = 0; p < P; ++p) bytes[p] = panels[p].bytes;
  const size_t groups = panels[0].groups;
  for (size_t begin = 0; begin < groups; begin += kColumnBlock)
    for_each_tile<kMostRows>(count, [&]<int M>(size_t i) {
      const ActivationGroup* rows[M];
      for (int r = 0; r < M; ++r) rows[r] = args.quantized + (first + i + static_cast<size_t>(r)) * groups;
      byte_tile<halves, has_min, is_signed, chain, P, M>(bytes, begin, std::min(groups, begin + kColumnBlock),
                                                         panels[0].bias, rows, sums + 16 * i, kMatmulRowBlock * 16);
    });
}

// Chooses how bytes are summed: in 16 bits where the codes allow that, else as signed or unsigned ones in 32.
template <int halves, bool has_min, int P>
void multiply_shape(const ReadyPanel* panels, const MatmulArgs& args, size_t first, size_t count, float* sums) {
  constexpr int quads = 8 / halves;
  if constexpr (short_quads<I16>(1, quads) > 0) {
    if (panels[0].chain == quads)
      return multiply_bytes_block<halves, has_min, false, quads, P>(panels, args, first, count, sums);
    if (panels[0].chain == quads / 2)
      return multiply_bytes_block<halves, has_min, false, quads / 2, P>(panels, args, first, count, sums);
  }
  if constexpr (Quad::signed_zero == 0)
    if (panels[0].is_signed) return multiply_bytes_block<halves, has_min, true, 0, P>(panels, args, first, count, sums);
  multiply_bytes_block<halves, has_min, false, 0, P>(panels, args, first, count, sums);
}

template <int P>
void multiply_block(const ReadyPanel* panels, const MatmulArgs& args, size_t first, size_t count, float* sums) {
  const ReadyPanel& panel = panels[0];
  if (panel.halves == 1 && panel.has_min)
    multiply_shape<1, true, P>(panels, args, first, count, sums);
  else if (panel.halves == 1)
    multiply_shape<1, false, P>(panels, args, first, count, sums);
  else if (panel.has_min)
    multiply_shape<2, true, P>(panels, args, first, count, sums);
  else
    multiply_shape<2, false, P>(panels, args, first, count, sums);
}

bool same_shape(const ReadyPanel& a, const ReadyPanel& b) {
  return a.floats == nullptr && b.floats == nullptr && a.halves == b.halves && a.has_min == b.has_min &&
         a.is_signed == b.is_signed && a.bias == b.bias && a.chain == b.chain;
}

bool same_floats(const ReadyPanel& a, const ReadyPanel& b) {
  return a.floats != nullptr && b.floats != nullptr && a.float_type == b.float_type;
}

// Products of two panels (or one) with a block of rows, in tiles of both where they allow that.
void multiply_panels(const ReadyPanel* panels, size_t count, const MatmulArgs& args, size_t first, size_t rows,
                     float* sums) {
  if (kPanels == 2 && count == 2 && same_shape(panels[0], panels[1]))
    return multiply_block<kPanels>(panels, args, first, rows, sums);
  if (kPanels == 2 && count == 2 && same_floats(panels[0], panels[1]))
    return multiply_floats<kPanels>(panels, args, first, rows, sums);
  for (size_t p = 0; p < count; ++p) {
    if (panels[p].floats != nullptr)
      multiply_floats<1>(panels + p, args, first, rows, sums + p * kMatmulRowBlock * 16);
    else
      multiply_block<1>(panels + p, args, first, rows, sums + p * kMatmulRowBlock * 16);
  }
}

// Rows that a panel is multiplied with as it is read. Up to kDirectRows, of one term or two, it is read again for the
// next ones rather than unpacked.
constexpr size_t kPassRows = F32::registers == 32 ? kMaxDirectRows : kMaxDirectRows / 2;
constexpr size_t kDirectRows = std::is_void_v<MatrixUnit> ? 2 * kPassRows : kPassRows;

// A panel is asked for while those before it are multiplied. The processors' own prefetchers stop at the page's end and
// start anew with each of the streams; docs/performance.md has the numbers.
constexpr size_t kPrefetchBytes = 4096;

bool direct_rows(const MatmulArgs& args) {
  return !args.float_path && args.rows <= kDirectRows * args.terms &&
         args.weight->storage == PackedMatrix::Storage::quantized;
}

// What the `pass`-th of so many passes over a panel asks for. If there are several, each asks for its share of the next
// panel: the first one reads as fast as memory can, and nothing would be left to ask for.
Prefetch prefetch_of(const PackedMatrix& w, const std::byte* panel, size_t pass, size_t passes) {
  const PackedLayout& layout = packed_layouts()[w.layout];
  const size_t step = layout.tile_bytes / passes, tiles = w.columns / layout.columns;
  return {reinterpret_cast<uintptr_t>(panel) + (passes > 1 ? w.panel_bytes + pass * tiles * step : kPrefetchBytes),
          step, (step * kGroup + layout.columns * 64 - 1) / (layout.columns * 64)};
}

void direct_panel(const Kernels& kernels, const PackedMatrix& w, const MatmulArgs& args, size_t panel, float* result) {
  const std::byte* data = w.data + panel * w.panel_bytes;
  const size_t passes = (args.rows + kPassRows - 1) / kPassRows;
  for (size_t pass = 0; pass < passes; ++pass) {
    const size_t begin = args.rows * pass / passes, end = args.rows * (pass + 1) / passes;
    const ActivationGroup* rows[kPassRows];
    for (size_t r = begin; r < end; ++r) rows[r - begin] = args.quantized + r * (w.columns / kGroup);
    kernels.packed[w.layout].direct[end - begin - 1](data, w.columns / packed_layouts()[w.layout].columns, rows,
                                                     result + begin * 16, prefetch_of(w, data, pass, passes));
  }
}

}  // namespace

namespace {

// Panels [begin, end), each multiplied as it is read.
void matmul_direct(const Kernels& kernels, const MatmulArgs& args, size_t begin, size_t end) {
  alignas(64) float result[2 * kDirectRows * 16];
  alignas(64) float gates[2 * kDirectRows * 16];
  alignas(64) float values[kDirectRows * 16];
  for (size_t panel = begin; panel < end; ++panel) {
    direct_panel(kernels, *args.weight, args, panel, result);
    if (args.gate != nullptr) direct_panel(kernels, *args.gate, args, panel, gates);
    finish(args, panel, 0, args.rows, result, args.gate != nullptr ? gates : nullptr, values);
  }
}

// Panels [begin, end) by a block of rows. Panels go two at a time: a panel and its gate's, or neighbours.
void matmul_block(const Kernels& kernels, const MatmulArgs& args, size_t begin, size_t end, size_t first, size_t rows,
                  std::byte* scratch) {
  const size_t ready_bytes = ready_panel_bytes(args.weight->columns);
  auto* sums = reinterpret_cast<float*>(scratch + 2 * ready_bytes);
  float* second = sums + kMatmulRowBlock * kPanelRows;
  float* values = sums + 2 * kMatmulRowBlock * kPanelRows;
  const size_t step = args.gate != nullptr ? 1 : 2;
  for (size_t panel = begin; panel < end; panel += step) {
    ReadyPanel panels[2];
    const size_t count = args.gate != nullptr ? 2 : std::min<size_t>(2, end - panel);
    panels[0] = make_ready(kernels, *args.weight, panel, args.float_path, scratch);
    if (args.gate != nullptr)
      panels[1] = make_ready(kernels, *args.gate, panel, args.float_path, scratch + ready_bytes);
    else if (count == 2)
      panels[1] = make_ready(kernels, *args.weight, panel + 1, args.float_path, scratch + ready_bytes);
    multiply_panels(panels, count, args, first, rows, sums);
    finish(args, panel, first, rows, sums, args.gate != nullptr ? second : nullptr, values);
    if (args.gate == nullptr && count == 2) finish(args, panel + 1, first, rows, second, nullptr, values);
  }
}

}  // namespace

void matmul(const Kernels& kernels, const MatmulArgs& args, size_t begin, size_t end, std::byte* scratch) {
  if (direct_rows(args) && (args.gate == nullptr || args.gate->storage == args.weight->storage))
    return matmul_direct(kernels, args, begin, end);
  for (size_t first = 0; first < args.rows; first += kMatmulRowBlock)
    matmul_block(kernels, args, begin, end, first, std::min(kMatmulRowBlock, args.rows - first), scratch);
}

}  // namespace ingle::core::INGLE_ISA
#else

namespace ingle::core {

size_t matmul_scratch_bytes(size_t columns) {
  return 2 * ready_panel_bytes(columns) + 3 * kMatmulRowBlock * kPanelRows * sizeof(float);
}

}  // namespace ingle::core
#endif
