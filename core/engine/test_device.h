// Graphs run on a device without the engine around it, for this module's tests.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "core/backends/cpu/cpu_device.h"
#include "core/graph/program.h"
#include "core/memory/sequence_state.h"
#include "core/tokenizer/tokenizer.h"

namespace ingle::core {

/// The logits of all tokens, [tokens][vocabulary], in runs of at most `batch` tokens.
inline std::vector<float> run_tokens(Device& device, const Graph& graph, const Program& program,
                                     std::span<const TokenId> tokens, size_t batch) {
  StatePools pools(device, {program.windows, program.max_rows, program.max_positions});
  SequenceState state = SequenceState::create(pools).value();
  std::vector<uint32_t> output_rows(tokens.size());
  std::iota(output_rows.begin(), output_rows.end(), 0u);
  std::vector<float> logits(tokens.size() * graph.vocabulary_size);
  for (size_t done = 0; done < tokens.size(); done += batch) {
    const auto rows = static_cast<uint32_t>(std::min(batch, tokens.size() - done));
    state.extend(rows);
    const SequenceRows sequence{rows, state.length(), state.pages()};
    device.run({tokens.subspan(done, rows),
                {&sequence, 1},
                std::span(output_rows).first(rows),
                logits.data() + done * graph.vocabulary_size});
    state.append(rows);
  }
  return logits;
}

/// The values that the device's program keeps, of a run of that many tokens and wanted rows.
inline std::vector<std::vector<float>> kept_values(const Device& device, const Program& program, size_t tokens,
                                                   size_t wanted) {
  std::vector<std::vector<float>> values;
  for (const KeptValue& kept : program.kept) {
    const size_t size = (kept.output_rows ? wanted : tokens) * kept.buffer.width;
    const float* begin = device.read(kept);
    values.emplace_back(begin, begin + size);
  }
  return values;
}

/// run_tokens() on a CPU device of its own, in one run.
inline std::vector<float> run_graph(const Graph& graph, std::span<const TokenId> tokens, const CpuOptions& options) {
  CpuDevice device(options);
  const auto rows = static_cast<uint32_t>(tokens.size());
  const Program program = compile(graph, cpu_plan_options(rows, rows, options.reference));
  EXPECT_TRUE(device.prepare(graph, program).ok());
  return run_tokens(device, graph, program, tokens, rows);
}

}  // namespace ingle::core
