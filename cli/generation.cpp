// Engine and sampling options from the settings.
#include "cli/generation.h"

#include <algorithm>
#include <chrono>
#include <random>

#include "base/utf8.h"
#include "cli/interrupt.h"
#include "cli/models.h"
#include "cli/progress.h"
#include "cli/system.h"
#include "cli/tuning.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

/// Loading that takes less than this shows no bar.
constexpr auto patience = std::chrono::milliseconds(300);

core::LoraSpec parse_lora(const std::string& text, const Environment& environment) {
  core::LoraSpec spec;
  // A colon may belong to the path: it counts only where a number follows.
  const size_t colon = text.rfind(':');
  const auto scale = colon == std::string::npos ? Result<double>(Error{}) : parse_number(text.substr(colon + 1));
  spec.path = expand_home(scale ? text.substr(0, colon) : text, environment);
  if (scale) spec.scale = static_cast<float>(*scale);
  return spec;
}

uint64_t draw_seed() {
  std::random_device device;
  const uint64_t high = device(), low = device();
  return (high << 32 | low) >> 1;  // 63 bits: the seed is printed and must be readable back as a setting
}

/// One field of SamplingParams and the setting that fills it.
struct FloatField {
  std::string_view setting;
  float core::SamplingParams::* field;
};
struct IntField {
  std::string_view setting;
  int32_t core::SamplingParams::* field;
};

constexpr FloatField float_fields[] = {
    {"temp", &core::SamplingParams::temperature},
    {"top-p", &core::SamplingParams::top_p},
    {"min-p", &core::SamplingParams::min_p},
    {"typical", &core::SamplingParams::typical_p},
    {"xtc-probability", &core::SamplingParams::xtc_probability},
    {"xtc-threshold", &core::SamplingParams::xtc_threshold},
    {"repeat-penalty", &core::SamplingParams::repeat_penalty},
    {"frequency-penalty", &core::SamplingParams::frequency_penalty},
    {"presence-penalty", &core::SamplingParams::presence_penalty},
    {"dry-multiplier", &core::SamplingParams::dry_multiplier},
    {"dry-base", &core::SamplingParams::dry_base},
    {"mirostat-tau", &core::SamplingParams::mirostat_tau},
    {"mirostat-eta", &core::SamplingParams::mirostat_eta},
};
constexpr IntField int_fields[] = {
    {"top-k", &core::SamplingParams::top_k},
    {"repeat-last-n", &core::SamplingParams::penalty_last_n},
    {"dry-allowed-length", &core::SamplingParams::dry_allowed_length},
    {"dry-last-n", &core::SamplingParams::dry_last_n},
    {"mirostat", &core::SamplingParams::mirostat},
};

Status add_logit_bias(core::SamplingParams& params, const Values& values, uint32_t vocabulary_size) {
  for (const std::string& text : values.list("logit-bias")) {
    const size_t split = text.find_first_of("=:");
    const auto id = parse_integer(std::string_view(text).substr(0, split));
    const auto bias = parse_number(std::string_view(text).substr(split + 1));
    if (!id || !bias || *id < 0 || *id >= static_cast<int64_t>(vocabulary_size)) {
      return Error{ErrorCode::invalid_argument, "--logit-bias: '" + text +
                                                    "' names no token of this model; ids are below " +
                                                    std::to_string(vocabulary_size)};
    }
    params.logit_bias.emplace_back(static_cast<int32_t>(*id), static_cast<float>(*bias));
  }
  return {};
}

/// Each breaker alone and after a space, since a tokenizer may spell the two differently.
void add_dry_breakers(core::SamplingParams& params, const Values& values, const core::Tokenizer& tokenizer) {
  std::vector<std::string> breakers = values.list("dry-breaker");
  if (!values.is_set("dry-breaker")) breakers = {"\n", ":", "\"", "*"};
  for (const std::string& text : breakers) {
    if (auto ids = tokenizer.encode(text); !ids.empty()) params.dry_breakers.push_back(std::move(ids));
  }
}

std::string milliseconds(double ms) {
  return ms < 1000 ? show_fixed(ms, 0) + " ms" : show_fixed(ms / 1000, 2) + " s";
}

/// Tokens a second, for `tokens` in `ms`; 0 where nothing was measured.
double rate(size_t tokens, double ms) {
  return ms > 0 ? static_cast<double>(tokens) * 1000 / ms : 0;
}

/// The first token comes out of the prompt's last pass, so decoding took the others.
size_t decoded(const core::GenerateResult& result) {
  return result.tokens.empty() ? 0 : result.tokens.size() - 1;
}

/// The instruction set that --require names; empty: any will do.
std::string required_isa(const Values& values) {
  const std::string device = values.text("require");
  return device == "cpu" ? std::string() : device;
}

}  // namespace

