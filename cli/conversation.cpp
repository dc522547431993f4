// A conversation's turns.
#include "cli/conversation.h"

#include <algorithm>

#include "cli/prompts.h"

namespace ingle::cli {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;
using base::Status;

Result<Conversation> Conversation::start(core::Engine& engine) {
  INGLE_TRY(auto sequence, engine.new_sequence());
  return Conversation(engine, std::move(sequence));
}

Json Conversation::messages() const {
  Json out = Json::array();
  if (!system_.empty()) out.push_back({{"role", "system"}, {"content", system_}});
  for (const Message& message : messages_) out.push_back({{"role", message.role}, {"content", message.content}});
  return out;
}

Status Conversation::set_messages(const Json& messages) {
  if (!messages.is_array()) return Error{ErrorCode::invalid_argument, "not a list of messages"};
  std::string system;
  std::vector<Message> read;
  for (const Json& item : messages) {
    const bool good = item.is_object() && item.contains("role") && item["role"].is_string() &&
                      item.contains("content") && item["content"].is_string();
    if (!good) return Error{ErrorCode::invalid_argument, "a message without the texts \"role\" and \"content\""};
    if (item["role"] == "system" && read.empty()) {
      system = item["content"].get<std::string>();
    } else {
      read.push_back({item["role"].get<std::string>(), item["content"].get<std::string>()});
    }
  }
  system_ = std::move(system);
  messages_ = std::move(read);
  return {};
}

Result<std::vector<core::TokenId>> Conversation::prompt() const {
  if (engine_->chat_template() != nullptr) return chat_prompt(*engine_, messages(), thinking_);
  // Without a template the model continues one text: all that was typed and answered so far.
  std::string text = system_;
  for (const Message& message : messages_) text += message.content;
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

  auto result = core::generate(*engine_, *sequence_, tokens, options, on_text, cancelled);
  held_ = tokens;
  if (result) held_.insert(held_.end(), result->tokens.begin(), result->tokens.end());
  // The sequence has not computed all of it: not the last token, and after an error perhaps nothing of this turn.
  held_.resize(std::min<size_t>(held_.size(), sequence_->length()));
  if (!result) {
    held_.resize(sequence_->truncate(kept));
    return result;
  }
  if (result->reason == core::StopReason::cancelled && result->tokens.empty()) return Error{ErrorCode::cancelled, ""};
  messages_.push_back({"assistant", result->text});
  return result;
}

Result<core::GenerateResult> Conversation::ask(std::string_view text, const core::GenerateOptions& options,
                                               const std::function<bool(std::string_view)>& on_text,
                                               const std::function<bool()>& cancelled) {
  messages_.push_back({"user", std::string(text)});
  auto result = answer(options, on_text, cancelled);
  if (!result) messages_.pop_back();
  return result;
}

Result<core::GenerateResult> Conversation::regenerate(const core::GenerateOptions& options,
                                                      const std::function<bool(std::string_view)>& on_text,
                                                      const std::function<bool()>& cancelled) {
  if (messages_.empty() || messages_.back().role != "assistant") {
    return Error{ErrorCode::invalid_argument, "there is no answer yet"};
  }
  const Message old = std::move(messages_.back());
  messages_.pop_back();
  auto result = answer(options, on_text, cancelled);
  if (!result) messages_.push_back(old);
  return result;
}

bool Conversation::undo() {
  if (messages_.empty()) return false;
  while (!messages_.empty() && messages_.back().role != "user") messages_.pop_back();
  if (!messages_.empty()) messages_.pop_back();
  return true;
}

void Conversation::clear() {
  messages_.clear();
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
