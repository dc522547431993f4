// Timings of a device's kernels put together by what they do, over all layers.
#pragma once

#include <string>
#include <vector>

#include "core/backends/cpu/cpu_device.h"
#include "core/engine/engine.h"

namespace ingle::core {

/// By falling time. `graph` is what the device's program was compiled from.
std::vector<OperationProfile> profile_of(const Graph& graph, const CpuDevice& device);

/// "matmul ffn_down Q6_K"
std::string kernel_name(const Graph& graph, const KernelDesc& kernel);

struct KernelCost {
  double weight_bytes = 0;   ///< packed weights read
  double multiply_adds = 0;  ///< of matrix products
};
KernelCost cost_of(const KernelDesc& kernel, const Weights& weights, uint64_t rows);

}  // namespace ingle::core
