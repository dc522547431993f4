// A graph compiled: a flat list of kernel descriptions whose buffers are all placed in one activation arena.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/graph/graph.h"
#include "core/hal/kernel_desc.h"

namespace ingle::core {

struct PlanOptions {
  uint32_t max_rows = 512;  ///< tokens in one run
  bool fuse = true;         ///< false: one kernel per operation, for tests
  /// Whether products with this matrix take 8-bit activations (else 32-bit floats).
  std::function<bool(const MatrixSource&)> takes_quantized;
};

struct Program {
  std::vector<KernelDesc> kernels;
  uint64_t arena_bytes = 0;
  uint32_t max_rows = 0;
};

Program compile(const Graph& graph, const PlanOptions& options);

}  // namespace ingle::core
