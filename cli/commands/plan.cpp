// ingle plan MODEL: where a model's memory would go and how fast it would be, from its description alone: of a file
// here, of one that could be fetched or, of a catalogue's model, from its shape.
#include <algorithm>
#include <cmath>
#include <optional>

#include "base/utf8.h"
#include "cli/generation.h"
#include "cli/interrupt.h"
#include "cli/models.h"
#include "cli/system.h"
#include "core/forecast/machine.h"
#include "core/forecast/shape_file.h"
#include "core/forecast/speed.h"

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

struct Description {
  core::ModelFile file;
  std::string_view from = "file";             ///< or "network", "shape"
  std::optional<uint64_t> tokenizer_bytes{};  ///< where the file has no vocabulary
};

/// What the catalogue knows of a model's shape.
Result<Description> describe_by_shape(const store::CatalogueEntry& entry) {
  INGLE_TRY(const auto found, core::shape_of(entry.shape, entry.quantisation));
  INGLE_TRY(core::ModelFile file, core::describe_shape(*found.first, *found.second));
  return Description{std::move(file), "shape", core::usual_tokenizer_bytes(found.first->vocabulary)};
}

Result<Description> describe_model(const Session& session, const std::string& model) {
  auto local = local_model(session, model);
  if (local) {
    INGLE_TRY(core::ModelFile file, core::ModelFile::open(local->path, core::FileContents::description));
    return Description{std::move(file)};
  }
  if (local.error().code != ErrorCode::not_found) return local.error();
  INGLE_TRY(const store::Store store, open_store(session));
  const store::CatalogueEntry* const entry = store.catalogue().find(model);
  if (entry == nullptr && !is_address(model)) return local.error();
  auto remote = describe_remote(store, model);
  if (remote) return Description{std::move(*remote), "network"};
  // Without a network, or where what there is can't be read in part.
  if (entry != nullptr && !entry->shape.empty() && remote.error().code != ErrorCode::cancelled)
    return describe_by_shape(*entry);
  return remote.error();
}

Json to_json(const core::SpeedRange& speed) {
  return {{"expected", speed.expected}, {"least", speed.least}, {"most", speed.most}};
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

/// "41 tokens/s (29 to 57)"
std::string show_speed(const core::SpeedRange& speed) {
  // A prediction is not worth more than two digits.
  const auto digits = [](double value) {
    const double unit = value > 0 ? std::pow(10, std::floor(std::log10(value)) - 1) : 1;
    return show_fixed(std::round(value / unit) * unit, value < 10 ? 1 : 0);
  };
  return digits(speed.expected) + " tokens/s (" + digits(speed.least) + " to " + digits(speed.most) + ")";
}

std::string speed_text(const std::optional<core::SpeedForecast>& speed) {
  if (!speed) return "\nHow fast it would be is not known where weights are read from disk for each token.\n";
  return "\nIt would write about " + show_speed(speed->decode) + " behind " + show_fixed(speed->depth, 0) +
         " tokens, and read a prompt at about " + show_speed(speed->prefill) + ".\n";
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
  INGLE_TRY(const Description model, describe_model(session, name));
  core::EngineOptions options = engine_options(session);
  if (options.memory_limit_bytes == 0) options.memory_limit_bytes = free_memory_bytes();
  INGLE_TRY(const core::ModelNeeds needs, model.tokenizer_bytes
                                              ? core::needs_of(model.file, *model.tokenizer_bytes, options)
                                              : core::needs_of(model.file, options));
  const core::MemoryPlan& plan = needs.memory;
  const auto limits = core::limits_here(options);
  const auto speed = limits ? core::forecast_speed(needs, *limits) : std::nullopt;
  if (!session.json()) return session.terminal.out(page_of(plan, process_bytes) + speed_text(speed));
  Json out = to_json(plan, process_bytes);
  out["model"] = name;
  out["from"] = model.from;
  out["speed"] = nullptr;
  if (speed)
    out["speed"] = {{"decode_tps", to_json(speed->decode)},
                    {"prefill_tps", to_json(speed->prefill)},
                    {"depth", speed->depth},
                    {"prompt", speed->prompt_tokens}};
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
    .summary = "tell a model's memory and speed, and whether it fits",
    .description =
        "Reads the header of the model's file and nothing else, also over the network where the model is not here yet. "
        "The sum is the most that the process takes with a full context and a prompt of a whole batch; it is within "
        "3 % of what 'ingle bench' measures. Of a model of the catalogue that can't be looked at, its published shape "
        "has "
        "to do. Speeds follow from what the machine can read and multiply, which is measured once and kept; the "
        "interval "
        "is where most measurements lay.",
    .arguments = arguments,
    .options = options,
    .groups = group_general | group_engine,
    .examples = examples,
    .order = 23,
    .run = run,
};

}  // namespace ingle::cli
