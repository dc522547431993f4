// A graph compiled: a flat list of kernel descriptions whose buffers are all placed in one activation arena. It names
// no device; core/hal/kernel_desc.h says what each description asks of one.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/graph/graph.h"
#include "core/hal/program.h"

namespace ingle::core {

struct PlanOptions {
  uint32_t max_rows = 512;                                  ///< tokens in one run
  uint32_t max_positions = 512;                             ///< tokens of one sequence
  uint32_t activation_group_bytes = kActivationGroupBytes;  ///< what the device's form takes, where that is known
  bool second_terms = true;                                 ///< rows that want logits have activations of two terms
  bool fuse = true;                                         ///< false: one kernel per operation, for tests
  bool share = true;                                        ///< false: each buffer has memory of its own, to compare
  /// Whether products with this matrix take 8-bit activations (else 32-bit floats).
  std::function<bool(const MatrixSource&)> takes_quantized;
  /// Values that can be read after a run (inspector, calibration, training, embeddings): they are computed as values of
  /// their own, whatever fusion would make of them, and nothing overwrites them. Graph::find_value knows them by name.
  std::vector<ValueId> keep;
};

Program compile(const Graph& graph, const PlanOptions& options);

}  // namespace ingle::core
