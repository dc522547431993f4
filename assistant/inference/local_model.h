// A model in this process: the engine, its scheduler, and the thread that runs both.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "assistant/inference/model_service.h"
#include "core/grammar/matcher.h"
#include "core/template/abilities.h"

namespace ingle::assistant {

class LocalModel final : public ModelService {
 public:
  /// `name`: what clients call the model.
  LocalModel(std::string name, std::unique_ptr<core::Engine> engine, const core::SchedulerOptions& options);
  /// Ends what runs.
  ~LocalModel() override;
  LocalModel(const LocalModel&) = delete;
  LocalModel& operator=(const LocalModel&) = delete;

  const ModelFacts& facts() const override { return facts_; }
  base::Result<std::vector<core::TokenId>> chat_prompt(const core::ChatRequest& request) override;
  base::Result<std::vector<core::TokenId>> gap_prompt(std::string_view before, std::string_view after) override;
  base::Result<std::vector<core::TokenId>> tokenize(std::string_view text, bool add_special,
                                                    bool parse_special) override;
  base::Result<std::string> detokenize(const std::vector<core::TokenId>& tokens, bool show_special) override;
  base::Status check_grammar(const std::string& gbnf) override;
  base::Result<core::RequestId> generate(GenerationRequest request, core::EventSink sink) override;
  base::Result<std::vector<SpelledToken>> spell(const std::vector<core::TokenId>& tokens) override;
  base::Result<std::vector<core::LensLayer>> lens(uint64_t key, uint32_t token, uint32_t count) override;
  base::Result<core::AttentionWeights> attention(uint64_t key, uint32_t token, uint32_t layer) override;
  base::Result<std::string> timeline(uint64_t key) override;
  base::Result<core::MemoryMap> memory_map() override;
  base::Result<core::RequestId> embed(core::EmbeddingRequest request, core::EmbeddingSink sink) override;
  base::Result<core::EmbeddingText> pair(std::string_view first, std::string_view second) override;
  void cancel(core::RequestId id) override { encodes() ? embeddings_.cancel(id) : scheduler_.cancel(id); }
  void forget(const std::string& principal) override { scheduler_.forget(principal); }
  base::Result<core::SchedulerStats> stats() override { return encodes() ? embeddings_.stats() : scheduler_.stats(); }
  bool busy() const override;
  void set_pace(const core::Pace& pace) override;
  core::Pace pace() const override;
  void close() override { encodes() ? embeddings_.close() : scheduler_.close(); }
  void end() override;

 private:
  bool encodes() const { return facts_.info.is_encoder(); }
  base::Result<std::shared_ptr<const core::Constraint>> constraint(const std::string& gbnf);

  const std::unique_ptr<core::Engine> engine_;
  const ModelFacts facts_;
  const core::TemplateAbilities template_abilities_;
  core::Scheduler scheduler_;        ///< of a decoder
  core::EmbeddingQueue embeddings_;  ///< of an encoder
  mutable std::mutex pace_mutex_;
  core::Pace pace_;   ///< guarded by pace_mutex_, as is the scheduler's
  std::mutex mutex_;  ///< of what grammars need
  std::shared_ptr<const core::TokenTrie> trie_;
  std::list<std::pair<std::string, std::shared_ptr<const core::Constraint>>> constraints_;  ///< the latest first
  std::thread thread_;
};

}  // namespace ingle::assistant
