#include "core/engine/profile.h"

#include <algorithm>
#include <map>

namespace ingle::core {
namespace {

std::string_view kind_name(KernelKind kind) {
  switch (kind) {
    case KernelKind::embed:
      return "embed";
    case KernelKind::rope_table:
      return "rope table";
    case KernelKind::rms_norm:
    case KernelKind::layer_norm:
      return "norm";
    case KernelKind::quantize:
      return "quantize";
    case KernelKind::matmul:
      return "matmul";
    case KernelKind::prepare_attention:
      return "rope and KV write";
    case KernelKind::attention:
      return "attention";
    case KernelKind::add:
      return "add";
    case KernelKind::gate:
      return "gate";
    case KernelKind::activate:
      return "activate";
    case KernelKind::scale:
      return "scale";
    case KernelKind::output_rows:
      return "output rows";
  }
  return "";
}

// "ffn_down Q6_K" for blk.3.ffn_down.weight, or model.layers.3.mlp.down_proj.weight's "mlp.down_proj F16".
std::string matrix_name(const MatrixSource& matrix) {
  std::string name = matrix.name;
  for (const std::string_view prefix : {"blk.", "model.layers.", "encoder.layer."}) {
    if (!name.starts_with(prefix)) continue;
    const size_t end = name.find('.', prefix.size());
    if (end != std::string::npos) name.erase(0, end + 1);
  }
  if (name.ends_with(".weight")) name.resize(name.size() - 7);
  return name + " " + std::string(matrix.format->name);
}

std::vector<int32_t> matrices_of(const KernelDesc& kernel) {
  if (kernel.kind != KernelKind::matmul) return {};
  if (kernel.gated) return {kernel.gate_matrix, kernel.matrix};
  return {kernel.matrix};
}

OperationProfile::Unit unit_of(const KernelDesc& kernel, const CpuDevice& device, uint64_t rows) {
  if (!kernel.quantized_in.valid()) return OperationProfile::Unit::floats;
  return device.uses_tiles(rows) ? OperationProfile::Unit::tiles : OperationProfile::Unit::bytes;
}

}  // namespace

double share_of_limit(const OperationProfile& operation, const MachineLimits& limits) {
  double products = 0;
  if (operation.unit == OperationProfile::Unit::bytes) products = limits.byte_products;
  if (operation.unit == OperationProfile::Unit::floats) products = limits.float_products;
  if (operation.unit == OperationProfile::Unit::tiles) products = limits.tile_products;
  const double seconds = operation.seconds + operation.waiting_seconds;
  // Either way of reading may be disturbed while it is measured; what one of them reached is possible.
  const double reading = std::max(limits.weight_bytes, limits.large_bytes);
  if (products <= 0 || reading <= 0 || seconds <= 0) return 0;
  return std::max(operation.weight_bytes / reading, operation.multiply_adds / products) / seconds;
}

std::string kernel_name(const Graph& graph, const KernelDesc& kernel) {
  std::string name(kind_name(kernel.kind));
  for (const int32_t id : matrices_of(kernel)) name += " " + matrix_name(graph.matrices[static_cast<size_t>(id)]);
  return name;
}

KernelCost cost_of(const KernelDesc& kernel, const Weights& weights, uint64_t rows) {
  KernelCost cost;
  for (const int32_t id : matrices_of(kernel)) {
    const PackedMatrix& matrix = weights[id];
    if (rows != 0) cost.weight_bytes += static_cast<double>(matrix.panels() * matrix.panel_bytes);
    cost.multiply_adds += static_cast<double>(rows) * matrix.rows * matrix.columns;
  }
  return cost;
}

std::vector<OperationProfile> profile_of(const Graph& graph, const CpuDevice& device) {
  std::map<std::string, OperationProfile> by_name;
  for (const KernelTiming& timing : device.timings()) {
    const KernelDesc& kernel = *timing.kernel;
    const std::string name = kernel_name(graph, kernel);
    OperationProfile& operation = by_name[name];
    operation.name = name;
    operation.calls += timing.runs;
    operation.seconds += timing.busy_seconds;
    operation.waiting_seconds += timing.waiting_seconds;
    const KernelCost cost = cost_of(kernel, device.weights(), timing.rows);
    operation.weight_bytes += cost.weight_bytes * static_cast<double>(timing.runs);
    operation.multiply_adds += cost.multiply_adds;
    if (cost.multiply_adds > 0) operation.unit = unit_of(kernel, device, timing.rows / timing.runs);
  }
  std::vector<OperationProfile> operations;
  for (auto& [name, operation] : by_name) operations.push_back(std::move(operation));
  const auto total = [](const OperationProfile& o) { return o.seconds + o.waiting_seconds; };
  std::sort(operations.begin(), operations.end(),
            [&](const OperationProfile& a, const OperationProfile& b) { return total(a) > total(b); });
  return operations;
}

}  // namespace ingle::core
