// Matrix products of packed weights with rows of activations. Three ways through a panel, chosen by the rows M:
//   M <= 4          the packed tile is multiplied as it is read (decode: bound by memory)
//   more            the panel is unpacked once to bytes and float scales in cache, then multiplied with tiles of M
//   float weights   32-bit products, also for reference precision
// The order of float additions over the columns is the same in the first two, and the sums of bytes under them are
// exact, so a row's result does not depend on M, nor on which unit multiplies the bytes.
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "core/kernels/kernels.h"

#define INGLE_SIMD_FILE "core/kernels/matmul.cpp"
#define INGLE_SIMD_MATRIX_UNITS
#include "core/simd/foreach_isa.h"
#ifdef INGLE_ISA

namespace ingle::core::INGLE_ISA {
namespace {

#include "core/kernels/matmul_finish.inc.h"

constexpr size_t kMostRows = Quad::signed_zero == 128 ? 12 : 4;  // of activations in one tile of sums

// The micro-kernel: dots[i] = rows[i] . the unpacked panel over `columns` columns of group `at`, from `first` on. A
// matrix unit takes activations two rows at a time; an odd last row goes with itself.
template <typename Unit, int columns, int M>
inline void multiply_bytes(const UnpackedPanel& panel, size_t at, int first, bool is_signed,
                           const ActivationGroup* const* rows, I32* dots) {
  const uint8_t* weights = panel.quads + at * 512 + first * 16;
  if constexpr (!std::is_void_v<Unit>) {
    typename Unit::Sums sums[(M + 1) / 2];
    for (auto& pair : sums) pair = Unit::Sums::zero();
    for (int k = 0; k < columns; k += Unit::columns) {
      const auto w = Unit::Weights::load(weights + k * 16);
      for (int i = 0; i < M; i += 2)
        sums[i / 2] = sums[i / 2].add(w, rows[i][at].q + first + k, rows[std::min(i + 1, M - 1)][at].q + first + k);
    }
    for (int i = 0; i < M; ++i) dots[i] = i % 2 == 0 ? sums[i / 2].template row<0>() : sums[i / 2].template row<1>();
  } else {
    for (int i = 0; i < M; ++i) dots[i] = I32::set1(0);
    if (is_signed && Quad::signed_zero == 0) {
      for (int k = 0; k < columns; k += 4) {
        const Quad w = Quad::load(weights + k * 16);
        for (int i = 0; i < M; ++i) dots[i] = dots[i].dot_signed(w, rows[i][at].q + first + k);
      }
    } else {
      for (int k = 0; k < columns; k += 4) {
        const Quad w = Quad::load(weights + k * 16);
        for (int i = 0; i < M; ++i) dots[i] = dots[i].dot_unsigned(w, rows[i][at].q + first + k);
      }
    }
  }
}

// rows[i] . the unpacked panel; the arithmetic of group_dot in packed_kernels.inc.h.
template <int halves, int M>
void byte_tile(const UnpackedPanel& panel, size_t groups, bool is_signed, const ActivationGroup* const* rows,
               float* result) {
  F32 acc[M];
  for (int i = 0; i < M; ++i) acc[i] = F32::zero();
  for (size_t at = 0; at < groups; ++at) {
    for (int h = 0; h < halves; ++h) {
      constexpr int columns = 32 / halves;
      I32 dots[M];
      multiply_bytes<MatrixUnit, columns, M>(panel, at, h * columns, is_signed, rows, dots);
      const F32 scale = F32::load(panel.scales + (at * halves + h) * 16);
      const F32 offset = F32::load(panel.offsets + (at * halves + h) * 16);
      for (int i = 0; i < M; ++i) {
        acc[i] = acc[i].fma(F32::from(dots[i]), scale * F32::set1(rows[i][at].d));
        acc[i] = acc[i].fnma(offset, F32::set1(halves == 1 ? rows[i][at].sum : rows[i][at].half_sums[h]));
      }
    }
  }
  for (int i = 0; i < M; ++i) acc[i].store(result + 16 * i);
}

template <int M>
void byte_tile_any(size_t halves, const UnpackedPanel& panel, size_t groups, bool is_signed,
                   const ActivationGroup* const* rows, float* result) {
  if (halves == 1)
    byte_tile<1, M>(panel, groups, is_signed, rows, result);
  else
    byte_tile<2, M>(panel, groups, is_signed, rows, result);
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

template <FloatType type, int M>
void float_tile(const std::byte* panel, size_t columns, const float* const* rows, float* result) {
  constexpr size_t stride = type == FloatType::f32 ? 64 : 32;
  F32 acc[M];
  for (int i = 0; i < M; ++i) acc[i] = F32::zero();
  for (size_t k = 0; k < columns; ++k) {
    const F32 w = load_weights<type>(panel + k * stride);
    for (int i = 0; i < M; ++i) acc[i] = acc[i].fma(w, F32::set1(rows[i][k]));
  }
  for (int i = 0; i < M; ++i) acc[i].store(result + 16 * i);
}

template <int M>
void float_tile_any(FloatType type, const std::byte* panel, size_t columns, const float* const* rows, float* result) {
  switch (type) {
    case FloatType::f32:
      return float_tile<FloatType::f32, M>(panel, columns, rows, result);
    case FloatType::f16:
      return float_tile<FloatType::f16, M>(panel, columns, rows, result);
    case FloatType::bf16:
      return float_tile<FloatType::bf16, M>(panel, columns, rows, result);
  }
}

// A panel made ready for tiles of rows.
struct ReadyPanel {
  UnpackedPanel bytes{};
  const std::byte* floats = nullptr;  // set: multiply as floats
  FloatType float_type = FloatType::f32;
  size_t groups = 0, columns = 0, halves = 1;
  bool is_signed = false;
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
  ready.bytes.quads = reinterpret_cast<uint8_t*>(scratch);
  ready.bytes.scales = reinterpret_cast<float*>(scratch + size_t{w.columns} * 16);
  ready.bytes.offsets = ready.bytes.scales + ready.groups * ready.halves * 16;
  kernels.packed[w.layout].unpack(panel, tiles, ready.bytes);
  arrange<MatrixUnit>(ready.bytes.quads, w.columns);
  return ready;
}

// result[i][16] for rows [first, first + count), count <= kMostRows.
void multiply_tile(const ReadyPanel& panel, const MatmulArgs& args, size_t first, size_t count, float* result) {
  size_t i = 0;
  if (panel.floats != nullptr) {
    const float* rows[kMostRows];
    for (size_t r = 0; r < count; ++r) rows[r] = args.input + (first + r) * args.input_stride;
    const auto run = [&]<int M>() {
      float_tile_any<M>(panel.float_type, panel.floats, panel.columns, rows + i, result + 16 * i);
      i += M;
    };
    if constexpr (kMostRows >= 12) {
      while (count - i >= 12) run.template operator()<12>();
      while (count - i >= 8) run.template operator()<8>();
    }
    while (count - i >= 4) run.template operator()<4>();
    while (count - i >= 2) run.template operator()<2>();
    while (count - i >= 1) run.template operator()<1>();
    return;
  }
  const ActivationGroup* rows[kMostRows];
  for (size_t r = 0; r < count; ++r) rows[r] = args.quantized + (first + r) * panel.groups;
  const auto run = [&]<int M>() {
    byte_tile_any<M>(panel.halves, panel.bytes, panel.groups, panel.is_signed, rows + i, result + 16 * i);
    i += M;
  };
  if constexpr (kMostRows >= 12) {
    while (count - i >= 12) run.template operator()<12>();
    while (count - i >= 8) run.template operator()<8>();
  }
  while (count - i >= 4) run.template operator()<4>();
  while (count - i >= 2) run.template operator()<2>();
  while (count - i >= 1) run.template operator()<1>();
}

bool direct_rows(const MatmulArgs& args) {
  return !args.float_path && args.rows <= kMaxDirectRows && args.weight->storage == PackedMatrix::Storage::quantized;
}

void direct_panel(const Kernels& kernels, const PackedMatrix& w, const MatmulArgs& args, size_t panel, float* result) {
  const ActivationGroup* rows[kMaxDirectRows];
  for (size_t r = 0; r < args.rows; ++r) rows[r] = args.quantized + r * (w.columns / kGroup);
  kernels.packed[w.layout].direct[args.rows - 1](w.data + panel * w.panel_bytes,
                                                 w.columns / packed_layouts()[w.layout].columns, rows, result);
}

}  // namespace

void matmul(const Kernels& kernels, const MatmulArgs& args, size_t begin, size_t end, std::byte* scratch) {
  alignas(64) float result[kMostRows * 16];
  alignas(64) float gates[kMostRows * 16];
  const bool direct = direct_rows(args) && (args.gate == nullptr || args.gate->storage == args.weight->storage);
  for (size_t panel = begin; panel < end; ++panel) {
    if (direct) {
      direct_panel(kernels, *args.weight, args, panel, result);
      if (args.gate != nullptr) direct_panel(kernels, *args.gate, args, panel, gates);
      finish_tile(args, panel, 0, args.rows, result, args.gate != nullptr ? gates : nullptr);
      continue;
    }
    const ReadyPanel up = make_ready(kernels, *args.weight, panel, args.float_path, scratch);
    ReadyPanel gate;
    if (args.gate != nullptr)
      gate = make_ready(kernels, *args.gate, panel, args.float_path,
                        scratch + matmul_scratch_bytes(args.weight->columns) / 2);
    for (size_t first = 0; first < args.rows; first += kMostRows) {
      const size_t count = std::min(kMostRows, args.rows - first);
      multiply_tile(up, args, first, count, result);
      if (args.gate != nullptr) multiply_tile(gate, args, first, count, gates);
      finish_tile(args, panel, first, count, result, args.gate != nullptr ? gates : nullptr);
    }
  }
}

}  // namespace ingle::core::INGLE_ISA
#else

namespace ingle::core {

size_t matmul_scratch_bytes(size_t columns) {
  // Two panels (up and gate), each as floats or as bytes with two scales and offsets per group; floats are larger.
  return 2 * ((columns * 16 * sizeof(float) + 63) / 64 * 64);
}

}  // namespace ingle::core
#endif
