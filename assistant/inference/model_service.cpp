#include "assistant/inference/model_service.h"

#include <algorithm>
#include <ctime>
#include <utility>

namespace ingle::assistant {

using base::Error;
using base::ErrorCode;

namespace {

ModelHints hints_of(const core::Engine& engine) {
  const core::ChatTemplate* chat_template = engine.chat_template();
  return {chat_template == nullptr ? std::string_view() : chat_template->source(), engine.info().architecture,
          engine.info().name};
}

std::vector<core::TokenId> marks_of(const Dialect& dialect, const core::Tokenizer& tokenizer) {
  std::vector<core::TokenId> marks;
  for (const std::string_view text : dialect.visible_special)
    if (const auto token = tokenizer.find_token(text)) marks.push_back(*token);
  std::ranges::sort(marks);
  return marks;
}

Error is_encoder() {
  return {
      ErrorCode::unsupported,
      "the model is an encoder: it makes embeddings (/v1/embeddings) and writes no text; use another model for that"};
}

}  // namespace

std::unique_ptr<ModelService> ModelService::start(std::string name, std::unique_ptr<core::Engine> engine,
                                                  const core::SchedulerOptions& options) {
  return std::unique_ptr<ModelService>(new ModelService(std::move(name), std::move(engine), options));
}

ModelService::ModelService(std::string name, std::unique_ptr<core::Engine> engine,
                           const core::SchedulerOptions& options)
    : name_(std::move(name)),
      loaded_at_(static_cast<int64_t>(std::time(nullptr))),
      engine_(std::move(engine)),
      dialect_(&choose_dialect(hints_of(*engine_))),
      marks_(marks_of(*dialect_, engine_->tokenizer())),
      scheduler_(*engine_, options),
      embeddings_(*engine_, options),
      thread_([this] {
        if (info().is_encoder())
          while (embeddings_.wait()) embeddings_.step();
        else
          while (scheduler_.wait()) scheduler_.step();
      }) {}

ModelService::~ModelService() {
  close();
  info().is_encoder() ? embeddings_.cancel_all() : scheduler_.cancel_all();
  thread_.join();
}

base::Result<std::vector<core::TokenId>> ModelService::chat_prompt(const core::ChatRequest& request) const {
  const core::ChatTemplate* chat_template = engine_->chat_template();
  if (info().is_encoder()) return is_encoder();
  if (chat_template == nullptr)
    return Error{ErrorCode::unsupported, "this model has no chat template; use a completion without messages"};
  return core::build_chat_prompt(engine_->tokenizer(), *chat_template, request);
}

std::vector<core::TokenId> ModelService::text_prompt(std::string_view text, bool special) const {
  return tokenize(text, true, special);
}

base::Result<std::vector<core::TokenId>> ModelService::gap_prompt(std::string_view before,
                                                                  std::string_view after) const {
  return core::build_fim_prompt(engine_->tokenizer(), before, after);
}

std::vector<core::TokenId> ModelService::tokenize(std::string_view text, bool add_special, bool parse_special) const {
  return engine_->tokenizer().encode(text, {.add_special = add_special, .parse_special = parse_special});
}

std::string ModelService::detokenize(const std::vector<core::TokenId>& tokens, bool show_special) const {
  return core::replace_invalid_utf8(engine_->tokenizer().decode(tokens, show_special));
}

base::Result<std::shared_ptr<const core::Constraint>> ModelService::constraint(const std::string& gbnf) {
  constexpr size_t kKept = 32;
  const std::lock_guard lock(mutex_);
  const auto known = std::ranges::find(constraints_, gbnf, [](const auto& entry) { return entry.first; });
  if (known != constraints_.end()) {
    constraints_.splice(constraints_.begin(), constraints_, known);
    return known->second;
  }
  core::GrammarLimits limits;
  limits.max_work /= 5;  // whoever asks waits for it, and so does everybody else
  INGLE_TRY(const core::Grammar grammar, core::Grammar::compile_gbnf(gbnf, limits));
  if (!trie_) trie_ = std::make_shared<core::TokenTrie>(engine_->tokenizer());
  constraints_.emplace_front(gbnf, core::Constraint::make(grammar, trie_));
  if (constraints_.size() > kKept) constraints_.pop_back();
  return constraints_.front().second;
}

base::Result<core::RequestId> ModelService::generate(core::GenerationRequest request, core::EventSink sink) {
  if (info().is_encoder()) return is_encoder();
  return scheduler_.submit(std::move(request), std::move(sink));
}

base::Result<core::RequestId> ModelService::embed(core::EmbeddingRequest request, core::EmbeddingSink sink) {
  return embeddings_.submit(std::move(request), std::move(sink));
}

base::Result<core::EmbeddingText> ModelService::pair(std::string_view first, std::string_view second) const {
  core::EmbeddingText text{tokenize(first, true, false)};
  // What ends the first text ends the second, too.
  if (text.tokens.empty() || engine_->tokenizer().token_kind(text.tokens.back()) != core::TokenKind::control)
    return Error{ErrorCode::unsupported, "the model's tokenizer has no token that ends a text"};
  const core::TokenId separator = text.tokens.back();
  text.second = text.tokens.size();
  const std::vector<core::TokenId> more = tokenize(second, false, false);
  text.tokens.insert(text.tokens.end(), more.begin(), more.end());
  text.tokens.push_back(separator);
  return text;
}

}  // namespace ingle::assistant
