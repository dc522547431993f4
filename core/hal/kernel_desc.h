// One step of a compiled program: which kernel, on which planned buffers and weights. Everything that varies from run
// to run (row counts, token ids, positions, sequence state) is in RunArgs. This is all that a device needs to know of a
// program; core/engine/naive_device.h executes it in the plainest way.
//
// A kernel works on R rows: one per token of the run, or one per wanted logit row where its output_rows is set. Row r
// of a buffer is `width` 32-bit floats at offset + 4 * width * r of the arena, but for the two kinds of memory whose
// form is the device's own, since nobody else looks at it:
//   activations   of quantized_in and quantized_out: what products with the matrices read that PlanOptions says take
//                 8-bit activations. Room for kActivationGroupBytes (or what PlanOptions says) per kActivationGroup
//                 columns, and for R rounded up to kActivationRowUnit rows, times the buffer's `terms`. Rows are read
//                 as many at a time as were written.
//   state         keys and values that prepare_attention stores and attention reads, in this run and later ones, in
//                 pages of kPagePositions positions. The layers of a state_group (those that see equally far) share
//                 pages, since they need the same positions. Kernels of one `layer` use the same memory one after the
//                 other, which will do where nothing is kept for a later run
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/hal/best_tokens.h"

namespace ingle::core {

/// In formulas, x[i] is an element of row r of in[0], y of in[1]; W are rows of the matrix, w elements of the vector.
enum class KernelKind : uint8_t {
  embed,       ///< out[i] = W[n][i] * factor, n what embed_by says of the row
  rope_table,  ///< out = cos(a[i]) * f for all i, then sin(a[i]) * f; a[i] = (float)position * frequency[i], f and
               ///< frequencies of the rope's
  rms_norm,    ///< x[i] / sqrt(mean of x^2 + epsilon) * w[i], to out and quantized_out where they are valid
  layer_norm,  ///< (x[i] - m) / sqrt(mean of (x - m)^2 + epsilon) * w[i] + b[i], m the mean of x and b elements of the
               ///< bias, to out and quantized_out where they are valid
  quantize,    ///< quantized_out = x
  matmul,      ///< out[n] = p(W)[n] + w[n] + (accumulate: out[n]), p(W)[n] = factor * (x . W[n]), of in[0] if
               ///< that is valid, else quantized_in; gated: act(x . G[n]) * p(W)[n] with G the gate_matrix; activated:
               ///< act(p(W)[n] + w[n]); then cap * tanh(that / cap) where cap != 0. To quantized_out where that is
               ///< valid; then quantized_in is too, there is no out and no cap
  prepare_attention,  ///< for each head of in[0] (queries) and in[1] (keys): norm with q_norm or k_norm and
                      ///< epsilon where there is one, then rotation where there is a rope; then keys and in[2] (values)
                      ///< into the state at the row's position
  attention,    ///< out (or quantized_out) = softmax-weighted values, per head h with keys of kv head h / (heads /
                ///< kv_heads): score = factor * q.k, then cap * tanh(score / cap) where cap != 0; over the positions up
                ///< to the row's own, of which window != 0 leaves the last `window`; bidirectional: over all up to
                ///< that of the sequence's last row in this run
  add,          ///< out[i] = x[i] + y[i]
  gate,         ///< out[i] = act(x[i]) * y[i]
  activate,     ///< act(x[i]), to out and quantized_out where they are valid
  scale,        ///< out[i] = x[i] * factor, then cap * tanh(that / cap) where cap != 0
  output_rows,  ///< row r of out = row output_rows[r] of in[0]
};

enum class Activation : uint8_t {
  silu,       ///< x / (1 + e^-x)
  gelu,       ///< x times the normal distribution's integral up to x
  gelu_tanh,  ///< its approximation x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
};

/// What numbers the row of a matrix that a row of the run gets: its token, its position, or the token's type.
enum class EmbedBy : uint8_t { token, position, type };

/// Room in buffers of activations (see above): a device's form of 32 columns may take up to 64 bytes, and it may handle
/// rows by 32.
inline constexpr uint32_t kActivationGroup = 32, kActivationGroupBytes = 64, kActivationRowUnit = 32;

/// A planned buffer of rows of `width` elements, at a byte offset of the activation arena; a multiple of 64.
struct BufferRef {
  static constexpr uint64_t kNone = ~uint64_t{0};
  static constexpr uint64_t kLogits = kNone - 1;  ///< RunArgs::logits, outside the arena
  uint64_t offset = kNone;
  uint32_t width = 0;
  uint32_t terms = 1;  ///< activations: 2 where a row of 8 bits is followed by what it has lost, in 8 bits too
  bool valid() const { return offset != kNone; }
};

struct KernelDesc {
  KernelKind kind{};
  bool barrier = true;       ///< the next kernel waits for this one; false: it is independent of this one's whole phase
  bool output_rows = false;  ///< R is the number of wanted logit rows instead of tokens
  bool accumulate = false;   ///< matmul: added to what out holds
  bool gated = false;
  bool activated = false;
  Activation activation = Activation::silu;  ///< act
  EmbedBy embed_by = EmbedBy::token;
  std::array<BufferRef, 3> in;
  BufferRef out, quantized_in, quantized_out;
  int32_t matrix = -1, gate_matrix = -1, vector = -1, bias = -1;  ///< -1: none
  float factor = 1.0f, epsilon = 0.0f, cap = 0.0f;

