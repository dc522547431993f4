// One step of a compiled program: which kernel, on which planned buffers and weights. Everything that varies from run
// to run (row counts, token ids, positions, sequence state) is in RunArgs.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace ingle::core {

enum class KernelKind : uint8_t {
  embed,              ///< out = matrix row of each token * factor
  rope_table,         ///< out = cosines, then sines, of each row's position
  rms_norm,           ///< out (if any) and/or quantized_out = norm of in[0]
  quantize,           ///< quantized_out = in[0]
  matmul,             ///< out (+)= in[0] or quantized_in times matrix; gated: act(gate_matrix product) * matrix product
  prepare_attention,  ///< in[0] q, in[1] k, in[2] v: head norms and rotation in place, k and v into the state
  attention,          ///< out = attention of in[0] over the state
  add,                ///< out = in[0] + in[1]
  gate,               ///< out = act(in[0]) * in[1]
  scale,              ///< out = in[0] * factor, or cap * tanh(in[0] / cap)
  output_rows,        ///< out = the rows of in[0] that want logits
};

/// A planned buffer: rows of `width` floats (or width / 32 activation groups) at a byte offset of the activation arena.
struct BufferRef {
  static constexpr uint64_t kNone = ~uint64_t{0};
  static constexpr uint64_t kLogits = kNone - 1;  ///< the logits buffer, outside the arena
  uint64_t offset = kNone;
  uint32_t width = 0;
  bool valid() const { return offset != kNone; }
};

struct KernelDesc {
  KernelKind kind{};
  bool barrier = true;       ///< all workers wait before the next kernel; false: the next is independent of this one
  bool output_rows = false;  ///< one row per wanted logit row instead of one per token
  bool accumulate = false;   ///< matmul: added to what out holds
  bool gated = false;
  bool gelu = false;  ///< the gate is GELU (tanh) instead of SiLU
  std::array<BufferRef, 3> in;
  BufferRef out, quantized_in, quantized_out;
  int32_t matrix = -1, gate_matrix = -1, vector = -1;
  float factor = 1.0f, epsilon = 0.0f, cap = 0.0f;

  // Attention.
  uint32_t layer = 0, heads = 0, kv_heads = 0, head_dim = 0, window = 0;
  int32_t rope = -1, q_norm = -1, k_norm = -1;
  BufferRef rope_table;
};

/// Keys and values of one sequence: a block per layer and kind, `layer_bytes` each, keys first.
struct SequenceStateView {
  std::byte* data = nullptr;
  uint64_t layer_bytes = 0;  ///< of keys or of values of one layer
  uint32_t capacity = 0;     ///< positions
};

/// What one run of a program is given.
struct RunArgs {
  std::span<const int32_t> tokens;        ///< one per row
  uint32_t first_position = 0;            ///< of row 0; the rows are consecutive
  std::span<const uint32_t> output_rows;  ///< ascending indices of the rows that want logits
  SequenceStateView state;
  float* logits = nullptr;  ///< [output_rows][vocabulary]
};

}  // namespace ingle::core
