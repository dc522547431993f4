// A loaded model that serves many, wherever it runs: here (LocalModel) or in a process of its own (EngineProcess). What
// goes in and comes out is plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assistant/dialects/dialect.h"
#include "base/result.h"
#include "core/engine/engine.h"
#include "core/engine/prompt.h"
#include "core/scheduler/embedding_queue.h"
#include "core/scheduler/scheduler.h"

namespace ingle::assistant {

/// What is known of a model from its loading to its end.
struct ModelFacts {
  std::string name;       ///< what clients call it
  int64_t loaded_at = 0;  ///< seconds since the epoch
  core::EngineInfo info;
  core::SamplingParams default_sampling;
  std::string chat_template;     ///< its source; empty: it has none
  bool template_thinks = false;  ///< the template reads whether the model is to think
  const Dialect* dialect = nullptr;
  /// Special tokens that mark reasoning and tool calls, sorted: answers have to show them.
  std::vector<core::TokenId> marks;
};

/// As clients make it: the form of the answer is a grammar in GBNF, which is compiled where the model is.
struct GenerationRequest : core::GenerationRequest {
  std::string grammar;  ///< empty: any text
};

/// A token by itself.
struct SpelledToken {
  std::string bytes;  ///< may be part of a code point
  bool special = false;
};

/// For any thread. Every call that asks the model something may also fail with unavailable: its process has ended, and
/// is being started again.
class ModelService {
 public:
  virtual ~ModelService() = default;

  virtual const ModelFacts& facts() const = 0;
  const std::string& name() const { return facts().name; }
  const core::EngineInfo& info() const { return facts().info; }
  /// How the model writes reasoning and tool calls.
  const Dialect& dialect() const { return *facts().dialect; }

  /// What the template would leave out of tools, calls and results stands in the messages as text
  /// (messages_with_tools). Errors: as core::build_chat_prompt; unsupported where the model has no chat template.
  virtual base::Result<std::vector<core::TokenId>> chat_prompt(const core::ChatRequest& request) = 0;
  /// As core::build_fim_prompt.
  virtual base::Result<std::vector<core::TokenId>> gap_prompt(std::string_view before, std::string_view after) = 0;
  virtual base::Result<std::vector<core::TokenId>> tokenize(std::string_view text, bool add_special,
                                                            bool parse_special) = 0;
  /// What is not UTF-8 in it becomes U+FFFD.
  virtual base::Result<std::string> detokenize(const std::vector<core::TokenId>& tokens, bool show_special) = 0;
  virtual base::Result<std::vector<SpelledToken>> spell(const std::vector<core::TokenId>& tokens) = 0;
  /// Whether an answer can be held to this grammar in GBNF. It is compiled, and the latest ones are kept.
  /// Errors: as core::Grammar::compile_gbnf.
  virtual base::Status check_grammar(const std::string& gbnf) = 0;

  /// As core::Scheduler::submit and check_grammar.
  virtual base::Result<core::RequestId> generate(GenerationRequest request, core::EventSink sink) = 0;
  /// Of what was generated with core::ObservationOptions, as core::Scheduler's functions of these names.
  virtual base::Result<std::vector<core::LensLayer>> lens(uint64_t key, uint32_t token, uint32_t count) = 0;
  virtual base::Result<core::AttentionWeights> attention(uint64_t key, uint32_t token, uint32_t layer) = 0;
  virtual base::Result<std::string> timeline(uint64_t key) = 0;
  virtual base::Result<core::MemoryMap> memory_map() = 0;
  /// Of an encoder, as core::EmbeddingQueue::submit.
  virtual base::Result<core::RequestId> embed(core::EmbeddingRequest request, core::EmbeddingSink sink) = 0;
  /// Two texts as a reranker takes them. Error: unsupported (the tokenizer ends no text).
  virtual base::Result<core::EmbeddingText> pair(std::string_view first, std::string_view second) = 0;
  virtual void cancel(core::RequestId id) = 0;
  /// Drops what was kept for a principal.
  virtual void forget(const std::string& principal) = 0;
  virtual base::Result<core::SchedulerStats> stats() = 0;
  /// Whether anything is generated or waits for it.
  virtual bool busy() const = 0;
  /// The process that it runs in, where that is not this one.
  virtual std::optional<int> process() const { return std::nullopt; }
  /// How much of the machine it may take from now on.
  virtual void set_pace(const core::Pace& pace) = 0;
  virtual core::Pace pace() const = 0;
  /// Takes no more requests; those that run go on.
  virtual void close() = 0;
  /// Ends what runs, too. What is asked later fails.
  virtual void end() = 0;
};

}  // namespace ingle::assistant
