// The CPU kernels of one instruction set as a table. A kernel works on whole rows or panels; the device splits the
// work. Every kernel exists in the portable `scalar` set, which is the reference that the others are tested against.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/hal/kernel_desc.h"
#include "core/kernels/kv_cache.h"
#include "core/kernels/packed.h"

namespace ingle::core {

enum class FloatType : uint8_t { f32, f16, bf16 };

/// An instruction-set-independent view of a packed weight matrix of rows x columns (rows padded to 16).
struct PackedMatrix {
  enum class Storage : uint8_t { quantized, floats, blocks } storage = Storage::quantized;
  uint32_t layout = 0;                                         ///< quantized: index into packed_layouts()
  FloatType float_type = FloatType::f32;                       ///< floats: panels are [column][16]
  void (*decode)(const std::byte*, float*, size_t) = nullptr;  ///< blocks: rows in the file's format, decoded per tile
  uint32_t block_columns = 0, block_bytes = 0;                 ///< blocks
  uint32_t rows = 0, columns = 0;
  size_t panel_bytes = 0;
  const std::byte* data = nullptr;

  size_t panels() const { return (rows + kPanelRows - 1) / kPanelRows; }
};

/// out[row][n] (+)= activation-row . weight-row n (+ bias[n]); with `gate`, out = act(gate product) * up product;
/// `activated`, out = act(product + bias).
/// Instead of out it may go where the next product reads it; weight rows are a multiple of 32 then.
struct MatmulArgs {
  const PackedMatrix* weight = nullptr;  ///< "up" where gate is set
  const PackedMatrix* gate = nullptr;    ///< of the same rows and columns
  bool activated = false;
  Activation activation = Activation::silu;
  const ActivationGroup* quantized = nullptr;  ///< [rows][columns / 32]; used unless float_path
  const uint16_t* tiles = nullptr;             ///< matmul_tiles: as store_tile_row() leaves them
  const float* input = nullptr;                ///< [rows][input_stride]
  size_t input_stride = 0;
  size_t rows = 0;   ///< of activations
  size_t terms = 1;  ///< matmul: so many of them, one after the other, are added up to one row of the result; 1 or 2
  float* out = nullptr;
  size_t out_stride = 0;
  ActivationGroup* quantized_out = nullptr;  ///< [rows][weight rows / 32]; panels come in pairs, as these share a scale
  uint16_t* tiles_out = nullptr;             ///< matmul_tiles
  const float* bias = nullptr;
  bool accumulate = false;
  float scale = 1.0f;       ///< of the product, before bias
  bool float_path = false;  ///< 32-bit activations and products (reference precision, or float weights)
};

/// Query rows of one sequence and layer. Query row r of a key-value head is (token r / group, head kv_head * group +
/// r % group) with group = heads / kv_heads.
struct AttentionArgs {
  const float* q = nullptr;  ///< [tokens][heads * head_dim]
  size_t q_stride = 0;
  float* out = nullptr;  ///< [tokens][heads * head_dim]
  size_t out_stride = 0;
  KvView kv;
  uint32_t heads = 0, kv_heads = 0;
  uint32_t first_position = 0;  ///< of token 0
  float scale = 1.0f;
  uint32_t window = 0;   ///< positions a query sees, itself included; 0: all
  uint32_t prefix = 0;   ///< all queries see the positions before this one, even later ones than their own
  float softcap = 0.0f;  ///< 0: none
  /// One of these instead of out: where the next product reads it. head_dim is a multiple of 32 then.
  ActivationGroup* quantized_out = nullptr;  ///< [tokens][heads * head_dim / 32]
  uint16_t* tiles_out = nullptr;
  void (*store_tile_row)(const float* x, size_t count, size_t columns, size_t row, size_t column,
                         uint16_t* tiles) = nullptr;  ///< Kernels::store_tile_row
  size_t first_row = 0;                               ///< of quantized_out or tiles_out: token 0's
};

/// Rotary embedding in place over the first `rotary` of each head's head_dim values.
struct RopeArgs {
  const float* cosines = nullptr;  ///< [rotary / 2] of this position, attention factor included
  const float* sines = nullptr;
  uint32_t head_dim = 0, rotary = 0;
  bool interleaved = false;  ///< pairs (2i, 2i + 1) instead of (i, i + rotary / 2)
};

/// Rows of activations as tiles of bf16 for a tile unit: [row / 16][column / 32][row % 16][column % 32].
inline constexpr size_t kTileRows = 16, kTileColumns = 32, kTileValues = kTileRows * kTileColumns;
constexpr size_t tile_offset(size_t columns, size_t row, size_t column) {
  return row / kTileRows * kTileRows * columns + column / kTileColumns * kTileValues + row % kTileRows * kTileColumns +
         column % kTileColumns;
}
/// Tiles are read two at a time, so memory for activations holds a multiple of this many rows.
inline constexpr size_t kTileRowUnit = 2 * kTileRows;
/// From this many rows on, tiles of bf16 are worth decoding the weights for; fewer are multiplied as bytes.
inline constexpr size_t kFewestTileRows = 33;

inline constexpr size_t kMaxQueryRows = 24;         ///< query rows that pass over the keys together
inline constexpr size_t kMostTiledQueryRows = 128;  ///< the same on a tile unit, which decodes the keys for them
/// Keys are taken in segments, from multiples of this on, whose results are merged in order: whoever computes them.
inline constexpr uint32_t kSegmentPositions = 512;

struct Kernels {
  std::string_view name;
  std::array<PackedKernels, kLayoutCount> packed{};

