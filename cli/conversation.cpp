// A conversation's turns.
#include "cli/conversation.h"

#include <algorithm>
#include <span>

#include "cli/prompts.h"

namespace ingle::cli {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;
using base::Status;

namespace {

/// Of a prompt, where a mark that opens reasoning would be.
std::string end_of(const core::Engine& engine, std::span<const core::TokenId> tokens) {
  constexpr size_t kEnd = 32;
  return engine.tokenizer().decode(tokens.last(std::min(tokens.size(), kEnd)), true);
}

/// How a reply came to be, in the form of the server's reports.
Json report_of(const core::Engine& engine, const core::GenerateResult& result, uint32_t reused) {
  const auto rate = [](size_t tokens, double ms) { return ms > 0 ? static_cast<double>(tokens) * 1000 / ms : 0.0; };
  const bool full = result.reason == core::StopReason::length || result.reason == core::StopReason::context_full;
  const bool cancelled = result.reason == core::StopReason::cancelled;
  const size_t written = result.tokens.size();
  return {{"finish", cancelled ? "cancelled"
                     : full    ? "length"
                               : "stop"},
          {"context_length", engine.info().context_length},
          {"queue_ms", 0},
          {"prompt_n", result.prompt_tokens},
          {"cache_n", reused},
          {"prompt_ms", result.prefill_ms},
          {"prompt_per_second", rate(result.prompt_tokens, result.prefill_ms)},
          {"predicted_n", written},
          {"predicted_ms", result.decode_ms},
          {"predicted_per_second", rate(written > 0 ? written - 1 : 0, result.decode_ms)},
          {"device", "cpu"},
          {"isa", engine.info().isa},
          {"threads", engine.info().threads}};
}

}  // namespace

Result<Conversation> Conversation::start(core::Engine& engine) {
  INGLE_TRY(auto sequence, engine.new_sequence());
  return Conversation(engine, std::move(sequence));
}

void Conversation::keep_in(std::unique_ptr<KeptConversation> kept) {
  kept_ = std::move(kept);
  if (kept_) kept_->set_system(system_);
}

Status Conversation::resume(const assistant::Conversation& conversation) {
  INGLE_TRY(messages_, kept_->resume(conversation));
  system_ = conversation.system;
  return {};
}

void Conversation::set_system(std::string text) {
  system_ = std::move(text);
  if (kept_) kept_->set_system(system_);
}

std::optional<int64_t> Conversation::last_kept() const {
  return messages_.empty() ? std::nullopt : messages_.back().id;
}

Json Conversation::messages() const {
  Json out = Json::array();
  if (!system_.empty()) out.push_back({{"role", "system"}, {"content", system_}});
  for (const ChatMessage& message : messages_) out.push_back({{"role", message.role}, {"content", message.content}});
  return out;
}

Status Conversation::set_messages(const Json& messages) {
  if (!messages.is_array()) return Error{ErrorCode::invalid_argument, "not a list of messages"};
  std::string system;
  std::vector<ChatMessage> read;
  for (const Json& item : messages) {
    const bool good = item.is_object() && item.contains("role") && item["role"].is_string() &&
                      item.contains("content") && item["content"].is_string();
    if (!good) return Error{ErrorCode::invalid_argument, "a message without the texts \"role\" and \"content\""};
    if (item["role"] == "system" && read.empty()) {
      system = item["content"].get<std::string>();
    } else {
      read.push_back({item["role"].get<std::string>(), item["content"].get<std::string>(), {}});
    }
  }
  messages_ = std::move(read);
  if (kept_) kept_->begin_new();
  set_system(std::move(system));
  return {};
}

Result<std::vector<core::TokenId>> Conversation::prompt() const {
  if (engine_->chat_template() != nullptr) return chat_prompt(*engine_, messages(), thinking_);
  // Without a template the model continues one text: all that was typed and answered so far.
  std::string text = system_;
  for (const ChatMessage& message : messages_) text += message.content;
  return raw_prompt(*engine_, text, false);
}

Result<core::GenerateResult> Conversation::answer(const core::GenerateOptions& options,
                                                  const std::function<bool(std::string_view)>& on_text,
                                                  const std::function<bool()>& cancelled) {
  INGLE_TRY(const auto tokens, prompt());
  const auto differs = std::mismatch(held_.begin(), held_.end(), tokens.begin(), tokens.end());
  // The last token is always computed: its logits are what the answer starts from.
  const size_t wanted = std::min(static_cast<size_t>(differs.first - held_.begin()), tokens.size() - 1);
  const uint32_t kept = sequence_->truncate(static_cast<uint32_t>(wanted));
  held_.resize(kept);
  reused_ = kept;

  if (kept_) kept_->begin_reply(messages_, end_of(*engine_, tokens));
  const auto on_piece = [&](std::string_view piece) {
    if (kept_) kept_->push(piece);
    return on_text(piece);
  };
  auto result = core::generate(*engine_, *sequence_, tokens, options, on_piece, cancelled);
  const auto id = end_kept_reply(result);
  held_ = tokens;
  if (result) held_.insert(held_.end(), result->tokens.begin(), result->tokens.end());
  // The sequence has not computed all of it: not the last token, and after an error perhaps nothing of this turn.
  held_.resize(std::min<size_t>(held_.size(), sequence_->length()));
  if (!result) {
    held_.resize(sequence_->truncate(kept));
    return result;
  }
  if (result->reason == core::StopReason::cancelled && result->tokens.empty()) return Error{ErrorCode::cancelled, ""};
  messages_.push_back({"assistant", result->text, id});
  return result;
}

std::optional<int64_t> Conversation::end_kept_reply(const Result<core::GenerateResult>& result) {
  using assistant::MessageState;
  if (!kept_) return {};
  if (!result) return kept_->end_reply(MessageState::failed, nullptr, result.error().message);
  const bool stopped = result->reason == core::StopReason::cancelled;
  return kept_->end_reply(stopped ? MessageState::stopped : MessageState::complete,
                          report_of(*engine_, *result, reused_));
}

Result<core::GenerateResult> Conversation::ask(std::string_view text, const core::GenerateOptions& options,
                                               const std::function<bool(std::string_view)>& on_text,
                                               const std::function<bool()>& cancelled) {
  messages_.push_back({"user", std::string(text), {}});
  if (kept_) kept_->keep(messages_);  // it is on the disk before anything else may go wrong
  auto result = answer(options, on_text, cancelled);
  if (!result) {
    messages_.pop_back();
    if (kept_) kept_->show(last_kept());
  }
  return result;
}

Result<core::GenerateResult> Conversation::regenerate(const core::GenerateOptions& options,
                                                      const std::function<bool(std::string_view)>& on_text,
                                                      const std::function<bool()>& cancelled) {
  if (messages_.empty()) return Error{ErrorCode::invalid_argument, "there is no message yet"};
  std::optional<ChatMessage> old;
  if (messages_.back().role == "assistant") {
    old = std::move(messages_.back());
    messages_.pop_back();
  }
  auto result = answer(options, on_text, cancelled);
  if (!result) {
    if (old) messages_.push_back(*std::move(old));
    if (kept_) kept_->show(last_kept());
  }
  return result;
}

bool Conversation::undo() {
  if (messages_.empty()) return false;
  while (!messages_.empty() && messages_.back().role != "user") messages_.pop_back();
  if (!messages_.empty()) messages_.pop_back();
  if (kept_) kept_->show(last_kept());
  return true;
}

void Conversation::clear() {
  messages_.clear();
  if (kept_) kept_->begin_new();
  held_.clear();
  sequence_->truncate(0);
}

Status Conversation::save_state(const std::filesystem::path& path) const {
  return engine_->save_sequence(*sequence_, held_, path);
}

Status Conversation::load_state(const std::filesystem::path& path) {
  INGLE_TRY(core::RestoredSequence restored, engine_->restore_sequence(path));
  sequence_ = std::move(restored.sequence);
  held_ = std::move(restored.tokens);
  return {};
}

}  // namespace ingle::cli
