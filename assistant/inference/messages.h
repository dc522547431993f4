// What a server and the process that runs a model say to each other (engine_process.h, engine_host.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "assistant/inference/model_service.h"
#include "assistant/inference/wire.h"

namespace ingle::assistant::messages {

// To the model's process.

/// The first message: what to run, and what of it was handed in.
struct Load {
  std::string name;
  std::filesystem::path model;
  core::MachineFacts machine;
  core::EngineOptions engine;
  core::SchedulerOptions scheduling;
  struct File {
    std::filesystem::path path;
    int32_t fd = -1;
    bool direct = false;
  };
  std::vector<File> files;
  int32_t new_file = -1;  ///< for a packed copy of the weights; below 0: none is to be made
  bool sanitizers = false;
};

struct ChatPrompt {
  core::ChatRequest request;
};
struct GapPrompt {
  std::string before, after;
};
struct Tokenize {
  std::string text;
  bool add_special = false, parse_special = false;
};
struct Detokenize {
  std::vector<core::TokenId> tokens;
  bool show_special = false;
};
/// Each token for itself.
struct SpellTokens {
  std::vector<core::TokenId> tokens;
};
struct CheckGrammar {
  std::string gbnf;
};
struct Generate {
  uint64_t request = 0;  ///< its number, chosen by who asks
  GenerationRequest generation;
};
struct PairTexts {
  std::string first, second;
};
struct Embed {
  uint64_t request = 0;  ///< as Generate's
  core::EmbeddingRequest embedding;
};
struct GetStats {};
struct GetLens {
  uint64_t key = 0;  ///< as core::ObservationOptions
  uint32_t token = 0, count = 0;
};
struct GetAttention {
  uint64_t key = 0;
  uint32_t token = 0, layer = 0;
};
struct GetTimeline {
  uint64_t key = 0;
};
struct GetMemoryMap {};
/// Each is answered by one Reply.
struct Ask {
  uint64_t number = 0;
  std::variant<ChatPrompt, GapPrompt, Tokenize, Detokenize, CheckGrammar, Generate, GetStats, PairTexts, Embed, GetLens,
               GetAttention, GetTimeline, GetMemoryMap, SpellTokens>
      what;
};

struct Cancel {
  uint64_t request = 0;
};
struct Forget {
  std::string principal;
};
struct Close {};
struct SetPace {
  core::Pace pace;
};

using ToEngine = std::variant<Load, Ask, Cancel, Forget, Close, SetPace>;

// From the model's process.

struct Progress {
  double done = 0;
};
/// The model can be asked.
struct Loaded {
  ModelFacts facts;
};
/// The process ends with it.
struct NotLoaded {
  base::Error error;
};
struct Nothing {};
struct Reply {
  uint64_t number = 0;
  std::variant<base::Error, Nothing, std::vector<core::TokenId>, std::string, core::SchedulerStats, core::EmbeddingText,
               std::vector<core::LensLayer>, core::AttentionWeights, core::MemoryMap, std::vector<SpelledToken>>
      what;
};
struct Event {
  uint64_t request = 0;
  core::GenerationEvent event;
};
struct Embedded {
  uint64_t request = 0;
  core::EmbeddingResult result;
};
/// The handed in new file is complete and is to have this name.
struct Completed {
  std::filesystem::path path;
};
/// A handed in file is damaged.
struct Removed {
  std::filesystem::path path;
};

using FromEngine = std::variant<Progress, Loaded, NotLoaded, Reply, Event, Completed, Removed, Embedded>;

}  // namespace ingle::assistant::messages

