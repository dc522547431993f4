// ingle plan MODEL: where a model's memory would go, from its description alone: of a file here, or of one that could
// be fetched.
#include <algorithm>
#include <optional>

#include "base/utf8.h"
#include "cli/generation.h"
#include "cli/interrupt.h"
#include "cli/models.h"
#include "cli/system.h"

namespace ingle::cli {
namespace {

using base::ErrorCode;
using base::Json;
using base::Result;
using base::Status;

/// Code, libraries and tables of theirs that this process has not looked at yet and one that computes has.
constexpr uint64_t code_bytes = uint64_t{3} << 20;

/// The description of a model that is not here, read from where `ingle pull` would fetch it.
Result<core::ModelFile> describe_remote(const store::Store& store, const std::string& model) {
  std::optional<Result<std::optional<core::ModelFile>>> described;
  const auto enough = [&](std::span<const std::byte> start) {
    described = core::ModelFile::describe(start, model);
    return !described->ok() || (*described)->has_value();
  };
  INGLE_CHECK(store.read_start(model, enough, interrupted));
  if (!described->ok()) return described->error();
  return std::move(**described).value();
}

Result<core::ModelFile> describe_model(const Session& session, const std::string& model) {
  auto local = local_model(session, model);
  if (local) return core::ModelFile::open(local->path, core::FileContents::description);
  if (local.error().code != ErrorCode::not_found) return local.error();
  INGLE_TRY(const store::Store store, open_store(session));
  if (store.catalogue().find(model) == nullptr && !is_address(model)) return local.error();
  return describe_remote(store, model);
}

Json to_json(const core::MemoryPlan& plan, uint64_t process_bytes) {
  return {{"memory",
           {{"weight_bytes", plan.weight_bytes - plan.streamed_bytes},
            {"ring_bytes", plan.ring_bytes},
            {"state_bytes", plan.state_bytes},
            {"activation_bytes", plan.activation_bytes},
            {"scratch_bytes", plan.scratch_bytes},
            {"logit_bytes", plan.logit_bytes},
            {"tokenizer_bytes", plan.tokenizer_bytes},
            {"table_bytes", plan.table_bytes},
            {"process_bytes", process_bytes},
            {"total_bytes", plan.total_bytes() + process_bytes}}},
          {"embedding_bytes", plan.embedding_bytes},
          {"logit_row_bytes", plan.logit_row_bytes},
          {"streamed_bytes", plan.streamed_bytes},
          {"state_bytes_per_token", plan.state_bytes_per_token},
          {"context_length", plan.context_length},
          {"trained_context_length", plan.trained_context_length},
          {"fitting_context_length", plan.fitting_context_length},
          {"longest_context_length", plan.longest_context_length},
          {"available_bytes", plan.available_bytes},
          {"fits", plan.fits()}};
}

std::string verdict(const core::MemoryPlan& plan) {
  const std::string free = show_bytes(plan.available_bytes);
  if (plan.longest_context_length == 0) return "It does not fit: " + free + " are free. A smaller model would.\n";
  const std::string longest = "up to " + std::to_string(plan.longest_context_length) + " tokens";
  const std::string trained = "the model was trained for " + std::to_string(plan.trained_context_length);
  if (!plan.fits()) return "It does not fit: " + free + " are free. A context of " + longest + " would.\n";
  if (plan.streamed_bytes > 0) {
    const std::string all = plan.fitting_context_length == 0
                                ? "No context of any use would with all weights in memory"
                                : "With all weights in memory, a context of up to " +
                                      std::to_string(plan.fitting_context_length) + " tokens would";
    return "Not all of it fits: " + free + " are free. " + show_bytes(plan.streamed_bytes) +
           " of weights would be read from disk for each token, which is slow.\n" + all + "; with some on disk, " +
           longest + ".\n";
  }
  return "It fits: " + free + " are free. So would a context of " + longest + "; " + trained + ".\n";
}

std::string page_of(const core::MemoryPlan& plan, uint64_t process_bytes) {
  std::string out;
  const auto line = [&](std::string_view label, uint64_t bytes, const std::string& note = {}) {
    out += pad(label, 14) + pad(show_bytes(bytes), 10, true) + (note.empty() ? "" : "  " + note) + "\n";
  };
  line("weights", plan.weight_bytes - plan.streamed_bytes, "packed");
  if (plan.streamed_bytes > 0)
    line("ring", plan.ring_bytes, show_bytes(plan.streamed_bytes) + " of weights pass through it, from disk");
  line("KV cache", plan.state_bytes,
       std::to_string(plan.context_length) + " tokens, " + show_bytes(plan.state_bytes_per_token) + " each");
  line("activations", plan.activation_bytes);
  line("scratch", plan.scratch_bytes);
  line("logits", plan.logit_bytes, show_bytes(plan.logit_row_bytes) + " more where sampling looks at all of them");
  line("tokenizer", plan.tokenizer_bytes);
  line("tables", plan.table_bytes, "norms, biases, the program");
  line("process", process_bytes, "code and libraries");
  line("at most", plan.total_bytes() + process_bytes);
  if (plan.embedding_bytes > 0)
    out +=
        "\nBesides, " + show_bytes(plan.embedding_bytes) + " of embeddings stay in the file; rows are read from it.\n";
  return out + "\n" + verdict(plan);
}

Status run(Session& session) {
  const uint64_t process_bytes = resident_memory_bytes() + code_bytes;
  INGLE_TRY(const std::string name, model_or_default(session));
  INGLE_TRY(const core::ModelFile file, describe_model(session, name));
  core::EngineOptions options = engine_options(session);
  if (options.memory_limit_bytes == 0) options.memory_limit_bytes = free_memory_bytes();
  INGLE_TRY(const core::MemoryPlan plan, core::plan_memory(file, options));
  if (!session.json()) return session.terminal.out(page_of(plan, process_bytes));
  Json out = to_json(plan, process_bytes);
  out["model"] = name;
  return session.out_json(out);
}

constexpr Argument arguments[] = {
    {.name = "MODEL", .help = "a model's name, path or address", .type = ValueType::model}};
constexpr Option options[] = {json_option};
constexpr Example examples[] = {
    {"ingle plan smollm2-135m --ctx 8192", "With a context of 8192 tokens."},
    {"ingle plan hf:bartowski/SmolLM2-360M-Instruct-GGUF/SmolLM2-360M-Instruct-Q4_K_M.gguf",
     "Before anything is fetched: only the file's header is read."},
};

}  // namespace

extern const Command plan_record;
const Command plan_record{
    .name = "plan",
    .summary = "tell where a model's memory would go, and whether it fits",
    .description =
        "Reads the header of the model's file and nothing else, also over the network where the model is not here yet. "
        "The sum is the most that the process takes with a full context and a prompt of a whole batch; it is within "
        "3 % of what 'ingle bench' measures.",
    .arguments = arguments,
    .options = options,
    .groups = group_general | group_engine,
    .examples = examples,
    .order = 23,
    .run = run,
};

}  // namespace ingle::cli
