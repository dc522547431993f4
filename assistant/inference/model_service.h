// A loaded model that serves many: the engine, its scheduler, and the thread that runs both. What goes in and comes out
// is plain data, so that the model may as well run in a process of its own.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "assistant/dialects/dialect.h"
#include "base/result.h"
#include "core/engine/engine.h"
#include "core/engine/prompt.h"
#include "core/grammar/matcher.h"
#include "core/scheduler/embedding_queue.h"
#include "core/scheduler/scheduler.h"

namespace ingle::assistant {

class ModelService {
 public:
  /// `name`: what clients call the model.
  static std::unique_ptr<ModelService> start(std::string name, std::unique_ptr<core::Engine> engine,
                                             const core::SchedulerOptions& options);
  /// Ends what runs.
  ~ModelService();
  ModelService(const ModelService&) = delete;
  ModelService& operator=(const ModelService&) = delete;

  const std::string& name() const { return name_; }
  int64_t loaded_at() const { return loaded_at_; }  ///< seconds since the epoch
  const core::EngineInfo& info() const { return engine_->info(); }
  const core::SamplingParams& default_sampling() const { return engine_->default_sampling(); }
  /// nullptr: it has none.
  const core::ChatTemplate* chat_template() const { return engine_->chat_template(); }
  /// How the model writes reasoning and tool calls.
  const Dialect& dialect() const { return *dialect_; }
  /// Special tokens that mark these, sorted: answers have to show them.
  const std::vector<core::TokenId>& marks() const { return marks_; }

  /// Errors: as core::build_chat_prompt; unsupported where the model has no chat template.
  base::Result<std::vector<core::TokenId>> chat_prompt(const core::ChatRequest& request) const;
  /// The text with BOS where the model's metadata says so. Special tokens in it are plain text unless `special`.
  std::vector<core::TokenId> text_prompt(std::string_view text, bool special) const;
  /// As core::build_fim_prompt.
  base::Result<std::vector<core::TokenId>> gap_prompt(std::string_view before, std::string_view after) const;
  std::vector<core::TokenId> tokenize(std::string_view text, bool add_special, bool parse_special) const;
  std::string detokenize(const std::vector<core::TokenId>& tokens, bool show_special) const;
  /// The bytes that a token adds to a text; may be part of a code point.
  std::string token_bytes(core::TokenId token) const { return engine_->tokenizer().token_bytes(token, true); }

  /// What an answer must look like, by a grammar in GBNF (core::Grammar). From any thread; the latest ones are kept.
  /// Errors: as core::Grammar::compile_gbnf.
  base::Result<std::shared_ptr<const core::Constraint>> constraint(const std::string& gbnf);

  /// As core::Scheduler.
  base::Result<core::RequestId> generate(core::GenerationRequest request, core::EventSink sink);
  /// Of an encoder, as core::EmbeddingQueue.
  base::Result<core::RequestId> embed(core::EmbeddingRequest request, core::EmbeddingSink sink);
  /// Two texts as a reranker takes them. Error: unsupported (the tokenizer ends no text).
  base::Result<core::EmbeddingText> pair(std::string_view first, std::string_view second) const;
  void cancel(core::RequestId id) { info().is_encoder() ? embeddings_.cancel(id) : scheduler_.cancel(id); }
  void forget(std::string principal) { scheduler_.forget(std::move(principal)); }
  core::SchedulerStats stats() const { return info().is_encoder() ? embeddings_.stats() : scheduler_.stats(); }
  /// Takes no more requests; those that run go on.
  void close() { info().is_encoder() ? embeddings_.close() : scheduler_.close(); }

 private:
  ModelService(std::string name, std::unique_ptr<core::Engine> engine, const core::SchedulerOptions& options);

  const std::string name_;
  const int64_t loaded_at_;
  std::unique_ptr<core::Engine> engine_;
  const Dialect* dialect_ = nullptr;
  std::vector<core::TokenId> marks_;
  core::Scheduler scheduler_;        ///< of a decoder
  core::EmbeddingQueue embeddings_;  ///< of an encoder
  std::mutex mutex_;                 ///< of what grammars need
  std::shared_ptr<const core::TokenTrie> trie_;
  std::list<std::pair<std::string, std::shared_ptr<const core::Constraint>>> constraints_;  ///< the latest first
  std::thread thread_;
};

}  // namespace ingle::assistant
