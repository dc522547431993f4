#include "core/forecast/token_work.h"

#include "core/backends/cpu/isa.h"
#include "core/engine/memory_plan.h"

namespace ingle::core {
namespace {

using base::Result;

double products_of(const Graph& graph, int32_t matrix) {
  if (matrix < 0) return 0;
  const MatrixSource& source = graph.matrices[static_cast<size_t>(matrix)];
  return static_cast<double>(source.rows) * source.columns;
}

TokenWork work_of(const Graph& graph, const Program& program, const Kernels& kernels, const EngineOptions& options) {
  TokenWork work;
  work.steps = static_cast<uint32_t>(program.kernels.size());
  work.batch = program.max_rows;
  work.tiles = kernels.matmul_tiles != nullptr && options.precision == Precision::normal && !options.deterministic;
  for (const KernelDesc& kernel : program.kernels) {
    if (kernel.kind != KernelKind::matmul) continue;
    const double products =
        products_of(graph, kernel.matrix) + (kernel.gated ? products_of(graph, kernel.gate_matrix) : 0);
    work.decode_multiply_adds += products;
    if (kernel.output_rows) continue;  // of a prompt, one token wants them
    (kernel.quantized_in.valid() ? work.prompt_multiply_adds : work.prompt_float_multiply_adds) += products;
  }
  return work;
}

Result<ModelNeeds> needs(const PlanInputs& inputs, const EngineOptions& options) {
  ModelNeeds out;
  INGLE_TRY(out.memory, plan_of(inputs, options));
  const BuildOptions build{.context_length = out.memory.context_length, .adapters = inputs.adapters};
  INGLE_TRY(const Graph graph, inputs.architecture.build(inputs.file, inputs.config, build));
  const Program program = compile_for(graph, options, inputs.kernels, out.memory.context_length);
  out.work = work_of(graph, program, inputs.kernels, options);
  out.work.weight_bytes = static_cast<double>(out.memory.weight_bytes);
  out.work.state_bytes_per_token = static_cast<double>(out.memory.state_bytes_per_token);
  return out;
}

}  // namespace

Result<ModelNeeds> needs_of(const ModelFile& file, uint64_t tokenizer_bytes, const EngineOptions& options) {
  INGLE_TRY(const Architecture* architecture, find_architecture(file));
  INGLE_TRY(const ModelConfig config, architecture->configure(file));
  INGLE_TRY(const OpenAdapters loras, open_adapters(options, *architecture));
  INGLE_TRY(const Kernels* kernels, choose_kernels(options.isa, options.cache_folder));
  return needs({file, *architecture, config, loras.adapters, *kernels, tokenizer_bytes}, options);
}

Result<ModelNeeds> needs_of(const ModelFile& file, const EngineOptions& options) {
  INGLE_CHECK(find_architecture(file));  // of a model that is not supported, its tokenizer matters little
  INGLE_TRY(const auto tokenizer, load_tokenizer(file));
  return needs_of(file, tokenizer->memory_bytes(), options);
}

}  // namespace ingle::core