namespace ingle::assistant {

// The members of each. A structured binding names all, so that a new member does not compile until it is listed.

template <>
inline constexpr auto kLast<base::ErrorCode> = base::ErrorCode::internal;
template <>
inline constexpr auto kLast<core::Pinning> = core::Pinning::off;
template <>
inline constexpr auto kLast<core::Precision> = core::Precision::reference;
template <>
inline constexpr auto kLast<core::KvCache> = core::KvCache::q4_0;
template <>
inline constexpr auto kLast<core::Priority> = core::Priority::background;
template <>
inline constexpr auto kLast<core::StopReason> = core::StopReason::cancelled;

#define INGLE_WIRE(Type, ...)             \
  template <typename Wire>                \
  void members(Wire& wire, Type& value) { \
    auto& [__VA_ARGS__] = value;          \
    wire(__VA_ARGS__);                    \
  }
#define INGLE_WIRE_EMPTY(Type) \
  template <typename Wire>     \
  void members(Wire&, Type&) {}

}  // namespace ingle::assistant

namespace ingle::base {
INGLE_WIRE(Error, code, message)
}  // namespace ingle::base

namespace ingle::core {
INGLE_WIRE(MachineFacts, isa, core_cpus, core_speeds, cpu_time)
INGLE_WIRE(LoraSpec, path, scale)
INGLE_WIRE(ShapeTuning, shape, threads, batch)
INGLE_WIRE(EngineOptions, context_length, threads, pinning, batch, precision, kv_cache, deterministic, plan, isa, loras,
           memory_limit_bytes, cache_folder, packed_copy_bytes, tuned, most_context_length)
INGLE_WIRE(SchedulerOptions, max_running, max_waiting, kept_prefixes, prefix_files, prefix_file_bytes, state_bytes,
           preload, lookup, always_look_up, pass_ms, lone_pass_ms)
INGLE_WIRE(Pace, threads, max_running, pass_ms, rest, reasons)
INGLE_WIRE(EngineInfo, architecture, name, isa, quantization, vocabulary_size, layers, width, heads, kv_heads, head_dim,
           context_length, trained_context_length, threads, held_threads, batch, parameters, weight_bytes, state_bytes,
           activation_bytes, streamed_bytes, windowed, load_ms, weights, template_error, pooling, embedding_width)
INGLE_WIRE(SamplingParams, temperature, top_k, top_p, min_p, typical_p, xtc_probability, xtc_threshold, repeat_penalty,
           frequency_penalty, presence_penalty, penalty_last_n, dry_multiplier, dry_base, dry_allowed_length,
           dry_last_n, dry_breakers, mirostat, mirostat_tau, mirostat_eta, logit_bias, seed)
INGLE_WIRE(ReplyOptions, max_tokens, stop_strings, ignore_stop_tokens, show_special, shown)
INGLE_WIRE(ChatRequest, messages, tools, add_generation_prompt, enable_thinking, variables, now)
INGLE_WIRE(TokenLogprob, token, bytes, logprob)
INGLE_WIRE(ObservationOptions, key, alternatives, layer_bytes, timeline_bytes)
INGLE_WIRE(SamplingStep, name, left, probability)
INGLE_WIRE(TokenProbability, token, probability)
INGLE_WIRE(LensLayer, name, entropy, probability, rank, likeliest)
INGLE_WIRE(AttentionWeights, heads, first, position, weights)
INGLE_WIRE(MemoryMap::Buffer, name, offset, bytes, first_phase, last_phase)
INGLE_WIRE(MemoryMap::Pages, window, page_bytes, page_positions, users)
INGLE_WIRE(MemoryMap, weight_bytes, streamed_bytes, arena_bytes, phases, buffers, states)
INGLE_WIRE(GenerationStats, prompt_tokens, cached_tokens, generated_tokens, proposed_tokens, taken_tokens, preemptions,
           queue_ms, prefill_ms, decode_ms, observing_ms, state_bytes)
INGLE_WIRE(GenerationEvent, text, tokens, observed, token_count, started, finished, stopped_by, error, stats)
INGLE_WIRE(EmbeddingText, tokens, second)
INGLE_WIRE(EmbeddingRequest, texts, client, priority)
INGLE_WIRE(EmbeddingStats, tokens, queue_ms, compute_ms)
INGLE_WIRE(EmbeddingResult, embeddings, error, stats)
INGLE_WIRE(SchedulerStats, running, waiting, kept_prefixes, state_bytes, state_limit_bytes, submitted, finished, failed,
           cancelled, refused, preempted, prompt_tokens, cached_tokens, generated_tokens, passes, proposed_tokens,
           taken_tokens, retry_after_s)

template <typename Wire>
void members(Wire& wire, GeneratedToken& token) {
  members(wire, static_cast<TokenLogprob&>(token));
  wire(token.likeliest);
}
template <typename Wire>
void members(Wire& wire, ObservedToken& token) {
  members(wire, static_cast<GeneratedToken&>(token));
  wire(token.rank, token.entropy, token.allowed, token.steps, token.pass_ms, token.pass_rows, token.pass_sequences,
       token.guessed);
}
template <typename Wire>
void members(Wire& wire, GenerationRequest& request) {
  auto& [prompt, sampling, reply, constraint, logprobs, observation, priority, principal, client, keep_prefix] =
      request;
  static_cast<void>(constraint);  // compiled where the model is
  wire(prompt, sampling, reply, logprobs, observation, priority, principal, client, keep_prefix);
}
}  // namespace ingle::core

