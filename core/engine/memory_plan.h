// The parts of memory planning that Engine::load and plan_memory() share.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/engine/engine.h"
#include "core/graph/program.h"
#include "core/kernels/kernels.h"
#include "core/models/model.h"

namespace ingle::core {

/// A model's program, as the engine runs it with these kernels.
Program compile_for(const Graph& graph, const EngineOptions& options, const Kernels& kernels, uint32_t context);
/// CpuOptions::rounds_floats of its device.
bool rounds_floats(const Graph& graph);
/// How it keeps keys and values.
KvFormat kv_format(const EngineOptions& options);

/// The adapters that EngineOptions::loras names, open.
struct OpenAdapters {
  std::vector<std::unique_ptr<ModelFile>> files;
  std::vector<Adapter> adapters;  ///< point at `files`
};
/// Errors: as ModelFile::open; unsupported or invalid_argument for what is no adapter of this architecture.
base::Result<OpenAdapters> open_adapters(const EngineOptions& options, const Architecture& architecture);

/// What a plan follows from.
struct PlanInputs {
  const ModelFile& file;
  const Architecture& architecture;
  const ModelConfig& config;
  std::span<const Adapter> adapters;
  const Kernels& kernels;
  uint64_t tokenizer_bytes = 0;
};
/// Errors: as Architecture::build; limit_exceeded where a context's state is beyond what can be addressed.
base::Result<MemoryPlan> plan_of(const PlanInputs& inputs, const EngineOptions& options);

/// Whether the planned context fits. Error: out_of_memory, with what is needed and what there is.
base::Status check_fits(const MemoryPlan& plan, const std::filesystem::path& model);

}  // namespace ingle::core
