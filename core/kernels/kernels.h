// The CPU kernels of one instruction set as a table. A kernel works on whole rows or panels; the device splits the
// work. Every kernel exists in the portable `scalar` set, which is the reference that the others are tested against.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/kernels/packed.h"

namespace ingle::core {

enum class FloatType : uint8_t { f32, f16, bf16 };
enum class GateKind : uint8_t { silu, gelu_tanh };

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

/// out[row][n] (+)= activation-row . weight-row n (+ bias[n]); with `gate`, out = act(gate product) * up product.
struct MatmulArgs {
  const PackedMatrix* weight = nullptr;  ///< "up" where gate is set
  const PackedMatrix* gate = nullptr;    ///< of the same rows and columns
  GateKind gate_kind = GateKind::silu;
  const ActivationGroup* quantized = nullptr;  ///< [rows][columns / 32]; used unless float_path
  const uint16_t* tiles = nullptr;             ///< matmul_tiles: as store_tile_row() leaves them
  const float* input = nullptr;                ///< [rows][input_stride]
  size_t input_stride = 0;
  size_t rows = 0;
  float* out = nullptr;
  size_t out_stride = 0;
  const float* bias = nullptr;
  bool accumulate = false;
  float scale = 1.0f;       ///< of the product, before bias
  bool float_path = false;  ///< 32-bit activations and products (reference precision, or float weights)
};

/// Values of one head and position, padded so that whole vectors can be read.
constexpr size_t kv_stride(size_t head_dim) {
  return (head_dim + 15) / 16 * 16;
}

/// Keys and values of one layer and sequence, with dim padded to kv_stride(head_dim). Keys:
/// [kv_head][position / 16][dim][16]; values: [kv_head][position][dim].
struct KvView {
  void* keys = nullptr;
  void* values = nullptr;
  bool f16 = true;        ///< else f32
  uint32_t capacity = 0;  ///< positions, a multiple of 16
};

struct AttentionArgs {
  const float* q = nullptr;  ///< [rows][heads * head_dim]
  size_t q_stride = 0;
  float* out = nullptr;  ///< [rows][heads * head_dim]
  size_t out_stride = 0;
  KvView kv;
  uint32_t heads = 0, kv_heads = 0, head_dim = 0;
  uint32_t first_position = 0;  ///< of row 0
  size_t rows = 0;
  float scale = 1.0f;
  uint32_t window = 0;   ///< positions a query sees, itself included; 0: all
  float softcap = 0.0f;  ///< 0: none
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
/// Tiles are read two at a time, so memory for activations holds a multiple of this many rows.
inline constexpr size_t kTileRowUnit = 2 * kTileRows;
/// From this many rows on, tiles of bf16 are worth decoding the weights for; fewer are multiplied as bytes.
inline constexpr size_t kFewestTileRows = 33;

inline constexpr size_t kAttentionChunk = 64;  ///< keys per softmax step
inline constexpr size_t kMaxQueryRows = 8;     ///< query rows that share a pass over the keys

struct Kernels {
  std::string_view name;
  std::array<PackedKernels, kLayoutCount> packed{};

  /// Panels [begin, end). `scratch` has matmul_scratch_bytes(columns), 64-byte aligned, one per thread.
  void (*matmul)(const Kernels& kernels, const MatmulArgs& args, size_t begin, size_t end, std::byte* scratch);
  /// columns must be a multiple of 32.
  void (*quantize_row)(const float* x, size_t columns, ActivationGroup* out);
  /// The same as matmul() for many rows of activations, in args.tiles, with a quantized weight, on a unit that
  /// multiplies tiles of bf16; null where there is none. `scratch` has tile_scratch_bytes(), 64-byte aligned. A row's
  /// result depends neither on the number of rows nor on how panels are split.
  void (*matmul_tiles)(const Kernels& kernels, const MatmulArgs& args, size_t begin, size_t end,
                       std::byte* scratch) = nullptr;
  /// Puts one row of activations into `tiles`; columns must be a multiple of 32. Null where matmul_tiles is.
  void (*store_tile_row)(const float* x, size_t columns, size_t row, uint16_t* tiles) = nullptr;
  /// out = x / rms(x) * weight; out may be x. weight may be null.
  void (*rms_norm)(const float* x, const float* weight, float epsilon, size_t n, float* out);
  void (*rope)(float* head, const RopeArgs& args);
  /// out[i] = act(gate[i]) * up[i]
  void (*gate)(GateKind kind, const float* gate, const float* up, size_t n, float* out);
  void (*add)(const float* a, const float* b, size_t n, float* out);
  /// out = x * factor, or cap * tanh(x / cap) where cap != 0
  void (*scale)(const float* x, float factor, float cap, size_t n, float* out);
  /// Writes one key head and one value head at `position`.
  void (*store_kv)(const KvView& kv, uint32_t kv_head, uint32_t head_dim, uint32_t position, const float* key,
                   const float* value);
  /// Query rows [begin, end) of kv head `kv_head`; query row r is (token r / group, head kv_head * group + r % group)
  /// with group = heads / kv_heads; at most kMaxQueryRows. `scratch` as attention_scratch_bytes.
  void (*attention)(const AttentionArgs& args, uint32_t kv_head, size_t begin, size_t end, std::byte* scratch);
};

size_t matmul_scratch_bytes(size_t columns);
size_t tile_scratch_bytes();
size_t attention_scratch_bytes(size_t head_dim);

/// The tables of this build, the portable one first, then in order of preference; not all may run here
/// (core/simd/isa.h).
std::span<const Kernels* const> all_kernels();
const Kernels* find_kernels(std::string_view name);
/// The portable kernels and an emulated tile unit; too slow but for tests of what is written for such units.
const Kernels& emulated_tile_kernels();

}  // namespace ingle::core