namespace ingle::assistant {

INGLE_WIRE(SpelledToken, bytes, special)

template <typename Wire>
void members(Wire& wire, GenerationRequest& request) {
  members(wire, static_cast<core::GenerationRequest&>(request));
  wire(request.grammar);
}
template <typename Wire>
void members(Wire& wire, ModelFacts& facts) {
  auto& [name, loaded_at, info, sampling, chat_template, thinks, dialect, marks] = facts;
  std::string dialect_name(dialect == nullptr ? std::string_view() : dialect->name);
  wire(name, loaded_at, info, sampling, chat_template, thinks, dialect_name, marks);
  // One that this program does not have: the generic one reads it as well as it can.
  if constexpr (!Wire::writes)
    if (dialect = find_dialect(dialect_name); dialect == nullptr) dialect = &choose_dialect({});
}
}  // namespace ingle::assistant

namespace ingle::assistant::messages {
INGLE_WIRE(Load::File, path, fd, direct)
INGLE_WIRE(Load, name, model, machine, engine, scheduling, files, new_file, sanitizers)
INGLE_WIRE(ChatPrompt, request)
INGLE_WIRE(GapPrompt, before, after)
INGLE_WIRE(Tokenize, text, add_special, parse_special)
INGLE_WIRE(Detokenize, tokens, show_special)
INGLE_WIRE(SpellTokens, tokens)
INGLE_WIRE(CheckGrammar, gbnf)
INGLE_WIRE(Generate, request, generation)
INGLE_WIRE_EMPTY(GetStats)
INGLE_WIRE(GetLens, key, token, count)
INGLE_WIRE(GetAttention, key, token, layer)
INGLE_WIRE(GetTimeline, key)
INGLE_WIRE_EMPTY(GetMemoryMap)
INGLE_WIRE(PairTexts, first, second)
INGLE_WIRE(Embed, request, embedding)
INGLE_WIRE(Ask, number, what)
INGLE_WIRE(Cancel, request)
INGLE_WIRE(Forget, principal)
INGLE_WIRE_EMPTY(Close)
INGLE_WIRE(SetPace, pace)
INGLE_WIRE(Progress, done)
INGLE_WIRE(Loaded, facts)
INGLE_WIRE(NotLoaded, error)
INGLE_WIRE_EMPTY(Nothing)
INGLE_WIRE(Reply, number, what)
INGLE_WIRE(Event, request, event)
INGLE_WIRE(Completed, path)
INGLE_WIRE(Removed, path)
INGLE_WIRE(Embedded, request, result)

}  // namespace ingle::assistant::messages

#undef INGLE_WIRE
#undef INGLE_WIRE_EMPTY
