// A graph run on the CPU device without the engine around it, for this module's tests.
#pragma once

#include <gtest/gtest.h>

#include <numeric>
#include <span>
#include <vector>

#include "core/backends/cpu/cpu_device.h"
#include "core/graph/program.h"
#include "core/tokenizer/tokenizer.h"

namespace ingle::core {

/// The logits of all tokens in one run, [tokens][vocabulary].
inline std::vector<float> run_graph(const Graph& graph, std::span<const TokenId> tokens, const CpuOptions& options) {
  CpuDevice device(options);
  const auto rows = static_cast<uint32_t>(tokens.size());
  EXPECT_TRUE(device.prepare(graph, compile(graph, cpu_plan_options(rows, options.reference)), {}, {}, {}).ok());
  const auto capacity = static_cast<uint32_t>((rows + kAttentionChunk - 1) / kAttentionChunk * kAttentionChunk);
  const uint64_t layer_bytes = state_layer_bytes(graph, capacity, options.reference);
  std::byte* const state = device.allocate(2 * layer_bytes * graph.layers).value();
  std::vector<uint32_t> output_rows(rows);
  std::iota(output_rows.begin(), output_rows.end(), 0u);
  std::vector<float> logits(size_t{rows} * graph.vocabulary_size);
  device.run({tokens, 0, output_rows, {state, layer_bytes, capacity}, logits.data()});
  device.deallocate(state, 2 * layer_bytes * graph.layers);
  return logits;
}

}  // namespace ingle::core