  // Attention. Heads lie side by side in a row, head_dim elements each.
  uint32_t layer = 0, heads = 0, kv_heads = 0, head_dim = 0, window = 0;
  bool bidirectional = false;
  uint32_t state_group = 0;  ///< index into Program::windows
  int32_t rope = -1, q_norm = -1, k_norm = -1;
  BufferRef rope_table;  ///< as the kernel rope_table left it; rotates the first `width` elements of a head
};

inline constexpr uint32_t kPagePositions = 64;

/// The first position that one sees through a window of that many, itself included; 0: a window that leaves out none.
constexpr uint32_t first_seen(uint32_t window, uint32_t position) {
  return window != 0 && position + 1 > window ? position + 1 - window : 0;
}

/// The last position that one sees, where all see those before `prefix`.
constexpr uint32_t last_seen(uint32_t prefix, uint32_t position) {
  return position + 1 > prefix ? position : prefix - 1;
}

/// The pages of a sequence and state group: positions [i * kPagePositions, …) are in page i. Where a window no longer
/// reaches, there is none.
using PageTable = std::byte* const*;

/// Consecutive rows of a run that belong to one sequence.
struct SequenceRows {
  uint32_t rows = 0;
  uint32_t first_position = 0;       ///< of the first row; the others follow
  std::span<const PageTable> pages;  ///< by state group, for all positions that the rows see or write
};

/// Rows of a buffer of floats, a row per token, as they are when a kernel and its phase have ended: copied out of the
/// middle of a run.
struct Tap {
  uint32_t kernel = 0;  ///< its number in the program
  BufferRef buffer;
};

/// What one run of a program is given.
struct RunArgs {
  std::span<const int32_t> tokens;          ///< one per row, at most Program::max_rows
  std::span<const SequenceRows> sequences;  ///< whose rows these are, in order; each sequence at most once
  std::span<const uint32_t> output_rows;    ///< ascending indices of the rows that want logits
  float* logits = nullptr;                  ///< [output_rows][vocabulary]
  /// [output_rows][best_count]: where Program::logits_once, this may be set instead of logits, for at most
  /// kMostBestRows rows and kMostBest tokens. Each row's best, as BestTokens finds and sorts them; no row has to be in
  /// memory for it.
  TokenLogit* best = nullptr;
  uint32_t best_count = 0;
  std::span<const int32_t> types = {};  ///< of the tokens; empty: all 0
  /// In the order of their kernels. Of each, the rows `tapped_rows` go to `tapped`, [tapped_rows][widths of all taps].
  std::span<const Tap> taps = {};
  std::span<const uint32_t> tapped_rows = {};
  float* tapped = nullptr;
};

}  // namespace ingle::core
