#include "core/graph/graph.h"

#include <cassert>
#include <utility>

namespace ingle::core {

ValueId Graph::emit(Op op, uint32_t width, bool output) {
  op.output = static_cast<ValueId>(widths.size());
  widths.push_back(width);
  output_rows.push_back(output);
  ops.push_back(std::move(op));
  return ops.back().output;
}

ValueId Graph::embed(MatrixId matrix, float factor, EmbedBy by) {
  Op op{.kind = OpKind::embed, .matrix = matrix, .embed_by = by, .factor = factor};
  return emit(std::move(op), matrices[matrix].columns, false);
}

ValueId Graph::rms_norm(ValueId x, VectorId weight, float epsilon) {
  Op op{.kind = OpKind::rms_norm, .inputs = {x}, .vector = weight, .epsilon = epsilon};
  return emit(std::move(op), widths[x], output_rows[x]);
}

ValueId Graph::layer_norm(ValueId x, VectorId weight, VectorId bias, float epsilon) {
  Op op{.kind = OpKind::layer_norm, .inputs = {x}, .vector = weight, .bias = bias, .epsilon = epsilon};
  return emit(std::move(op), widths[x], output_rows[x]);
}

ValueId Graph::matmul(ValueId x, MatrixId matrix, VectorId bias, float factor) {
  matrices[matrix].multiplied = true;
  Op op{.kind = OpKind::matmul, .inputs = {x}, .matrix = matrix, .vector = bias, .factor = factor};
  return emit(std::move(op), matrices[matrix].rows, output_rows[x]);
}

ValueId Graph::attention(ValueId q, ValueId k, ValueId v, const AttentionSpec& spec) {
  Op op{.kind = OpKind::attention, .inputs = {q, k, v}, .attention = spec};
  return emit(std::move(op), spec.heads * spec.head_dim, output_rows[q]);
}

ValueId Graph::add(ValueId x, ValueId y) {
  Op op{.kind = OpKind::add, .inputs = {x, y}};
  return emit(std::move(op), widths[x], output_rows[x]);
}

ValueId Graph::gate(ValueId gate, ValueId up, Activation activation) {
  Op op{.kind = OpKind::gate, .inputs = {gate, up}, .activation = activation};
  return emit(std::move(op), widths[up], output_rows[up]);
}

ValueId Graph::activate(ValueId x, Activation activation) {
  Op op{.kind = OpKind::activate, .inputs = {x}, .activation = activation};
  return emit(std::move(op), widths[x], output_rows[x]);
}

ValueId Graph::scale(ValueId x, float factor, float cap) {
  Op op{.kind = OpKind::scale, .inputs = {x}, .factor = factor, .cap = cap};
  return emit(std::move(op), widths[x], output_rows[x]);
}

ValueId Graph::output_row(ValueId x) {
  Op op{.kind = OpKind::output_rows, .inputs = {x}};
  return emit(std::move(op), widths[x], true);
}

ValueId Graph::name(ValueId value, std::string name) {
  [[maybe_unused]] const bool is_new = names.emplace(std::move(name), value).second;
  assert(is_new);
  return value;
}

ValueId Graph::find_value(std::string_view name) const {
  const auto found = names.find(name);
  return found == names.end() ? -1 : found->second;
}

MatrixId Graph::add_matrix(MatrixSource source) {
  matrices.push_back(std::move(source));
  return static_cast<MatrixId>(matrices.size() - 1);
}

VectorId Graph::add_vector(std::vector<float> values, std::string tensor) {
  vectors.push_back(std::move(values));
  vector_names.push_back(std::move(tensor));
  return static_cast<VectorId>(vectors.size() - 1);
}

int32_t Graph::add_rope(RopeSpec spec) {
  ropes.push_back(std::move(spec));
  return static_cast<int32_t>(ropes.size() - 1);
}

}  // namespace ingle::core
