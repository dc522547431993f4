// What a model computes, as a list of plain operations in order (single assignment). No buffers, no devices, no fusion:
// those are the planner's (program.h).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/hal/program.h"

namespace ingle::core {

using MatrixId = int32_t;
using VectorId = int32_t;  ///< -1: none
using ValueId = int32_t;   ///< a [rows, width] matrix of floats; rows are tokens, or the rows that want logits

enum class OpKind : uint8_t {
  embed,        ///< rows of a matrix by token id, position or type, times factor
  rms_norm,     ///< x / rms(x) * vector
  layer_norm,   ///< (x - mean(x)) / deviation(x) * vector + bias
  matmul,       ///< x * matrix^T * factor (+ vector)
  attention,    ///< q, k, v -> heads' outputs; appends k, v to the state
  add,          ///< x + y
  gate,         ///< act(x) * y
  activate,     ///< act(x)
  scale,        ///< x * factor, or cap * tanh(x / cap)
  output_rows,  ///< the rows of x that want logits
};

struct AttentionSpec {
  uint32_t layer = 0;  ///< index of its state; those that keep nothing for a later run may share one
  uint32_t heads = 0, kv_heads = 0, head_dim = 0;
  int32_t rope = -1;  ///< index into Constants::ropes; -1: none
  VectorId q_norm = -1, k_norm = -1;
  float norm_epsilon = 0.0f;
  float scale = 1.0f;
  uint32_t window = 0;  ///< 0: all positions
  float softcap = 0.0f;
  bool bidirectional = false;  ///< sees the later positions of the run, too
};

struct Op {
  OpKind kind{};
  std::vector<ValueId> inputs;
  ValueId output = -1;
  MatrixId matrix = -1;
  VectorId vector = -1, bias = -1;
  EmbedBy embed_by = EmbedBy::token;
  float factor = 1.0f, epsilon = 0.0f, cap = 0.0f;
  Activation activation = Activation::silu;
  AttentionSpec attention;
};

struct Graph : Constants {
  std::vector<Op> ops;
  std::vector<uint32_t> widths;   ///< by ValueId
  std::vector<bool> output_rows;  ///< by ValueId: has a row per wanted logit row instead of per token
  ValueId logits = -1;
  /// Of an encoder instead of logits: rows whose mean stands for a text or, where output_rows is set, the one of its
  /// first token.
  ValueId embedding = -1;
  std::map<std::string, ValueId, std::less<>> names;  ///< of values that somebody may want to see
  std::vector<std::string> vector_names;              ///< by VectorId: the tensor that it comes from

  uint32_t layers = 0;  ///< states
  uint32_t vocabulary_size = 0;

  ValueId embed(MatrixId matrix, float factor, EmbedBy by = EmbedBy::token);
  ValueId rms_norm(ValueId x, VectorId weight, float epsilon);
  ValueId layer_norm(ValueId x, VectorId weight, VectorId bias, float epsilon);
  ValueId matmul(ValueId x, MatrixId matrix, VectorId bias = -1, float factor = 1.0f);
  ValueId attention(ValueId q, ValueId k, ValueId v, const AttentionSpec& spec);
  ValueId add(ValueId x, ValueId y);
  ValueId gate(ValueId gate, ValueId up, Activation activation);
  ValueId activate(ValueId x, Activation activation);
  ValueId scale(ValueId x, float factor, float cap = 0.0f);
  ValueId output_row(ValueId x);

  /// Names a value, and returns it. A name belongs to one value.
  ValueId name(ValueId value, std::string name);
  /// -1: none has that name.
  ValueId find_value(std::string_view name) const;

  MatrixId add_matrix(MatrixSource source);
  VectorId add_vector(std::vector<float> values, std::string tensor = {});
  int32_t add_rope(RopeSpec spec);

 private:
  ValueId emit(Op op, uint32_t width, bool output);
};

}  // namespace ingle::core