  /// Panels [begin, end). `scratch` has matmul_scratch_bytes(columns), 64-byte aligned, one per thread.
  void (*matmul)(const Kernels& kernels, const MatmulArgs& args, size_t begin, size_t end, std::byte* scratch);
  /// columns must be a multiple of 32.
  void (*quantize_row)(const float* x, size_t columns, ActivationGroup* out);
  /// What quantize_row() has left of x, as codes too.
  void (*quantize_rest)(const float* x, const ActivationGroup* quantized, size_t columns, ActivationGroup* out);
  /// The same as matmul() for many rows of activations, in args.tiles, with a quantized weight or one of floats, which
  /// are rounded, on a unit that multiplies tiles of bf16; null where there is none. Columns are a multiple of 32.
  /// `scratch` has tile_scratch_bytes(), 64-byte aligned. A row's result depends neither on the number of rows nor on
  /// how panels are split.
  void (*matmul_tiles)(const Kernels& kernels, const MatmulArgs& args, size_t begin, size_t end,
                       std::byte* scratch) = nullptr;
  /// Puts `count` values of a row of activations, from `column` on, into `tiles`; all but the row are multiples of 32.
  /// Null where matmul_tiles is.
  void (*store_tile_row)(const float* x, size_t count, size_t columns, size_t row, size_t column,
                         uint16_t* tiles) = nullptr;
  /// out = x / rms(x) * weight; out may be x. weight may be null.
  void (*rms_norm)(const float* x, const float* weight, float epsilon, size_t n, float* out);
  /// out = (x - mean(x)) / deviation(x) * weight + bias; out may be x.
  void (*layer_norm)(const float* x, const float* weight, const float* bias, float epsilon, size_t n, float* out);
  void (*rope)(float* head, const RopeArgs& args);
  /// out[i] = act(x[i]); out may be x.
  void (*activate)(Activation kind, const float* x, size_t n, float* out);
  /// out[i] = act(gate[i]) * up[i]
  void (*gate)(Activation kind, const float* gate, const float* up, size_t n, float* out);
  void (*add)(const float* a, const float* b, size_t n, float* out);
  /// out = x * factor, or cap * tanh(x / cap) where cap != 0
  void (*scale)(const float* x, float factor, float cap, size_t n, float* out);
  /// Rotates blocks of a head by a Hadamard matrix, which is its own inverse: as many dimensions at a time as the
  /// largest power of two that divides head_dim. It spreads outliers, and leaves products of two rotated heads alone.
  void (*rotate)(float* head, size_t head_dim);
  /// Writes one key head and one value head at `position`. `first_key` is the key at the page's first position (the
  /// same where that is this position), or null where it is stored already; formats without codes do without.
  void (*store_kv)(const KvView& kv, uint32_t kv_head, uint32_t position, const float* key, const float* value,
                   const float* first_key);
  /// Query rows [begin, end) of a key-value head, at most kMaxQueryRows. `scratch` has attention_scratch_bytes(),
  /// 64-byte aligned. A row's result depends neither on the other rows nor on who computes which segments.
  void (*attention)(const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end, std::byte* scratch);
  /// Only the keys of one segment, to `part`, which has attention_part_floats() per row ...
  void (*attention_part)(const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end, uint32_t segment,
                         float* part, std::byte* scratch);
  /// ... and their sum over segments [first, last], of which the first one's parts are at `parts` and the others'
  /// follow at every `stride` floats.
  void (*attention_merge)(const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end, uint32_t first,
                          uint32_t last, const float* parts, size_t stride);
  /// The same as attention() and attention_part() for at most kMostTiledQueryRows on a unit that multiplies tiles of
  /// bf16, with other bits; keys and values in 32 bits are not for it. Null where matmul_tiles is. `scratch` has
  /// attention_tile_scratch_bytes(), 64-byte aligned.
  void (*attention_tiles)(const Kernels& kernels, const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end,
                          std::byte* scratch) = nullptr;
  void (*attention_tiles_part)(const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end, uint32_t segment,
                               float* part, std::byte* scratch) = nullptr;
};

size_t matmul_scratch_bytes(size_t columns);
size_t tile_scratch_bytes();
size_t attention_scratch_bytes(size_t head_dim);
size_t attention_tile_scratch_bytes(size_t head_dim);
constexpr size_t attention_part_floats(size_t head_dim) {
  return kv_stride(head_dim) + 16;
}

/// A set of kernels of this build. Even its table is filled by code that is compiled for the set: it may only be asked
/// for on a machine that offers the set.
struct KernelSet {
  std::string_view name;
  const Kernels& (*table)();
};
/// The portable set first, then in order of preference; not all may run here (core/backends/cpu/isa.h).
std::span<const KernelSet> kernel_sets();
/// Of a set that this machine offers; nullptr where this build has none of that name.
const Kernels* find_kernels(std::string_view name);
/// The portable kernels and an emulated tile unit; too slow but for tests of what is written for such units.
const Kernels& emulated_tile_kernels();

}  // namespace ingle::core
