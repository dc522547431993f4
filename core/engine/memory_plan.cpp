// Memory, planned: the graph is built and compiled as for running, but nothing is allocated and no weight is read.
#include "core/engine/memory_plan.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>
#include <string_view>

#include "base/checked.h"
#include "core/backends/cpu/cpu_device.h"
#include "core/backends/cpu/isa.h"
#include "core/engine/encoder.h"
#include "core/memory/sequence_state.h"

namespace ingle::core {

using base::Error;
using base::ErrorCode;

namespace {

constexpr uint32_t kMinContext = 128;
constexpr uint32_t kMaxContext = 1u << 30;
/// A context that is worth reading weights from disk for, where none was asked for.
constexpr uint32_t kUsefulContext = 2048;

/// What is left free where weights are read from disk: for page tables, code and the cache of files. What stays would
/// be read again for each token if it had to make room for them.
uint64_t reserve_bytes(uint64_t weight_bytes) {
  return weight_bytes / 32;
}

std::string mebibytes(uint64_t bytes) {
  return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB";
}

// What sequences of a program take.
class States {
 public:
  States(const Program& program, KvFormat format) : options_{program.windows, program.max_rows, program.max_positions} {
    for (uint32_t group = 0; group < program.windows.size(); ++group)
      page_bytes_.push_back(kv_page_bytes(program, group, format));
  }
  uint64_t bytes(uint32_t context) const { return options_.bytes(page_bytes_, context); }
  /// Of a token that all layers see.
  uint64_t bytes_per_token() const {
    return std::accumulate(page_bytes_.begin(), page_bytes_.end(), uint64_t{0}) / kPagePositions;
  }
  /// The longest context that takes at most `room`; 0 where not even the shortest does.
  uint32_t longest_context(uint64_t room, uint32_t most) const {
    uint32_t fits = 0, beyond = most + 1;
    while (fits + 1 < beyond) {
      const uint32_t middle = fits + (beyond - fits) / 2;
      (bytes(middle) <= room ? fits : beyond) = middle;
    }
    return fits < kMinContext ? 0 : fits;
  }