core::EngineOptions engine_options(const Session& session) {
  const Values& values = session.values;
  core::EngineOptions options;
  options.context_length = static_cast<uint32_t>(values.integer("ctx"));
  options.threads = static_cast<uint32_t>(values.integer("threads"));
  const std::string pin = values.text("pin");
  options.pinning = pin == "on" ? core::Pinning::on : pin == "off" ? core::Pinning::off : core::Pinning::automatic;
  options.batch = static_cast<uint32_t>(values.integer("batch"));
  const std::string kv = values.text("kv-cache");
  options.kv_cache = kv == "f16" ? core::KvCache::f16 : kv == "q4_0" ? core::KvCache::q4_0 : core::KvCache::q8_0;
  options.precision = values.text("precision") == "reference" ? core::Precision::reference : core::Precision::normal;
  options.deterministic = values.flag("deterministic");
  options.plan = values.flag("plan");
  options.isa = values.text("isa");
  if (options.isa.empty()) options.isa = required_isa(values);
  options.cache_folder = session.paths.cache;
  options.packed_copy_bytes = values.bytes("packed-cache");
  options.memory_limit_bytes = values.bytes("memory");
  for (const std::string& text : values.list("lora")) options.loras.push_back(parse_lora(text, session.environment));
  return options;
}

void report_loaded(const Session& session, const core::EngineInfo& info) {
  if (!info.template_error.empty())
    session.terminal.notice("ingle: the chat template of this model can't be used: " + info.template_error);
  if (info.streamed_bytes > 0)
    session.terminal.notice(
        "ingle: " + show_bytes(info.streamed_bytes) + " of the model's " + show_bytes(info.weight_bytes) +
        " of weights have no room in memory and are read from disk for each token, which is slow; a "
        "shorter context (--ctx) or a smaller model needs less ('ingle plan' tells)");
}

namespace {

core::EngineOptions completed(const Session& session, core::EngineOptions options) {
  // The engine knows the machine's free memory; what a container may take is known here.
  if (options.memory_limit_bytes == 0) options.memory_limit_bytes = free_memory_bytes();
  use_tuning(session, options);
  return options;
}

}  // namespace

core::EngineOptions engine_options_here(const Session& session) {
  return completed(session, engine_options(session));
}

Status check_requirement(const Session& session) {
  const std::string device = session.values.text("require"), forced = session.values.text("isa");
  if (device.empty() || device == "cpu") return {};
  std::string there, why = "there is no such device";
  bool works = false;
  for (const core::InstructionSet& set : core::instruction_sets(session.paths.cache)) {
    if (set.works) there += ", " + set.name;
    if (set.name != device) continue;
    works = set.works;
    why = "it does not work on this machine" + (set.note.empty() ? "" : " (" + set.note + ")");
  }
  if (!works) return Error{ErrorCode::unsupported, "--require " + device + ": " + why + "; there are: cpu" + there};
  if (!forced.empty() && forced != device)
    return Error{ErrorCode::invalid_argument, "--isa " + forced + " and --require " + device + " exclude each other"};
  return {};
}

Result<LoadedModel> load_model(const Session& session, const std::string& model, const core::EngineOptions& options) {
  LoadedModel loaded;
  INGLE_CHECK(check_requirement(session));
  INGLE_TRY(loaded.installed, ensure_model(session, model));
  ProgressLine line(session.terminal);
  const auto start = std::chrono::steady_clock::now();
  const auto progress = [&](double done) {
    const bool slow = std::chrono::steady_clock::now() - start > patience;
    if (session.terminal.options().progress_bars && slow) line.update("loading " + model, done);
    return !interrupted();
  };
  auto engine = core::Engine::load(loaded.installed.path, completed(session, options), progress);
  if (!engine && engine.error().code == ErrorCode::cancelled) return Error{ErrorCode::cancelled, ""};
  INGLE_TRY(loaded.engine, std::move(engine));
  line.clear();
  report_loaded(session, loaded.engine->info());
  return loaded;
}

Result<LoadedModel> load_generating_model(const Session& session, const std::string& model) {
  const core::EngineOptions options = engine_options(session);
  INGLE_TRY(LoadedModel loaded, load_model(session, model, options));
  const std::string draft = session.values.text("draft");
  if (draft.empty()) return loaded;
  core::EngineOptions of_draft = options;
  of_draft.context_length = loaded.engine->info().context_length;
  of_draft.loras.clear();
  auto loaded_draft = load_model(session, draft, of_draft);
  if (!loaded_draft) return Error{loaded_draft.error().code, "--draft: " + loaded_draft.error().message};
  loaded.draft_engine = std::move(loaded_draft->engine);
  auto made = core::DraftModel::create(*loaded.engine, *loaded.draft_engine);
  if (!made) return Error{made.error().code, "--draft " + draft + ": " + made.error().message};
  loaded.draft = std::move(made).value();
  return loaded;
}

