#include "assistant/inference/local_model.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "assistant/dialects/tool_prompt.h"

namespace ingle::assistant {

using base::Error;
using base::ErrorCode;

namespace {

std::vector<core::TokenId> marks_of(const Dialect& dialect, const core::Tokenizer& tokenizer) {
  std::vector<core::TokenId> marks;
  for (const std::string_view text : dialect.visible_special)
    if (const auto token = tokenizer.find_token(text)) marks.push_back(*token);
  std::ranges::sort(marks);
  return marks;
}

Error writes_no_text() {
  return {
      ErrorCode::unsupported,
      "the model is an encoder: it makes embeddings (/v1/embeddings) and writes no text; use another model for that"};
}

ModelFacts facts_of(std::string name, const core::Engine& engine) {
  ModelFacts facts;
  facts.name = std::move(name);
  facts.loaded_at = static_cast<int64_t>(std::time(nullptr));
  facts.info = engine.info();
  facts.default_sampling = engine.default_sampling();
  if (const core::ChatTemplate* chat_template = engine.chat_template()) {
    facts.chat_template = chat_template->source();
    facts.template_thinks = chat_template->mentions("enable_thinking");
  }
  facts.dialect = &choose_dialect({facts.chat_template, facts.info.architecture, facts.info.name});
  facts.marks = marks_of(*facts.dialect, engine.tokenizer());
  return facts;
}

}  // namespace

LocalModel::LocalModel(std::string name, std::unique_ptr<core::Engine> engine, const core::SchedulerOptions& options)
    : engine_(std::move(engine)),
      facts_(facts_of(std::move(name), *engine_)),
      template_abilities_(engine_->chat_template() == nullptr ? core::TemplateAbilities{}
                                                              : core::abilities_of(*engine_->chat_template())),
      scheduler_(*engine_, options),
      embeddings_(*engine_, options),
      thread_([this] {
        if (encodes())
          while (embeddings_.wait()) embeddings_.step();
        else
          while (scheduler_.wait()) scheduler_.step();
      }) {}

LocalModel::~LocalModel() {
  end();
  thread_.join();
}

void LocalModel::end() {
  close();
  encodes() ? embeddings_.cancel_all() : scheduler_.cancel_all();
}

base::Result<std::vector<core::TokenId>> LocalModel::chat_prompt(const core::ChatRequest& request) {
  const core::ChatTemplate* chat_template = engine_->chat_template();
  if (encodes()) return writes_no_text();
  if (chat_template == nullptr)
    return Error{ErrorCode::unsupported, "this model has no chat template; use a completion without messages"};
  core::ChatRequest told = request;
  told.messages = messages_with_tools(dialect(), template_abilities_, request.messages, request.tools);
  return core::build_chat_prompt(engine_->tokenizer(), *chat_template, told);
}

base::Result<std::vector<core::TokenId>> LocalModel::gap_prompt(std::string_view before, std::string_view after) {
  return core::build_fim_prompt(engine_->tokenizer(), before, after);
}

base::Result<std::vector<core::TokenId>> LocalModel::tokenize(std::string_view text, bool add_special,
                                                              bool parse_special) {
  return engine_->tokenizer().encode(text, {.add_special = add_special, .parse_special = parse_special});
}

base::Result<std::string> LocalModel::detokenize(const std::vector<core::TokenId>& tokens, bool show_special) {
  return core::replace_invalid_utf8(engine_->tokenizer().decode(tokens, show_special));
}

base::Status LocalModel::check_grammar(const std::string& gbnf) {
  INGLE_CHECK(constraint(gbnf));
  return {};
}

base::Result<core::RequestId> LocalModel::generate(GenerationRequest request, core::EventSink sink) {
  if (encodes()) return writes_no_text();
  if (!request.grammar.empty()) {
    INGLE_TRY(request.constraint, constraint(request.grammar));
  }
  return scheduler_.submit(std::move(request), std::move(sink));
}

base::Result<std::vector<SpelledToken>> LocalModel::spell(const std::vector<core::TokenId>& tokens) {
  const core::Tokenizer& tokenizer = engine_->tokenizer();
  std::vector<SpelledToken> spelled;
  for (const core::TokenId token : tokens) {
    if (token < 0 || static_cast<uint32_t>(token) >= facts_.info.vocabulary_size)
      return Error{ErrorCode::invalid_argument, "token " + std::to_string(token) + " is not in the vocabulary"};
    spelled.push_back({tokenizer.token_bytes(token, true), tokenizer.token_kind(token) == core::TokenKind::control});
  }
  return spelled;
}

// Nobody would answer, as the scheduler of an encoder does not run.
base::Result<std::vector<core::LensLayer>> LocalModel::lens(uint64_t key, uint32_t token, uint32_t count) {
  if (encodes()) return writes_no_text();
  return scheduler_.lens(key, token, count);
}
base::Result<core::AttentionWeights> LocalModel::attention(uint64_t key, uint32_t token, uint32_t layer) {
  if (encodes()) return writes_no_text();
  return scheduler_.attention(key, token, layer);
}
base::Result<std::string> LocalModel::timeline(uint64_t key) {
  if (encodes()) return writes_no_text();
  return scheduler_.timeline(key);
}
base::Result<core::MemoryMap> LocalModel::memory_map() {
  if (encodes()) return writes_no_text();
  return scheduler_.memory_map();
}

base::Result<core::RequestId> LocalModel::embed(core::EmbeddingRequest request, core::EmbeddingSink sink) {
  return embeddings_.submit(std::move(request), std::move(sink));
}

base::Result<core::EmbeddingText> LocalModel::pair(std::string_view first, std::string_view second) {
  INGLE_TRY(auto tokens, tokenize(first, true, false));
  // What ends the first text ends the second, too.
  if (tokens.empty() || engine_->tokenizer().token_kind(tokens.back()) != core::TokenKind::control)
    return Error{ErrorCode::unsupported, "the model's tokenizer has no token that ends a text"};
  const core::TokenId end = tokens.back();
  INGLE_TRY(const auto more, tokenize(second, false, false));
  core::EmbeddingText text{std::move(tokens)};
  text.second = text.tokens.size();
  text.tokens.insert(text.tokens.end(), more.begin(), more.end());
  text.tokens.push_back(end);
  return text;
}

base::Result<std::shared_ptr<const core::Constraint>> LocalModel::constraint(const std::string& gbnf) {
  constexpr size_t kKept = 32;
  const std::lock_guard lock(mutex_);
  const auto known = std::ranges::find(constraints_, gbnf, [](const auto& entry) { return entry.first; });
  if (known != constraints_.end()) {
    constraints_.splice(constraints_.begin(), constraints_, known);
    return known->second;
  }
  core::GrammarLimits limits;
  limits.max_work /= 5;  // others wait for it, too
  INGLE_TRY(const core::Grammar grammar, core::Grammar::compile_gbnf(gbnf, limits));
  if (!trie_) trie_ = std::make_shared<core::TokenTrie>(engine_->tokenizer());
  constraints_.emplace_front(gbnf, core::Constraint::make(grammar, trie_));
  if (constraints_.size() > kKept) constraints_.pop_back();
  return constraints_.front().second;
}

bool LocalModel::busy() const {
  const core::SchedulerStats stats = encodes() ? embeddings_.stats() : scheduler_.stats();
  return stats.running > 0 || stats.waiting > 0;
}

void LocalModel::set_pace(const core::Pace& pace) {
  const std::lock_guard lock(pace_mutex_);
  pace_ = pace;
  scheduler_.set_pace(pace);
}

core::Pace LocalModel::pace() const {
  const std::lock_guard lock(pace_mutex_);
  return pace_;
}
}  // namespace ingle::assistant