 private:
  const StateOptions options_;
  std::vector<uint64_t> page_bytes_;
};

uint64_t embedding_bytes(const Graph& graph) {
  uint64_t bytes = 0;
  for (const MatrixSource& matrix : graph.matrices)
    if (!matrix.multiplied) bytes += matrix.format->bytes(uint64_t{matrix.rows} * matrix.columns);
  return bytes;
}

uint64_t table_bytes(const Graph& graph, const Program& program) {
  uint64_t bytes = program.kernels.size() * sizeof(KernelDesc);
  for (const std::vector<float>& vector : graph.vectors) bytes += vector.size() * sizeof(float);
  for (const RopeSpec& rope : graph.ropes) bytes += rope.inverse_frequencies.size() * sizeof(float);
  return bytes;
}

// An encoder's context is what it was trained with, or less; its state is that of one run.
base::Result<MemoryPlan> plan_encoder(MemoryPlan plan, const Program& program, const EngineOptions& options) {
  if (options.context_length > plan.trained_context_length)
    return Error{ErrorCode::limit_exceeded,
                 "a context of " + std::to_string(options.context_length) + " tokens is longer than the " +
                     std::to_string(plan.trained_context_length) + " that the encoder has positions for"};
  plan.state_bytes = encoder_state_bytes(program, kv_page_bytes(program, 0, kv_format(options)));
  plan.context_length = options.context_length != 0 ? options.context_length : plan.trained_context_length;
  if (plan.fits()) plan.fitting_context_length = plan.longest_context_length = plan.trained_context_length;
  return plan;
}

}  // namespace

// What a batch computes with should take little next to the weights. Where 512 tokens would take more than 8 MiB, a
// batch has 256, which byte products do not mind (docs/performance.md). A tile unit decodes the weights anew for each.
Program compile_for(const Graph& graph, const EngineOptions& options, const Kernels& kernels, uint32_t context) {
  constexpr uint32_t kManyRows = 512, kFewRows = 256;
  constexpr uint64_t kMostBytes = 8 << 20;
  const bool reference = options.precision == Precision::reference;
  const bool tiles = kernels.matmul_tiles != nullptr && !reference && !options.deterministic;
  PlanOptions plan = cpu_plan_options(options.batch != 0 ? options.batch : kManyRows, context, reference);
  if (rounds_floats(graph) && tiles) plan = cpu_tile_plan_options(plan.max_rows, context);
  if (!tiles) plan.activation_group_bytes = sizeof(ActivationGroup);
  plan.share = options.plan;
  if (graph.embedding >= 0) {  // a text is never cut
    plan.keep = {graph.embedding};
    plan.max_rows = std::max(plan.max_rows, context);
    return compile(graph, plan);
  }
  if (options.batch == 0 && !tiles && compile(graph, plan).arena_bytes > kMostBytes) plan.max_rows = kFewRows;
  return compile(graph, plan);
}

// Embeddings that were made of floats rounded to bf16 are as good as the others (docs/performance.md); logits are not.
bool rounds_floats(const Graph& graph) {
  return graph.embedding >= 0;
}

KvFormat kv_format(const EngineOptions& options) {
  if (options.precision == Precision::reference) return KvFormat::f32;
  switch (options.kv_cache) {
    case KvCache::f16:
      return KvFormat::f16;
    case KvCache::q8_0:
      return KvFormat::q8_0;
    case KvCache::q4_0:
      return KvFormat::q4_0;
  }
  return KvFormat::f16;
}

base::Result<OpenAdapters> open_adapters(const EngineOptions& options, const Architecture& architecture) {
  OpenAdapters open;
  for (const LoraSpec& lora : options.loras) {
    INGLE_TRY(ModelFile adapter, ModelFile::open(lora.path));
    const std::string* type = adapter.metadata.find_string("adapter.type");
    if (type == nullptr || *type != "lora")
      return Error{ErrorCode::unsupported,
                   lora.path.string() + " is not a LoRA adapter in GGUF (adapter.type is not \"lora\")"};
    const std::string* wanted = adapter.metadata.find_string("general.architecture");
    if (wanted == nullptr || *wanted != architecture.name)
      return Error{ErrorCode::invalid_argument, lora.path.string() + " is for \"" + (wanted == nullptr ? "" : *wanted) +
                                                    "\", the model is \"" + std::string(architecture.name) + "\""};
    open.files.push_back(std::make_unique<ModelFile>(std::move(adapter)));
    open.adapters.push_back({open.files.back().get(), lora.scale});
  }
  return open;
}

base::Result<MemoryPlan> plan_of(const PlanInputs& inputs, const EngineOptions& options) {
  const BuildOptions build{.context_length = options.context_length, .adapters = inputs.adapters};
  INGLE_TRY(const Graph graph, inputs.architecture.build(inputs.file, inputs.config, build));
  const bool reference = options.precision == Precision::reference;
  const uint32_t threads = options.threads != 0 ? options.threads : default_threads();
  const CpuOptions cpu{
      threads, &inputs.kernels, reference, options.deterministic, kv_format(options), rounds_floats(graph), {}};
  // A decoder's context is not chosen yet, and makes no difference to what is planned here.
  const uint32_t context = options.context_length != 0 ? options.context_length : inputs.config.trained_context;
  const Program program = compile_for(graph, options, inputs.kernels, context);
  const States states(program, kv_format(options));
  MemoryPlan plan;
  plan.weight_bytes = plan_weight_bytes(graph);
  plan.embedding_bytes = embedding_bytes(graph);
  plan.activation_bytes = program.arena_bytes;
  plan.scratch_bytes = scratch_bytes_per_worker(graph, program, cpu) * threads;
  plan.logit_bytes = BestLogits::kRowBytes * threads;
  if (graph.logits >= 0) plan.logit_row_bytes = uint64_t{graph.vocabulary_size} * sizeof(float);
  plan.tokenizer_bytes = inputs.tokenizer_bytes;
  plan.table_bytes = table_bytes(graph, program);
  plan.state_bytes_per_token = states.bytes_per_token();
  plan.trained_context_length = inputs.config.trained_context;
  plan.available_bytes = options.memory_limit_bytes != 0 ? options.memory_limit_bytes : available_memory();

  if (graph.embedding >= 0) return plan_encoder(plan, program, options);
  const uint64_t fixed = plan.total_bytes();  // the state has none yet
  const uint64_t addressable = (uint64_t{1} << 62) / std::max<uint64_t>(plan.state_bytes_per_token, 1);
  const auto most = static_cast<uint32_t>(std::min<uint64_t>(kMaxContext, addressable));
  const uint64_t room = plan.available_bytes > fixed ? plan.available_bytes - fixed : 0;
  plan.fitting_context_length = states.longest_context(room, most);
  const bool copies = !options.cache_folder.empty() && options.packed_copy_bytes > 0;
  const uint64_t saved = copies ? most_saved(graph, program, inputs.file.mappings) : 0;
  const uint64_t reserve = reserve_bytes(plan.weight_bytes);
  if (saved > reserve)
    plan.longest_context_length = states.longest_context(
        plan.available_bytes + saved > fixed + reserve ? plan.available_bytes + saved - fixed - reserve : 0, most);
  plan.longest_context_length = std::max(plan.longest_context_length, plan.fitting_context_length);
  plan.context_length = options.context_length;
  if (plan.context_length == 0) {
    const uint32_t useful = std::min(kUsefulContext, plan.longest_context_length);
    plan.context_length =
        std::min(plan.trained_context_length, std::max({plan.fitting_context_length, useful, kMinContext}));
    if (options.most_context_length != 0)
      plan.context_length = std::min(plan.context_length, options.most_context_length);
  }
  if (plan.context_length > most)
    return Error{ErrorCode::limit_exceeded, "the state of a context of " + std::to_string(plan.context_length) +
                                                " tokens is larger than any memory"};
  plan.state_bytes = states.bytes(plan.context_length);
  const uint64_t needed = plan.total_bytes() + reserve;
  if (copies && needed > plan.available_bytes) {
    const StreamPlan stream = plan_stream(graph, program, inputs.file.mappings, needed - plan.available_bytes);
    plan.streamed_bytes = stream.bytes;
    plan.ring_bytes = stream.ring_bytes;
    plan.excess_bytes = stream.bytes > 0 ? needed - plan.available_bytes : 0;
  }
  return plan;
}

base::Status check_fits(const MemoryPlan& plan, const std::filesystem::path& model) {
  if (plan.fits()) return {};
  const std::string needed = mebibytes(plan.total_bytes()), free = mebibytes(plan.available_bytes);
  if (plan.longest_context_length == 0)
    return Error{ErrorCode::out_of_memory,
                 model.string() + " needs " + needed + " and " + free + " are free; use a smaller model"};
  return Error{ErrorCode::out_of_memory, "a context of " + std::to_string(plan.context_length) + " tokens needs " +
                                             needed + " and " + free + " are free; up to " +
                                             std::to_string(plan.longest_context_length) + " tokens fit"};
}

uint64_t available_memory() {
  uint64_t kilobytes = 0;
  if (FILE* file = std::fopen("/proc/meminfo", "re")) {
    constexpr std::string_view kName = "MemAvailable:";
    char line[128];
    while (kilobytes == 0 && std::fgets(line, sizeof line, file) != nullptr)
      if (std::string_view(line).starts_with(kName)) kilobytes = std::strtoull(line + kName.size(), nullptr, 10);
    std::fclose(file);
  }
  return kilobytes != 0 ? kilobytes << 10 : uint64_t{4} << 30;
}

base::Result<MemoryPlan> plan_memory(const ModelFile& file, const EngineOptions& options) {
  INGLE_TRY(const Architecture* architecture, find_architecture(file));
  INGLE_TRY(const auto tokenizer, load_tokenizer(file));
  INGLE_TRY(const ModelConfig config, architecture->configure(file));
  INGLE_TRY(const OpenAdapters loras, open_adapters(options, *architecture));
  INGLE_TRY(const Kernels* kernels, choose_kernels(options.isa, options.cache_folder));
  return plan_of({file, *architecture, config, loras.adapters, *kernels, tokenizer->memory_bytes()}, options);
}

}  // namespace ingle::core