void report_damaged_copy(const Session& session, const core::Engine& engine) {
  const std::string& weights = engine.info().weights;
  if (weights.find("mended") == std::string::npos && weights.find("damaged") == std::string::npos) return;
  session.terminal.notice("ingle: the copy of this model's packed weights in " +
                          (session.paths.cache / "packed").string() +
                          " was damaged; the model's file was used instead, and a new copy replaces it");
}

Result<core::GenerateOptions> generate_options(const Session& session, const LoadedModel& loaded) {
  const Values& values = session.values;
  const core::Engine& engine = *loaded.engine;
  core::GenerateOptions options;
  options.speculation = {values.flag("lookup"), loaded.draft.get()};
  core::SamplingParams& params = options.sampling;
  params = engine.default_sampling();
  for (const FloatField& field : float_fields) {
    if (values.is_set(field.setting)) params.*field.field = static_cast<float>(values.number(field.setting));
  }
  for (const IntField& field : int_fields) {
    if (values.is_set(field.setting)) params.*field.field = static_cast<int32_t>(values.integer(field.setting));
  }
  INGLE_CHECK(add_logit_bias(params, values, engine.info().vocabulary_size));
  if (params.dry_multiplier > 0) add_dry_breakers(params, values, engine.tokenizer());
  params.seed = values.is_set("seed") ? static_cast<uint64_t>(values.integer("seed")) : draw_seed();
  INGLE_CHECK(core::validate(params));
  options.max_tokens = static_cast<uint32_t>(values.integer("max-tokens"));
  for (const std::string& text : values.list("stop")) {
    if (!text.empty()) options.stop_strings.push_back(text);
  }
  return options;
}

std::string_view reason_text(core::StopReason reason) {
  switch (reason) {
    case core::StopReason::stop_token:
      return "the model ended its answer";
    case core::StopReason::stop_string:
      return "a stop text";
    case core::StopReason::length:
      return "the limit of --max-tokens";
    case core::StopReason::context_full:
      return "the context is full";
    case core::StopReason::cancelled:
      return "Ctrl-C";
  }
  return "";
}

std::string_view reason_name(core::StopReason reason) {
  switch (reason) {
    case core::StopReason::stop_token:
      return "stop_token";
    case core::StopReason::stop_string:
      return "stop_string";
    case core::StopReason::length:
      return "length";
    case core::StopReason::context_full:
      return "context_full";
    case core::StopReason::cancelled:
      return "cancelled";
  }
  return "";
}

std::string statistics_text(const core::Engine& engine, const core::GenerateResult& result, uint64_t seed) {
  const core::EngineInfo& info = engine.info();
  std::string out;
  const auto line = [&](std::string_view label, const std::string& value) { out += pad(label, 12) + value + "\n"; };
  line("model", base::escape_controls(info.name) + " (" + info.architecture + ", " + info.quantization + "), " +
                    info.isa + ", " + std::to_string(info.threads) + (info.threads == 1 ? " thread" : " threads") +
                    ", context " + std::to_string(info.context_length));
  line("loaded in", milliseconds(info.load_ms) + ", weights: " + info.weights);
  if (info.streamed_bytes > 0) line("from disk", show_bytes(info.streamed_bytes) + " of weights for each token");
  line("prompt", std::to_string(result.prompt_tokens) + " tokens in " + milliseconds(result.prefill_ms) + " (" +
                     show_fixed(rate(result.prompt_tokens, result.prefill_ms), 1) + " tokens/s)");
  line("first token", "after " + milliseconds(result.first_token_ms));
  line("answer", std::to_string(result.tokens.size()) + " tokens in " + milliseconds(result.decode_ms) + " (" +
                     show_fixed(rate(decoded(result), result.decode_ms), 1) + " tokens/s)");
  if (result.proposed_tokens > 0)
    line("speculation", std::to_string(result.taken_tokens) + " of " + std::to_string(result.proposed_tokens) +
                            " proposed tokens were right");
  line("ended by", std::string(reason_text(result.reason)));
  line("seed", std::to_string(seed));
  line("memory", show_bytes(peak_memory_bytes()) + " at most");
  return out;
}

base::Json statistics_json(const core::Engine& engine, const core::GenerateResult& result, uint64_t seed) {
  return {{"reason", std::string(reason_name(result.reason))},
          {"prompt_tokens", result.prompt_tokens},
          {"generated_tokens", result.tokens.size()},
          {"seed", seed},
          {"proposed_tokens", result.proposed_tokens},
          {"taken_tokens", result.taken_tokens},
          {"timings",
           {{"load_ms", engine.info().load_ms},
            {"prefill_ms", result.prefill_ms},
            {"first_token_ms", result.first_token_ms},
            {"decode_ms", result.decode_ms},
            {"prefill_tps", rate(result.prompt_tokens, result.prefill_ms)},
            {"decode_tps", rate(decoded(result), result.decode_ms)}}},
          {"weights", engine.info().weights},
          {"streamed_bytes", engine.info().streamed_bytes},
          {"peak_rss_bytes", peak_memory_bytes()}};
}

}  // namespace ingle::cli
